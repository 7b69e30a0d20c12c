from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import botocore.session
import pytest
from aws_cdk import assertions
from aws_cdk import aws_lambda as lambda_

from colorway.personalize import (
    Campaign,
    Dataset,
    DatasetGroup,
    EventTracker,
    Filter,
    PersonalizeResources,
    Schema,
    Solution,
)
from personalize_resources.conversion import parameters
from personalize_resources.kinds import KINDS, kind_of
from vocabulary.colours import Names

RUNTIME: dict[str, Any] = {
    "runtime": lambda_.Runtime.PYTHON_3_13,
    "architecture": lambda_.Architecture.ARM_64,
}
VERSION = "arn:aws:personalize:us-east-1:111122223333:solution/shop-test-rows/0a1b2c3d"


def resources_of(stack: cdk.Stack) -> PersonalizeResources:
    return PersonalizeResources(stack, "Personalize", names=Names("shop", "test"), **RUNTIME)


@pytest.fixture
def template(cdk_app: cdk.App) -> dict[str, Any]:
    """A stack with one resource of each kind; what is in a group comes in no helpful order."""
    stack = cdk.Stack(cdk_app, "Stack", env=cdk.Environment(account="111122223333", region="us-east-1"))
    group = DatasetGroup(stack, "Group", resources=resources_of(stack), name="shop-test-group")
    tracker = EventTracker(stack, "Tracker", dataset_group=group, name="shop-test-tracker")
    Filter(
        stack,
        "Filter",
        dataset_group=group,
        name="shop-test-filter",
        expression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")',
    )
    schema = Schema(stack, "Schema", resources=group.resources, kind="interactions", schema='{"a": 1}')
    Dataset(
        stack,
        "Dataset",
        dataset_group=group,
        name="shop-test-interactions",
        dataset_type="Interactions",
        schema=schema,
    )
    solution = Solution(
        stack,
        "Solution",
        dataset_group=group,
        name="shop-test-rows",
        recipe="aws-user-personalization",
        hyperparameters={"hidden_dimension": "55"},
    )
    Campaign(
        stack,
        "Campaign",
        solution=solution,
        name="shop-test-rows",
        solution_version_arn=VERSION,
        exploration={"explorationWeight": "0.3"},
    )
    cdk.CfnOutput(stack, "TrackingId", value=tracker.tracking_id)
    return dict(assertions.Template.from_stack(stack).to_json())


def custom(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        resource["Type"].removeprefix("Custom::Personalize"): {"id": name, **resource}
        for name, resource in template["Resources"].items()
        if resource["Type"].startswith("Custom::")
    }


def test_the_function_understands_every_resource(template: dict[str, Any]) -> None:
    model = botocore.session.get_session().get_service_model("personalize")
    resources = custom(template)

    assert set(resources) == set(KINDS)
    for resource in resources.values():
        given = parameters(kind_of(resource["Type"]), resource["Properties"], model)
        assert given["name"].startswith("shop-test-")
    solution = parameters(KINDS["Solution"], resources["Solution"]["Properties"], model)
    assert solution["performAutoTraining"] is False
    assert solution["solutionConfig"] == {"algorithmHyperParameters": {"hidden_dimension": "55"}}
    campaign = parameters(KINDS["Campaign"], resources["Campaign"]["Properties"], model)
    assert campaign["campaignConfig"] == {"itemExplorationConfig": {"explorationWeight": "0.3"}}


def test_a_plain_python_function_answers_within_the_hour(template: dict[str, Any]) -> None:
    functions = [each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function"]

    assert [function["Properties"]["Runtime"] for function in functions] == ["python3.13"]
    tokens = {str(each["Properties"]["ServiceToken"]) for each in custom(template).values()}
    assert len(tokens) == 1
    assert {each["Properties"]["ServiceTimeout"] for each in custom(template).values()} == {"3600"}


def test_a_group_is_filled_and_emptied_in_the_order_that_personalize_demands(
    template: dict[str, Any],
) -> None:
    resources = custom(template)

    for kind in ("EventTracker", "Filter", "Solution"):
        assert resources["Dataset"]["id"] in resources[kind]["DependsOn"]
    assert resources["Solution"]["id"] in resources["Campaign"]["DependsOn"]
    assert resources["Schema"]["id"] in str(resources["Dataset"]["Properties"]["SchemaArn"])


def test_its_rights_outlive_every_resource(template: dict[str, Any]) -> None:
    policies = [name for name, each in template["Resources"].items() if each["Type"] == "AWS::IAM::Policy"]

    assert len(policies) == 2
    for resource in custom(template).values():
        assert set(policies) <= set(resource["DependsOn"])


def test_its_rights_end_at_the_deployments_names(template: dict[str, Any]) -> None:
    statements = [
        statement
        for each in template["Resources"].values()
        if each["Type"] == "AWS::IAM::Policy"
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
    ]
    wide = [statement for statement in statements if statement["Resource"] == "*"]

    assert len(wide) == 1
    assert set(wide[0]["Action"]) == {f"personalize:List{kind}s" for kind in KINDS}
    named = [each for each in statements if "personalize:CreateCampaign" in each["Action"]]
    assert len(named) == 1
    expected = {f"personalize:{verb}{kind}" for kind in KINDS for verb in ("Create", "Describe", "Delete")}
    assert set(named[0]["Action"]) == {*expected, "personalize:UpdateCampaign"}
    for resource in named[0]["Resource"]:
        path = str(resource).partition("111122223333:")[2]
        assert path.partition("/")[2].startswith("shop-test-*") or path.startswith("event-tracker/")
    others = [each["Action"] for each in statements if "personalize" not in str(each["Action"])]
    assert others == ["lambda:InvokeFunction"]  # itself, to go on


def test_a_changed_schema_is_another_one(cdk_app: cdk.App) -> None:
    stack = cdk.Stack(cdk_app, "Stack")
    resources = resources_of(stack)

    def name(construct_id: str, schema: str) -> str:
        return Schema(stack, construct_id, resources=resources, kind="items", schema=schema).schema_name

    assert name("A", '{"a": 1}') == name("B", '{"a": 1}')
    assert name("A2", '{"a": 1}') != name("C", '{"a": 2}')
    assert name("D", '{"a": 1}').startswith("shop-test-items-")


def test_refuses_a_name_that_it_has_no_right_to(cdk_app: cdk.App) -> None:
    stack = cdk.Stack(cdk_app, "Stack")

    with pytest.raises(ValueError, match="name must begin with shop-test-, got 'other-group'"):
        DatasetGroup(stack, "Group", resources=resources_of(stack), name="other-group")
