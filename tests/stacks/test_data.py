"""What must outlive everything else, and what goes with a deployment that is not kept."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import duckdb
import pytest
from aws_cdk import assertions

from stacks.data import DataStack
from stacks.environment import DEV, PROD, Environment

Resources = dict[str, dict[str, Any]]
ASIDE = ("events-undelivered/", "events-unreadable/", "exposures-undelivered/")


def define(app: cdk.App, environment: Environment) -> Resources:
    stack = DataStack(app, "data", environment=environment)
    resources: Resources = assertions.Template.from_stack(stack).to_json()["Resources"]
    return resources


def of(resources: Resources, kind: str) -> Resources:
    return {name: each for name, each in resources.items() if each["Type"] == kind}


def rules(bucket: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = bucket["Properties"].get("LifecycleConfiguration", {}).get("Rules", [])
    return found


def expiries(bucket: dict[str, Any]) -> dict[str, int]:
    return {each["Prefix"]: each["ExpirationInDays"] for each in rules(bucket) if "ExpirationInDays" in each}


def test_prod_can_bring_back_what_its_lake_lost_and_keeps_its_buckets(cdk_app: cdk.App) -> None:
    resources = define(cdk_app, PROD)
    buckets = of(resources, "AWS::S3::Bucket")
    assert {each["DeletionPolicy"] for each in buckets.values()} == {"Retain"}
    (lake,) = [each for name, each in buckets.items() if name.startswith("Lake")]
    assert lake["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    (expiry,) = [each for each in rules(lake) if "NoncurrentVersionExpiration" in each]
    assert expiry["NoncurrentVersionExpiration"] == {"NoncurrentDays": 14}
    assert "Prefix" not in expiry
    (table,) = of(resources, "AWS::DynamoDB::Table").values()
    recovery = table["Properties"]["PointInTimeRecoverySpecification"]
    assert recovery == {"PointInTimeRecoveryEnabled": True}
    assert not of(resources, "Custom::BucketEmptying")


def test_dev_keeps_no_versions_and_empties_both_buckets_before_they_go(cdk_app: cdk.App) -> None:
    resources = define(cdk_app, DEV)
    buckets = of(resources, "AWS::S3::Bucket")
    assert {each["DeletionPolicy"] for each in buckets.values()} == {"Delete"}
    assert not [each for each in buckets.values() if "VersioningConfiguration" in each["Properties"]]
    (emptying,) = of(resources, "Custom::BucketEmptying").values()
    assert set(emptying["DependsOn"]) >= {*buckets, *of(resources, "AWS::S3::BucketPolicy")}
    (function,) = [
        each
        for each in of(resources, "AWS::Lambda::Function").values()
        if each["Properties"]["Handler"] == "personalize_resources.emptying_handler.handle"
    ]
    told = function["Properties"]["Environment"]["Variables"]["BUCKETS"]["Fn::Join"][1]
    assert {each["Ref"] for each in told if isinstance(each, dict)} == buckets.keys()


def test_events_that_expire_do_so_beside_their_old_versions(cdk_app: cdk.App) -> None:
    resources = define(cdk_app, replace(PROD, keep_events_days=100))
    (lake,) = [each for name, each in of(resources, "AWS::S3::Bucket").items() if name.startswith("Lake")]
    assert expiries(lake) == {"events/": 100, "exposures/": 100, **dict.fromkeys(ASIDE, 14)}
    assert [each for each in rules(lake) if "NoncurrentVersionExpiration" in each]


@pytest.mark.parametrize("environment", [DEV, PROD], ids=lambda each: each.name)
def test_what_an_erasure_cannot_look_into_goes_by_itself(cdk_app: cdk.App, environment: Environment) -> None:
    resources = define(cdk_app, replace(environment, keep_aside_days=5))
    (lake,) = [each for name, each in of(resources, "AWS::S3::Bucket").items() if name.startswith("Lake")]
    assert expiries(lake) == dict.fromkeys(ASIDE, 5)


@pytest.mark.parametrize("days", [0, 366])
def test_what_lies_aside_is_kept_for_a_day_to_a_year(days: int) -> None:
    with pytest.raises(ValueError, match=rf"keep_aside_days is {days}, allowed: 1 to 365"):
        replace(PROD, keep_aside_days=days)


@pytest.mark.parametrize("days", [0, 366])
def test_days_that_are_too_few_or_too_many_are_refused(days: int) -> None:
    with pytest.raises(ValueError, match=rf"recover_days is {days}, allowed: None or 1 to 365"):
        replace(PROD, recover_days=days)


def test_pages_and_notices_go_to_whom_the_settings_name_by_topics_of_their_own(cdk_app: cdk.App) -> None:
    endpoint = "https://events.example.com/integration/1/enqueue"
    told = replace(
        PROD, on_call_email="a@example.com", notices_email="b@example.com", on_call_endpoint=endpoint
    )
    resources = define(cdk_app, told)
    subscriptions = [each["Properties"] for each in of(resources, "AWS::SNS::Subscription").values()]
    names = {
        name: each["Properties"]["DisplayName"] for name, each in of(resources, "AWS::SNS::Topic").items()
    }
    assert {
        (names[each["TopicArn"]["Ref"]], each["Protocol"], each["Endpoint"]) for each in subscriptions
    } == {
        ("Pages of Colorway", "email", "a@example.com"),
        ("Pages of Colorway", "https", endpoint),
        ("Notices of Colorway", "email", "b@example.com"),
    }


@pytest.mark.parametrize("wrong", ["http://events.example.com/1", "events.example.com/1", "https://"])
def test_a_paging_service_is_spoken_to_over_tls(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"on_call_endpoint is .* allowed: a URL like https://"):
        replace(PROD, on_call_endpoint=wrong)


@pytest.mark.parametrize(("name", "over"), [("events", "raw_events"), ("exposures", "raw_exposures")])
def test_columns_of_a_view_are_of_the_types_that_it_says(cdk_app: cdk.App, name: str, over: str) -> None:
    resources = define(cdk_app, DEV)
    tables = {
        each["Properties"]["TableInput"]["Name"]: each["Properties"]["TableInput"]
        for each in of(resources, "AWS::Glue::Table").values()
    }
    text = tables[name]["ViewOriginalText"].removeprefix("/* Presto View: ").removesuffix(" */")
    view = json.loads(base64.b64decode(text))
    columns = [*tables[over]["StorageDescriptor"]["Columns"], *tables[over]["PartitionKeys"]]
    here = {"string": "VARCHAR", "array<string>": "VARCHAR[]"}
    with duckdb.connect() as database:
        database.execute(f"CREATE SCHEMA {view['schema']}")
        # As Trino's, which is Athena's: it answers a time with its zone
        database.execute("CREATE MACRO from_unixtime(seconds) AS to_timestamp(seconds)")
        told = ", ".join(f'"{each["Name"]}" {here.get(each["Type"], each["Type"])}' for each in columns)
        database.execute(f"CREATE TABLE {view['schema']}.{over} ({told})")
        found = database.execute(f"DESCRIBE {view['originalSql']}").fetchall()
    there = {"VARCHAR[]": "array(varchar)"}
    assert [{"name": each[0], "type": there.get(each[1], each[1].lower())} for each in found] == view[
        "columns"
    ]


def test_nothing_of_the_live_pointer_changes_or_cloudformation_would_write_none_anew(
    cdk_app: cdk.App,
) -> None:
    (pointer,) = of(define(cdk_app, PROD), "AWS::SSM::Parameter").values()
    assert pointer["Properties"] == {
        "Name": "/colorway/prod/live-colour",
        "Type": "String",
        "Value": "none",
        "Description": "The live colour: maize, blue, or none before the first training; the flip writes it",
    }
