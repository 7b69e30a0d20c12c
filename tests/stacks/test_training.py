from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
from aws_cdk.assertions import Match, Template

from app import define
from stacks.environment import DEV, Environment
from vocabulary.schemas import ExtraColumns, interactions_schema
from vocabulary.training_rules import TrainingRules


def training_of(app: cdk.App, environment: Environment) -> Template:
    app.node.set_context("aws:cdk:bundling-stacks", [])
    define(app, environment)
    stack = app.node.find_child(f"{environment.names.prefix}-training")
    assert isinstance(stack, cdk.Stack)
    return Template.from_stack(stack)


def states(template: Template) -> dict[str, Any]:
    """Those of the retraining."""
    for machine in template.find_resources("AWS::StepFunctions::StateMachine").values():
        parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
        text = "".join(part if isinstance(part, str) else "ref" for part in parts)
        found: dict[str, Any] = json.loads(text)["States"]
        if "export: data gate" in found:
            return found
    raise AssertionError("no state machine has a data gate")


def test_glue_exports_where_the_environment_says_so_and_the_gate_judges_what_it_wrote(
    cdk_app: cdk.App,
) -> None:
    extra = ExtraColumns(impressions=True, properties={"page": "string"})
    environment = replace(
        DEV,
        training_engine="glue",
        glue_workers=9,
        extra_columns=extra,
        training_rules=TrainingRules(newest_per_user=200),
    )
    template = training_of(cdk_app, environment)
    found = states(template)
    start = found["export: write the training data"]
    assert start["Resource"].endswith("glue:startJobRun.sync")
    assert found[start["Next"]]["Next"] == "export: data gate"
    template.has_resource_properties("AWS::Glue::Job", {"NumberOfWorkers": 9})
    # The schema, the function and the sweep of old schemas all know the extra columns
    assert json.dumps(interactions_schema(extra))[1:-1] in json.dumps(template.to_json())
    for handler in ("training_data.handler.handle", "retraining.retire_handler.handle"):
        template.has_resource_properties(
            "AWS::Lambda::Function",
            {
                "Handler": handler,
                "Environment": {"Variables": Match.object_like({"EXTRA_COLUMNS": extra.to_json()})},
            },
        )


def test_duckdb_exports_otherwise_and_the_lake_is_compacted_half_a_day_apart(cdk_app: cdk.App) -> None:
    template = training_of(cdk_app, replace(DEV, nightly_at=(21, 30)))
    assert states(template)["export: write the training data"]["Resource"].endswith(":lambda:invoke")
    template.resource_count_is("AWS::Glue::Job", 0)
    template.has_resource_properties("AWS::Scheduler::Schedule", {"ScheduleExpression": "cron(30 9 * * ? *)"})
    [policy] = [
        each
        for name, each in template.find_resources("AWS::IAM::Policy").items()
        if name.startswith("LakeCompactionFunction")
    ]
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    paths = {each["Resource"]["Fn::Join"][1][1] for each in statements if "Fn::Join" in each["Resource"]}
    assert paths == {"/events/*", "/events-unreadable/*"}


def test_after_a_deploy_the_flip_function_brings_alias_and_pointer_together(cdk_app: cdk.App) -> None:
    rules = training_of(cdk_app, DEV).find_resources("AWS::Events::Rule").values()
    told = {}
    for rule in rules:
        pattern = rule["Properties"]["EventPattern"]
        if pattern["source"] == ["aws.cloudformation"]:
            (prefix,) = pattern["detail"]["stack-id"]
            (target,) = rule["Properties"]["Targets"]
            told[prefix["prefix"]["Fn::Join"][1][-1].split("/")[1]] = target.get("Input")
    # The pointer's deploy comes first of all: whatever more the function did would meet the serving stack's
    assert told == {"colorway-dev-serving": None, "colorway-dev-data": '{"action":"recover"}'}


def test_the_export_has_the_memory_and_the_disk_that_the_environment_gives_it(cdk_app: cdk.App) -> None:
    environment = replace(DEV, training_memory_mib=10_240, training_disk_gib=10)
    training_of(cdk_app, environment).has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Handler": "training_data.handler.handle",
            "MemorySize": 10_240,
            "EphemeralStorage": {"Size": 10_240},
        },
    )
