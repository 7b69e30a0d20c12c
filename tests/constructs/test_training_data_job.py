from __future__ import annotations

import json
import uuid
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
from local_cloud.connection import Connection
from tests.story.deployment import until


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


def states_of(stack: cdk.Stack) -> dict[str, Any]:
    template = Template.from_stack(stack).to_json()
    [machine] = [
        each for each in template["Resources"].values() if each["Type"] == "AWS::StepFunctions::StateMachine"
    ]
    parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
    states: dict[str, Any] = json.loads("".join(part if isinstance(part, str) else "ref" for part in parts))[
        "States"
    ]
    return states


def test_the_state_machine_waits_for_the_job_and_reads_what_it_wrote_down(stack: cdk.Stack) -> None:
    states = states_of(stack)
    start, done = (
        states[name] for name in ("export: write the training data", "export: write the training data, done")
    )
    assert start["Resource"].endswith(":states:::glue:startJobRun.sync")
    assert start["Arguments"]["Arguments"] == {
        "--run-id": "{% $run.run_id %}",
        "--cutoff": "{% $string($opened.cutoff) %}",
    }
    assert "Glue.ConcurrentRunsExceededException" in start["Retry"][0]["ErrorEquals"]
    assert "States.TaskFailed" not in start["Retry"][0]["ErrorEquals"]
    assert done["Assign"] == {"exported": "{% $states.result.Payload %}"}


JOB_RUN = {
    "Id": "jr_1",
    "JobName": "Job",
    "JobRunState": "FAILED",
    "ErrorMessage": "LakeUnreadable: 2 of 12 files of the lake cannot be read",
    "LogGroupName": "/aws-glue/jobs",
}


@pytest.mark.parametrize(
    ("error", "cause", "says"),
    [
        (
            "States.TaskFailed",
            json.dumps(JOB_RUN),
            "LakeUnreadable: 2 of 12 files of the lake cannot be read (Glue job Job, run jr_1: FAILED; "
            "its log is the stream jr_1 of /aws-glue/jobs/error)",
        ),
        (
            "States.TaskFailed",
            json.dumps({"Id": "jr_1", "JobName": "Job", "JobRunState": "TIMEOUT"}),
            "no message (Glue job Job, run jr_1: TIMEOUT; "
            "its log is the stream jr_1 of /aws-glue/jobs/error)",
        ),
        ("Glue.EntityNotFoundException", "no such job", "Glue.EntityNotFoundException: no such job"),
    ],
    ids=["failed", "timed out", "not started"],
)
def test_a_job_that_failed_ends_the_run_with_words_rather_than_its_json(
    stack: cdk.Stack, cloud: Connection, error: str, cause: str, says: str
) -> None:
    states = states_of(stack)
    [caught] = states["export: write the training data"]["Catch"]
    assert caught["ErrorEquals"] == ["States.TaskFailed"]
    machines, name = cloud.client("stepfunctions"), f"job-failed-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = cloud.client("iam").create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": caught["Next"],
        "States": {caught["Next"]: states[caught["Next"]]},
    }
    machine = machines.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)[
        "stateMachineArn"
    ]
    execution = machines.start_execution(
        stateMachineArn=machine, input=json.dumps({"Error": error, "Cause": cause})
    )["executionArn"]
    until(lambda: machines.describe_execution(executionArn=execution)["status"] != "RUNNING", "the run ends")
    ended = machines.describe_execution(executionArn=execution)
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "TrainingDataJobFailed", says)


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
    assert not [each for each in statements if "*" in json.dumps(each["Action"])]
