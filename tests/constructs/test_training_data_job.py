from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk.assertions import Match, Template

from colorway.data_lake import DataLake
from colorway.training_bucket import TrainingBucket
from colorway.training_data_job import TrainingDataJob


@pytest.fixture
def stack(cdk_app: cdk.App) -> cdk.Stack:
    stack = cdk.Stack(cdk_app, "Stack")
    function = lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handle",
        code=lambda_.Code.from_inline("pass"),
    )
    job = TrainingDataJob(
        stack,
        "Job",
        lake=DataLake(stack, "Lake", database_name="lake", keep_data=False),
        training_bucket=TrainingBucket(stack, "Training", keep_data=False).bucket,
        function=function,
        settings={"HISTORY_DAYS": "90", "LAKE_BUCKET": cdk.Aws.STACK_NAME},
        workers=7,
    )
    sfn.StateMachine(
        stack,
        "Machine",
        definition_body=sfn.DefinitionBody.from_chainable(job.run(stack, "export: write the training data")),
        query_language=sfn.QueryLanguage.JSONATA,
    )
    return stack


def test_it_runs_the_spark_that_is_tested_with_the_settings_of_the_function(stack: cdk.Stack) -> None:
    requirements = Path(__file__).resolve().parents[2] / "requirements-spark.txt"
    assert "\npyspark==3.5." in requirements.read_text()
    Template.from_stack(stack).has_resource_properties(
        "AWS::Glue::Job",
        {
            "GlueVersion": "5.0",
            "WorkerType": "G.1X",
            "NumberOfWorkers": 7,
            "MaxRetries": 0,
            "Command": {"Name": "glueetl", "PythonVersion": "3", "ScriptLocation": Match.any_value()},
            "DefaultArguments": Match.object_like({"--settings": Match.any_value()}),
        },
    )


def test_the_state_machine_waits_for_the_job_and_reads_what_it_wrote_down(stack: cdk.Stack) -> None:
    template = Template.from_stack(stack).to_json()
    [machine] = [
        each for each in template["Resources"].values() if each["Type"] == "AWS::StepFunctions::StateMachine"
    ]
    parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
    definition = json.loads("".join(part if isinstance(part, str) else "ref" for part in parts))
    start, done = (
        definition["States"][name]
        for name in ("export: write the training data", "export: write the training data, done")
    )
    assert start["Resource"].endswith(":states:::glue:startJobRun.sync")
    assert start["Arguments"]["Arguments"] == {
        "--run-id": "{% $run.run_id %}",
        "--cutoff": "{% $string($opened.cutoff) %}",
    }
    assert "Glue.ConcurrentRunsExceededException" in start["Retry"][0]["ErrorEquals"]
    assert "States.TaskFailed" not in start["Retry"][0]["ErrorEquals"]
    assert done["Assign"] == {"exported": "{% $states.result.Payload %}"}


def test_its_packages_hold_what_the_job_imports_and_need_no_duckdb(stack: cdk.Stack) -> None:
    assembly = cdk.App.of(stack).synth()  # type: ignore[union-attr]
    folders = [
        path for path in Path(assembly.directory).glob("asset.*/") if (path / "training_data_job").is_dir()
    ]
    [packages] = folders
    assert sorted(path.name for path in packages.iterdir()) == [
        "training_data",
        "training_data_job",
        "vocabulary",
    ]
    assert reached_from(packages, "training_data_job.job").isdisjoint({"duckdb"})


def reached_from(root: Path, module: str) -> set[str]:
    """Top-level names that a module and all it imports of ours import."""
    import ast

    found: set[str] = set()
    todo, seen = [module], set[str]()
    while todo:
        name = todo.pop()
        path = root / (name.replace(".", "/") + ".py")
        if name in seen or not path.exists():
            continue
        seen.add(name)
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            found |= {each.partition(".")[0] for each in names}
            todo += names
    assert {"training_data", "vocabulary", "pyspark"} <= found
    return found


def test_it_may_write_runs_and_nothing_else_of_the_training_bucket(stack: cdk.Stack) -> None:
    policies = Template.from_stack(stack).find_resources("AWS::IAM::Policy")
    statements: list[dict[str, Any]] = [
        statement
        for name, policy in policies.items()
        if name.startswith("JobRole")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    [writing] = [each for each in statements if "s3:PutObject" in each["Action"]]
    assert writing["Resource"]["Fn::Join"][1][1] == "/runs/*"
    assert all(
        "*"
        not in json.dumps(each["Action"])
        .replace("s3:GetObject*", "")
        .replace("s3:GetBucket*", "")
        .replace("s3:List*", "")
        for each in statements
    )
