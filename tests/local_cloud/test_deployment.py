from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from local_cloud.connection import Connection
from local_cloud.deployed import failures_of, output, outputs_of
from local_cloud.deployment import CDK, Deployment, DeploymentError, StackProgress, progress_in
from local_cloud.node import find_node

APP = """
import aws_cdk as cdk
from aws_cdk import aws_ssm as ssm

app = cdk.App()
environment = app.node.try_get_context("environment")
synthesizer = cdk.CliCredentialsStackSynthesizer()
first = cdk.Stack(app, "scratch-first", synthesizer=synthesizer)
parameter = ssm.StringParameter(first, "Parameter", string_value=environment)
cdk.CfnOutput(first, "ParameterName", value=parameter.parameter_name)
if environment == "broken":
    cdk.CustomResource(first, "Broken", service_token="arn:aws:lambda:us-east-1:000000000000:function:absent")
app.synth()
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "cdk.json").write_text('{"app": "python3 app.py", "versionReporting": false}')
    return tmp_path


def test_deploys_and_destroys_with_the_real_command_line(cloud: Connection, app: Path) -> None:
    seen: list[StackProgress] = []
    deployment = Deployment(cloud, root=app, state=app / "state")
    deployment.bootstrap()
    deployment.deploy(watch=seen.append)
    assert seen[-1] == StackProgress("scratch-first", done=1, total=1, finished=True)
    name = deployment.outputs()["scratch-first"]["ParameterName"]
    assert cloud.client("ssm").get_parameter(Name=name)["Parameter"]["Value"] == "local"

    deployment.destroy()
    assert "scratch-first" not in deployment.outputs()


def test_the_command_line_looks_at_stacks_more_often_than_it_does_on_aws() -> None:
    looks = Path("local_cloud/look_often.cjs").resolve()
    # Told by the order rather than by a clock
    order = "for (const wait of [5000, 2000, 1000]) setTimeout(() => console.log(wait), wait)"
    node = [str(find_node(os.environ)), "--require", str(looks), "--eval", order]
    seen = subprocess.run(node, capture_output=True, text=True, timeout=60, check=True).stdout
    assert seen.split() == ["5000", "2000", "1000"]
    source = (CDK.parent.parent / "lib" / "index.js").read_text()
    assert "async function waitFor(valueProvider, timeout = 5e3)" in source
    assert "pollingInterval = 2e3" in source


def test_a_failed_deployment_names_the_resource_and_the_reason(cloud: Connection, app: Path) -> None:
    deployment = Deployment(cloud, root=app, state=app / "state", environment="broken")
    deployment.bootstrap()
    with pytest.raises(DeploymentError) as failed:
        deployment.deploy()
    first, why, *rest = str(failed.value).splitlines()
    assert first == "`cdk deploy` failed"
    assert why.startswith("scratch-first: Broken (AWS::CloudFormation::CustomResource): ")
    assert "absent" in why
    assert rest[0].endswith("cdk.log:")


def test_an_app_that_does_not_synthesise_is_told_in_its_own_words(cloud: Connection, app: Path) -> None:
    (app / "app.py").write_text("raise SystemExit('nightly_at is (25, 0), allowed: an hour of 0-23')")
    with pytest.raises(DeploymentError, match=r"nightly_at is \(25, 0\), allowed: an hour of 0-23"):
        Deployment(cloud, root=app, state=app / "state").deploy()


def test_reads_how_far_a_stack_is() -> None:
    line = "colorway-local-data |  7/16 | 9:17:47 PM | CREATE_COMPLETE | AWS::S3::BucketPolicy | Lake/Policy"
    so_far = progress_in(line, {})
    assert so_far == StackProgress("colorway-local-data", done=7, total=15)
    finished = progress_in(" ✅  colorway-local-data\n", {"colorway-local-data": so_far})
    assert finished == StackProgress("colorway-local-data", done=7, total=15, finished=True)
    unchanged = progress_in(" ✅  colorway-local-data (no changes)\n", {})
    assert unchanged == StackProgress("colorway-local-data", done=0, total=0, finished=True)
    assert progress_in(" ✅  Environment aws://000000000000/us-east-1 bootstrapped.\n", {}) is None


def test_outputs_are_those_of_the_apps_own_stacks() -> None:
    stacks = [
        {
            "StackName": "CDKToolkit",
            "StackStatus": "CREATE_COMPLETE",
            "Outputs": [{"OutputKey": "B", "OutputValue": "b"}],
        },
        {
            "StackName": "app-data",
            "StackStatus": "CREATE_COMPLETE",
            "Outputs": [{"OutputKey": "A", "OutputValue": "a"}],
        },
        {"StackName": "app-empty", "StackStatus": "UPDATE_COMPLETE"},
        {"StackName": "app-gone", "StackStatus": "DELETE_COMPLETE"},
    ]
    assert outputs_of(stacks) == {"app-data": {"A": "a"}, "app-empty": {}}


def test_an_output_that_nothing_has_is_named_with_what_is_deployed(cloud: Connection) -> None:
    with pytest.raises(Exception, match="no stack has an output RetrainingArn; deployed: "):
        output(cloud, "RetrainingArn")


def test_only_what_failed_by_itself_in_the_last_operation_counts() -> None:
    def event(logical_id: str, status: str, reason: str = "") -> dict[str, str]:
        return {
            "StackName": "app",
            "LogicalResourceId": logical_id,
            "ResourceType": "AWS::Any::Thing",
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
        }

    newest_first = [
        event("app", "UPDATE_ROLLBACK_COMPLETE"),
        event("Second", "CREATE_FAILED", "Resource creation cancelled"),
        event("First", "CREATE_FAILED", "AccessDenied: personalize:CreateSchema"),
        event("app", "UPDATE_IN_PROGRESS", "User Initiated"),
        event("Older", "CREATE_FAILED", "what failed last week"),
    ]
    assert [(each.logical_id, each.reason) for each in failures_of(newest_first)] == [
        ("First", "AccessDenied: personalize:CreateSchema")
    ]
