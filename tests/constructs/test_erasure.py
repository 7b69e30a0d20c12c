from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_lambda as lambda_

from colorway.data_lake import DataLake
from colorway.erasure import Erasure
from colorway.experiment import Experiment
from colorway.training_bucket import TrainingBucket
from vocabulary.colours import Names

ASIDE = {"events-undelivered/": 14, "events-unreadable/": 14, "exposures-undelivered/": 14}
"""What an erasure cannot look into goes by itself."""


def define(app: cdk.App, wheels: Path, **lake: Any) -> assertions.Template:
    (wheels / "any.whl").touch()
    app.node.set_context("aws:cdk:bundling-stacks", [])  # the layer need not be unpacked
    stack = cdk.Stack(app, "Test")
    Erasure(
        stack,
        "Erasure",
        names=Names("colorway", "test"),
        lake=DataLake(stack, "Lake", database_name="test", keep_data=False, **lake),
        training=TrainingBucket(stack, "Training", keep_data=False),
        experiment=Experiment(
            stack, "Experiment", name="colorway-test", spread=cdk.Duration.minutes(10), alarms=[]
        ),
        runtime=lambda_.Runtime.PYTHON_3_13,
        architecture=lambda_.Architecture.ARM_64,
        wheels=wheels,
    )
    return assertions.Template.from_stack(stack)


@pytest.fixture
def statements(cdk_app: cdk.App, tmp_path: Path) -> list[dict[str, Any]]:
    """What the function may do."""
    policies = define(cdk_app, tmp_path).find_resources("AWS::IAM::Policy")
    (own,) = (policy for name, policy in policies.items() if name.startswith("ErasureFunction"))
    found: list[dict[str, Any]] = own["Properties"]["PolicyDocument"]["Statement"]
    return found


def may(statements: list[dict[str, Any]], action: str) -> str:
    """The resources of an action, as text."""
    return json.dumps([each["Resource"] for each in statements if action in each["Action"]])


def test_it_rewrites_events_users_and_exposures_and_deletes_exports_and_touches_nothing_else(
    statements: list[dict[str, Any]],
) -> None:
    for action in ("s3:PutObject", "s3:DeleteObject"):
        assert "/events/*" in may(statements, action)
        assert "/catalogue/users/*" in may(statements, action)
        assert "/exposures/*" in may(statements, action)
        assert "/catalogue/items/*" not in may(statements, action)
    assert "/runs/*" in may(statements, "s3:DeleteObject")
    assert "/runs/*" not in may(statements, "s3:GetObject")
    assert "/erasures/*" in may(statements, "s3:PutObject")
    assert '"*"' not in may(statements, "s3:")


def test_it_may_read_what_the_experiment_was_and_not_change_it(statements: list[dict[str, Any]]) -> None:
    (about,) = (each["Action"] for each in statements if "appconfig" in str(each["Action"]))
    assert sorted(about) == [
        "appconfig:GetHostedConfigurationVersion",
        "appconfig:ListHostedConfigurationVersions",
    ]
    assert "configurationprofile" in may(statements, "appconfig:GetHostedConfigurationVersion")


def test_it_may_have_users_deleted_from_its_own_dataset_groups_only(statements: list[dict[str, Any]]) -> None:
    resources = may(statements, "personalize:CreateDataDeletionJob")
    assert "dataset-group/colorway-test-*" in resources
    assert [each["Action"] for each in statements if "personalize" in str(each["Action"])] == [
        "personalize:CreateDataDeletionJob"
    ]
    (passing,) = (each for each in statements if each["Action"] == "iam:PassRole")
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}}


def test_personalize_may_read_whom_it_is_to_forget_and_the_list_expires(
    cdk_app: cdk.App, tmp_path: Path
) -> None:
    template = define(cdk_app, tmp_path)
    policies = template.find_resources("AWS::IAM::Policy")
    (importing,) = (policy for name, policy in policies.items() if name.startswith("TrainingImportRole"))
    assert "/erasures/*" in json.dumps(importing)
    rules = [
        rule
        for bucket in template.find_resources("AWS::S3::Bucket").values()
        for rule in bucket["Properties"].get("LifecycleConfiguration", {}).get("Rules", ())
    ]
    expiries = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules}
    assert expiries == {"runs/": 30, "erasures/": 7, **ASIDE}


def test_the_lake_forgets_events_after_as_many_days_as_it_is_told(cdk_app: cdk.App, tmp_path: Path) -> None:
    template = define(cdk_app, tmp_path, keep_events=cdk.Duration.days(400))
    rules = [
        rule
        for name, bucket in template.find_resources("AWS::S3::Bucket").items()
        if name.startswith("Lake")
        for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    ]
    expiries = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules}
    assert expiries == {"events/": 400, "exposures/": 400, **ASIDE}
