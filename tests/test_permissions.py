"""Rights of every deployment, statement by statement: what is allowed, to whom, and on condition of what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Resources = list[dict[str, Any]]
Statement = dict[str, Any]

ON_EVERYTHING = {
    # Personalize's lists know no resource, PutEvents names the tracker by an id of its own (Service
    # Authorization Reference, "Amazon Personalize")
    "personalize:ListCampaigns",
    "personalize:ListDatasetGroups",
    "personalize:ListDatasets",
    "personalize:ListEventTrackers",
    "personalize:ListFilters",
    "personalize:ListMetricAttributions",
    "personalize:ListSchemas",
    "personalize:ListSolutionVersions",
    "personalize:ListSolutions",
    "personalize:PutEvents",
    "personalize:listEventTrackers",
    "personalize:listSolutionVersions",
    # Of a state machine that logs (Step Functions developer guide, "Using CloudWatch Logs to log execution
    # history") and is traced ("Trace … using AWS X-Ray")
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
    # What AppConfig asks of the alarms that take a deployment back (its user guide, "Creating an
    # environment"); it reads their state and no more
    "cloudwatch:DescribeAlarms",
}

WITHOUT_A_SOURCE = {
    # A role is handed to these by somebody of its own account, or not at all (IAM user guide, "Grant a user
    # permissions to pass a role to an AWS service")
    ("AWS::IAM::Role", "lambda.amazonaws.com"),
    ("AWS::IAM::Role", "apigateway.amazonaws.com"),
    ("AWS::IAM::Role", "appconfig.amazonaws.com"),
    ("AWS::IAM::Role", "events.amazonaws.com"),
    ("AWS::IAM::Role", "glue.amazonaws.com"),
}


def statements(resources: Resources) -> Iterator[tuple[str, Statement]]:
    """The type of each resource with a policy in it, and the policy's statements."""
    for resource in resources:
        properties = resource.get("Properties", {})
        documents = [properties.get(name) for name in ("PolicyDocument", "AssumeRolePolicyDocument")]
        documents += [policy["PolicyDocument"] for policy in properties.get("Policies", ())]
        for document in documents:
            for statement in (document or {}).get("Statement", ()):
                yield resource["Type"], statement


def several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def allowed(resources: Resources) -> Iterator[tuple[str, Statement]]:
    return ((kind, each) for kind, each in statements(resources) if each["Effect"] == "Allow")


def test_no_action_is_a_wildcard(resources: Resources) -> None:
    actions = [action for _, each in allowed(resources) for action in several(each["Action"])]
    assert len(actions) > 500
    assert [action for action in actions if "*" in action] == []


def test_everything_is_the_resource_only_of_actions_that_know_no_other(resources: Resources) -> None:
    broad = {
        action
        for _, each in allowed(resources)
        if "*" in several(each.get("Resource", []))
        for action in several(each["Action"])
    }
    assert broad == ON_EVERYTHING


def test_a_role_is_passed_to_one_service_only(resources: Resources) -> None:
    passing = [each for _, each in allowed(resources) if "iam:PassRole" in several(each["Action"])]
    assert passing
    for each in passing:
        assert isinstance(each["Condition"]["StringEquals"]["iam:PassedToService"], str)
        assert "*" not in several(each["Resource"])


def test_services_come_from_this_account(resources: Resources) -> None:
    """Where a service's name lets whoever uses it in, the account or the resource it acts for is asked."""
    without = set()
    for kind, each in allowed(resources):
        principal = each.get("Principal", {})
        asked = json.dumps(each.get("Condition", {}))
        known = ("aws:SourceAccount", "aws:SourceArn", "sts:ExternalId")
        if "Service" in principal and not any(key in asked for key in known):
            without.add((kind, principal["Service"]))
    assert without == WITHOUT_A_SOURCE


def test_functions_are_invoked_by_services_for_one_resource(resources: Resources) -> None:
    permissions = [each["Properties"] for each in resources if each["Type"] == "AWS::Lambda::Permission"]
    assert permissions
    assert [each for each in permissions if "SourceArn" not in each] == []


def test_nobody_is_allowed_anything_but_by_name(resources: Resources) -> None:
    open_to_all = [
        each
        for _, each in allowed(resources)
        if each.get("Principal") in ("*", {"AWS": "*"}) and "Condition" not in each
    ]
    assert open_to_all == []


def test_buckets_topics_and_queues_are_spoken_to_over_tls(resources: Resources) -> None:
    kinds = {"AWS::S3::Bucket": "Bucket", "AWS::SNS::Topic": "Topics", "AWS::SQS::Queue": "Queues"}
    policies = {
        "Bucket": "AWS::S3::BucketPolicy",
        "Topics": "AWS::SNS::TopicPolicy",
        "Queues": "AWS::SQS::QueuePolicy",
    }
    for kind, named in kinds.items():
        there = sum(each["Type"] == kind for each in resources)
        denying = [
            each
            for each in resources
            if each["Type"] == policies[named]
            for statement in each["Properties"]["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny"
            and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        ]
        assert len(denying) == there > 0, kind


def test_what_holds_data_is_encrypted_and_private(resources: Resources) -> None:
    for each in resources:
        properties = each.get("Properties", {})
        match each["Type"]:
            case "AWS::S3::Bucket":
                assert properties["BucketEncryption"]
                assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
            case "AWS::Kinesis::Stream":
                assert properties["StreamEncryption"]["EncryptionType"] == "KMS"
            case "AWS::SQS::Queue":
                assert properties["SqsManagedSseEnabled"] is True
