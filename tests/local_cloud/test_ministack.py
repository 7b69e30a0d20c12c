"""Where MiniStack is corrected, each seen from outside."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from local_cloud.connection import Connection
from local_cloud.personalize.control_client import ControlClient
from local_cloud.personalize.faults import Fault
from local_cloud.progress import Progress
from local_cloud.retraining_progress import RetrainingFailedError, follow


def caller_with(cloud: Connection, *actions: str, resource: str = "*") -> Callable[[str], Any]:
    """Clients of a user who may do these actions and nothing else."""
    iam, name = cloud.client("iam"), f"user-{uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return lambda service: boto3.client(
        service,
        endpoint_url=cloud.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


def role_of(cloud: Connection, service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = cloud.client("iam").create_role(RoleName=f"role-{uuid4().hex[:8]}", AssumeRolePolicyDocument=trust)
    return str(role["Role"]["Arn"])


def run(cloud: Connection, state: dict[str, Any]) -> dict[str, Any]:
    """Run a state machine of this one state; answer its output."""
    definition = {"StartAt": "plan: only", "States": {"plan: only": {**state, "End": True}}}
    states = cloud.client("stepfunctions")
    machine = states.create_state_machine(
        name=f"machine-{uuid4().hex[:8]}",
        definition=json.dumps({"QueryLanguage": "JSONata", **definition}),
        roleArn=role_of(cloud, "states.amazonaws.com"),
    )
    execution = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    return follow(cloud, execution, Progress(io.StringIO()))


def test_an_alias_is_read_with_the_permission_to_read_an_alias(cloud: Connection) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("handler.py", "def handle(event, context):\n    return {}\n")
    functions = cloud.client("lambda")
    functions.create_function(
        FunctionName="aliased",
        Runtime="python3.13",
        Handler="handler.handle",
        Role=role_of(cloud, "lambda.amazonaws.com"),
        Code={"ZipFile": code.getvalue()},
    )
    version = functions.publish_version(FunctionName="aliased")["Version"]
    functions.create_alias(FunctionName="aliased", Name="live", FunctionVersion=version)

    reader = caller_with(cloud, "lambda:GetAlias")("lambda")
    assert reader.get_alias(FunctionName="aliased", Name="live")["FunctionVersion"] == version
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.list_aliases(FunctionName="aliased")
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.update_alias(FunctionName="aliased", Name="live", FunctionVersion=version)


def test_alarms_are_described_with_the_permission_for_these_alarms(cloud: Connection) -> None:
    own = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:own-*"
    reader = caller_with(cloud, "cloudwatch:DescribeAlarms", resource=own)("cloudwatch")
    assert reader.describe_alarms(AlarmNames=["own-errors"])["MetricAlarms"] == []
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.describe_alarms(AlarmNames=["others-errors"])


def test_a_bucket_that_insists_on_tls_is_open_to_those_who_may(cloud: Connection) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="insists-on-tls")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::insists-on-tls", "arn:aws:s3:::insists-on-tls/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    s3.put_bucket_policy(Bucket="insists-on-tls", Policy=policy)
    assert caller_with(cloud, "s3:ListBucket")("s3").list_objects_v2(Bucket="insists-on-tls")["KeyCount"] == 0
    with pytest.raises(ClientError, match="AccessDenied"):
        caller_with(cloud, "s3:GetObject")("s3").list_objects_v2(Bucket="insists-on-tls")


def test_a_wait_until_a_moment_lasts_until_then(cloud: Connection) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=1.5)
    run(
        cloud, {"Type": "Wait", "Timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
    )
    assert datetime.now(UTC) >= moment


def test_state_machines_spell_abbreviations_as_on_aws(cloud: Connection) -> None:
    absent = "arn:aws:personalize:us-east-1:000000000000:solution/absent/1"
    with pytest.raises(RetrainingFailedError, match=r"Personalize\.ResourceNotFoundException"):
        run(
            cloud,
            {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:personalize:createCampaign",
                "Arguments": {"Name": "any", "SolutionVersionArn": absent, "MinProvisionedTPS": 1},
            },
        )


def test_state_machines_meet_an_error_that_no_model_lists_by_its_common_class(cloud: Connection) -> None:
    throttled = Fault(operation="ListSolutions", error="ThrottlingException")
    with (
        ControlClient(cloud.endpoint).injected(throttled),
        pytest.raises(RetrainingFailedError, match=r"Personalize\.PersonalizeException: Rate exceeded"),
    ):
        run(
            cloud,
            {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:personalize:listSolutions",
                "Arguments": {},
            },
        )
