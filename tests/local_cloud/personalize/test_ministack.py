"""Personalize inside MiniStack: reached by boto3 and Step Functions, and held to IAM."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import boto3
import pytest

from local_cloud.connection import ACCOUNT, REGION, Connection
from local_cloud.personalize.control_client import ControlClient, ControlError
from local_cloud.personalize.faults import Fault
from local_cloud.personalize.region import AccessRefused
from local_cloud.personalize.storage import S3Storage
from tests.local_cloud.personalize.harness import error_of, interactions_csv
from vocabulary.schemas import INTERACTIONS_SCHEMA

ANYTHING = f"arn:aws:personalize:{REGION}:{ACCOUNT}:"


def as_role(cloud: Connection, name: str, *allowed: tuple[str, str], service: str = "personalize") -> Any:
    """A client with the rights of a role that may do just this: pairs of action and resource."""
    iam = cloud.client("iam")
    trust = statement("sts:AssumeRole", None, Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy([trust]))["Role"]["Arn"]
    if allowed:
        document = policy([statement(action, resource) for action, resource in allowed])
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
    session = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return boto3.client(
        service,
        endpoint_url=cloud.endpoint,
        region_name=REGION,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )


def statement(action: str | Sequence[str], resource: object, **more: Any) -> dict[str, Any]:
    on = {} if resource is None else {"Resource": resource}
    return {"Effect": "Allow", "Action": action, **on, **more}


def policy(statements: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def test_a_role_without_the_right_is_refused_by_the_name_of_the_action(cloud: Connection) -> None:
    client = as_role(cloud, "no-schemas", ("personalize:ListSchemas", "*"))
    client.list_schemas()
    error = error_of(lambda: client.create_schema(name="s", schema=INTERACTIONS_SCHEMA))
    assert error["Code"] == "AccessDeniedException"
    assert "not authorized to perform: personalize:CreateSchema" in error["Message"]


def test_a_right_ends_at_the_names_that_it_gives(cloud: Connection) -> None:
    client = as_role(cloud, "own-schemas", ("personalize:*Schema", f"{ANYTHING}schema/own-*"))
    arn = client.create_schema(name="own-one", schema=INTERACTIONS_SCHEMA)["schemaArn"]
    client.delete_schema(schemaArn=arn)
    error = error_of(lambda: client.create_schema(name="foreign", schema=INTERACTIONS_SCHEMA))
    assert error["Code"] == "AccessDeniedException"
    other = error_of(lambda: client.describe_schema(schemaArn=f"{ANYTHING}schema/foreign"))
    assert other["Code"] == "AccessDeniedException"


def test_put_events_must_be_allowed_on_every_resource(cloud: Connection) -> None:
    """API reference, "PutEvents", note: the wildcard in the Resource element."""
    event = {
        "trackingId": "unheard-of",
        "sessionId": "s",
        "eventList": [{"eventType": "view", "sentAt": 1}],
    }
    narrow = as_role(
        cloud, "narrow", ("personalize:PutEvents", f"{ANYTHING}event-tracker/*"), service="personalize-events"
    )
    wide = as_role(cloud, "wide", ("personalize:PutEvents", "*"), service="personalize-events")
    assert error_of(lambda: narrow.put_events(**event))["Code"] == "AccessDeniedException"
    assert error_of(lambda: wide.put_events(**event))["Code"] == "InvalidInputException"


def test_recommendations_are_allowed_by_campaign(cloud: Connection) -> None:
    client = as_role(
        cloud,
        "reader",
        ("personalize:GetRecommendations", f"{ANYTHING}campaign/own"),
        service="personalize-runtime",
    )

    def code(campaign: str) -> str:
        arn = f"{ANYTHING}campaign/{campaign}"
        return error_of(lambda: client.get_recommendations(campaignArn=arn, userId="u"))["Code"]

    codes = [code("own"), code("foreign")]
    assert codes == ["ResourceNotFoundException", "AccessDeniedException"]


@pytest.fixture(scope="module")
def dataset(cloud: Connection) -> Iterator[str]:
    control = cloud.client("personalize")
    schema = control.create_schema(name="ministack", schema=INTERACTIONS_SCHEMA)["schemaArn"]
    group = control.create_dataset_group(name="ministack")["datasetGroupArn"]
    settled(lambda: control.describe_dataset_group(datasetGroupArn=group)["datasetGroup"])
    arn = control.create_dataset(
        name="i", datasetGroupArn=group, schemaArn=schema, datasetType="Interactions"
    )["datasetArn"]
    settled(lambda: control.describe_dataset(datasetArn=arn)["dataset"])
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="training")
    s3.put_object(Bucket="training", Key="runs/1/interactions.csv", Body=interactions_csv().encode())
    yield arn


def settled(describe: Any) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while (described := describe())["status"].endswith(("PENDING", "IN_PROGRESS")):
        assert time.monotonic() < deadline, described
    return dict(described)


READ = [
    statement("s3:GetObject", "arn:aws:s3:::training/*"),
    statement("s3:ListBucket", "arn:aws:s3:::training"),
]
OURS = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
PERSONALIZE = {"Principal": {"Service": "personalize.amazonaws.com"}, "Condition": OURS}
TRUST = statement("sts:AssumeRole", None, **PERSONALIZE)
LAMBDA = statement("sts:AssumeRole", None, Principal={"Service": "lambda.amazonaws.com"})
FOREIGN = {"Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}}
REFUSED = ("CREATE FAILED", "Insufficient privileges for accessing data in Amazon S3.")


@pytest.mark.parametrize(
    ("name", "trust", "role", "bucket", "expected"),
    [
        ("all", TRUST, READ, READ, ("ACTIVE", None)),
        ("bucket-says-nothing", TRUST, READ, [], REFUSED),
        ("bucket-forbids-reading", TRUST, READ, READ[1:], REFUSED),
        ("bucket-forbids-listing", TRUST, READ, READ[:1], REFUSED),
        ("bucket-means-others", TRUST, READ, [s | FOREIGN for s in READ], REFUSED),
        ("role-forbids-reading", TRUST, READ[1:], READ, REFUSED),
        ("role-forbids-listing", TRUST, READ[:1], READ, REFUSED),
        ("role-trusts-others", LAMBDA, READ, READ, REFUSED),
        ("role-trusts-another-account", TRUST | FOREIGN, READ, READ, REFUSED),
    ],
)
def test_an_import_needs_the_role_and_the_bucket_to_let_personalize_read(
    cloud: Connection,
    dataset: str,
    name: str,
    trust: dict[str, Any],
    role: list[dict[str, Any]],
    bucket: list[dict[str, Any]],
    expected: tuple[str, str | None],
) -> None:
    """Developer guide, "Giving Amazon Personalize access to Amazon S3 resources"."""
    iam, s3, control = cloud.client("iam"), cloud.client("s3"), cloud.client("personalize")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy([trust]))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=policy(role))
    s3.delete_bucket_policy(Bucket="training")
    if bucket:
        s3.put_bucket_policy(Bucket="training", Policy=policy([PERSONALIZE | s for s in bucket]))
    job = control.create_dataset_import_job(
        jobName=name,
        datasetArn=dataset,
        dataSource={"dataLocation": "s3://training/runs/1/"},
        roleArn=arn,
    )["datasetImportJobArn"]
    described = settled(
        lambda: control.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"]
    )
    assert (described["status"], described.get("failureReason")) == expected


def test_who_names_a_role_must_be_allowed_to_pass_it(cloud: Connection, dataset: str) -> None:
    """IAM user guide, "Granting a user permissions to pass a role to an AWS service"."""
    role = f"arn:aws:iam::{ACCOUNT}:role/all"
    import_job = {
        "jobName": "passing",
        "datasetArn": dataset,
        "dataSource": {"dataLocation": "s3://training/runs/1/"},
        "roleArn": role,
    }
    client = as_role(cloud, "cannot-pass", ("personalize:*", "*"))
    error = error_of(lambda: client.create_dataset_import_job(**import_job))
    assert error["Code"] == "AccessDeniedException"
    assert f"iam:PassRole on resource: {role}" in error["Message"]
    client = as_role(cloud, "can-pass", ("personalize:*", "*"), ("iam:PassRole", role))
    client.create_dataset_import_job(**import_job)


def test_step_functions_creates_waits_and_catches(cloud: Connection) -> None:
    """By the SDK integration, with its names and its errors."""
    sdk = "arn:aws:states:::aws-sdk:personalize:"
    definition = {
        "StartAt": "Create",
        "States": {
            "Create": {
                "Type": "Task",
                "Resource": f"{sdk}createDatasetGroup",
                "Parameters": {"Name": "by-states", "Tags": [{"TagKey": "k", "TagValue": "v"}]},
                "ResultPath": "$.made",
                "Next": "Describe",
            },
            "Describe": {
                "Type": "Task",
                "Resource": f"{sdk}describeDatasetGroup",
                "Parameters": {"DatasetGroupArn.$": "$.made.DatasetGroupArn"},
                "ResultPath": "$.described",
                "Next": "IsActive",
            },
            "IsActive": {
                "Type": "Choice",
                "Choices": [
                    {
                        "Variable": "$.described.DatasetGroup.Status",
                        "StringEquals": "ACTIVE",
                        "Next": "CreateAgain",
                    }
                ],
                "Default": "Wait",
            },
            "Wait": {"Type": "Wait", "Seconds": 1, "Next": "Describe"},
            "CreateAgain": {
                "Type": "Task",
                "Resource": f"{sdk}createDatasetGroup",
                "Parameters": {"Name": "by-states"},
                "Catch": [{"ErrorEquals": ["Personalize.ResourceAlreadyExistsException"], "Next": "Missing"}],
                "Next": "Wrong",
            },
            "Missing": {
                "Type": "Task",
                "Resource": f"{sdk}describeCampaign",
                "Parameters": {"CampaignArn": f"{ANYTHING}campaign/none"},
                "Catch": [{"ErrorEquals": ["Personalize.ResourceNotFoundException"], "Next": "Told"}],
                "Next": "Wrong",
            },
            "Told": {"Type": "Pass", "End": True},
            "Wrong": {"Type": "Fail"},
        },
    }
    trust = statement("sts:AssumeRole", None, Principal={"Service": "states.amazonaws.com"})
    role = cloud.client("iam").create_role(RoleName="states", AssumeRolePolicyDocument=policy([trust]))
    states = cloud.client("stepfunctions")
    machine = states.create_state_machine(
        name="personalize", definition=json.dumps(definition), roleArn=role["Role"]["Arn"]
    )["stateMachineArn"]
    run = states.start_execution(stateMachineArn=machine)["executionArn"]
    deadline = time.monotonic() + 30
    while (described := states.describe_execution(executionArn=run))["status"] == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert described["status"] == "SUCCEEDED", described
    assert json.loads(described["output"])["Error"] == "Personalize.ResourceNotFoundException"


def test_an_export_needs_the_role_and_the_bucket_to_let_personalize_write(
    cloud: Connection, dataset: str
) -> None:
    """Developer guide, "Giving Amazon Personalize access to Amazon S3 resources"."""
    iam, s3, control = cloud.client("iam"), cloud.client("s3"), cloud.client("personalize")
    write = [statement("s3:PutObject", "arn:aws:s3:::training/*")]
    arn = iam.create_role(RoleName="exporter", AssumeRolePolicyDocument=policy([TRUST]))["Role"]["Arn"]

    def exported(job: str) -> dict[str, Any]:
        job_arn = control.create_dataset_export_job(
            jobName=job,
            datasetArn=dataset,
            roleArn=arn,
            jobOutput={"s3DataDestination": {"path": "s3://training/exports/"}},
        )["datasetExportJobArn"]
        return settled(
            lambda: control.describe_dataset_export_job(datasetExportJobArn=job_arn)["datasetExportJob"]
        )

    s3.put_bucket_policy(Bucket="training", Policy=policy([PERSONALIZE | s for s in write]))
    refused = exported("without-a-role-policy")
    assert (refused["status"], refused["failureReason"]) == REFUSED
    iam.put_role_policy(RoleName="exporter", PolicyName="write", PolicyDocument=policy(write))
    assert exported("with-both")["status"] == "ACTIVE"
    written = s3.get_object(Bucket="training", Key="exports/with-both.csv")["Body"].read().decode()
    assert written.splitlines() == ["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE"]
    s3.delete_bucket_policy(Bucket="training")
    assert exported("without-a-bucket-policy")["status"] == "CREATE FAILED"


def test_the_whole_cloud_has_the_control_api_too(cloud: Connection) -> None:
    control, personalize = ControlClient(cloud.endpoint), cloud.client("personalize")
    fault = Fault(operation="DescribeRecipe", error="ServiceUnavailableException", count=1)
    with control.injected(fault) as injected:
        # boto3 tries again, and gets through
        personalize.describe_recipe(recipeArn="arn:aws:personalize:::recipe/aws-sims")
        assert control.struck(injected) == 1
    assert control.faults() == []
    assert control.clock()["time"] == "none"
    with pytest.raises(ControlError, match="CloudWatch of this cloud"):
        control.metrics()


def test_personalize_alone_reads_from_an_s3_endpoint(
    cloud: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `--s3 URL` has it; MiniStack is the endpoint."""
    for name, value in cloud.environ({}).items():
        monkeypatch.setenv(name, value)
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="alone")
    for key, size in (("in/a.csv", 1_000_000), ("in/b.csv", 1), ("in/deeper/c.csv", 1)):
        s3.put_object(Bucket="alone", Key=key, Body=b"x" * size)

    def read(key: str, **options: bool) -> list[tuple[str, int]]:
        found = S3Storage(cloud.endpoint).read(f"s3://alone/{key}", role_arn="", job_arn="", **options)
        return [(name, len(content.read())) for name, content in found]

    assert read("in/") == [("in/a.csv", 1_000_000), ("in/b.csv", 1)]
    assert read("in/", recursive=True)[2:] == [("in/deeper/c.csv", 1)]
    assert read("in/b.csv") == [("in/b.csv", 1)]
    assert read("in/none.csv") == []
    with pytest.raises(AccessRefused):
        list(S3Storage(cloud.endpoint).read("s3://no-such-bucket/", role_arn="", job_arn=""))
