"""Personalize's metrics in the local cloud's CloudWatch: read and alarmed on as on AWS."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.alarm_control import AlarmControl
from local_cloud.connection import ACCOUNT, REGION, Connection
from vocabulary.schemas import INTERACTIONS_SCHEMA

CLICKS = {"eventType": "click", "metricName": "clicks", "expression": "SAMPLECOUNT()"}


def until(holds: Callable[[], bool], *, within: float = 30) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not within {within:.0f} s"
        time.sleep(0.05)


def settled(describe: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while (described := describe())["status"].endswith(("PENDING", "IN_PROGRESS")):
        assert time.monotonic() < deadline, described
    return described


@pytest.fixture(scope="module")
def tracker(cloud: Connection) -> Iterator[dict[str, str]]:
    """A dataset group that takes events: `datasetGroupArn`, `eventTrackerArn` and `trackingId`."""
    control = cloud.client("personalize")
    schema = control.create_schema(name="measured", schema=INTERACTIONS_SCHEMA)["schemaArn"]
    group = control.create_dataset_group(name="measured")["datasetGroupArn"]
    settled(lambda: control.describe_dataset_group(datasetGroupArn=group)["datasetGroup"])
    dataset = control.create_dataset(
        name="measured", datasetGroupArn=group, schemaArn=schema, datasetType="Interactions"
    )["datasetArn"]
    settled(lambda: control.describe_dataset(datasetArn=dataset)["dataset"])
    made = control.create_event_tracker(name="measured", datasetGroupArn=group)
    arn = made["eventTrackerArn"]
    settled(lambda: control.describe_event_tracker(eventTrackerArn=arn)["eventTracker"])
    yield {"datasetGroupArn": group, "eventTrackerArn": arn, "trackingId": made["trackingId"]}


def clicks(cloud: Connection, tracker: dict[str, str], number: int, **about: Any) -> None:
    event = {"eventType": "click", "sentAt": time.time(), "itemId": "i", **about}
    cloud.client("personalize-events").put_events(
        trackingId=tracker["trackingId"], sessionId="s", userId="u", eventList=[event] * number
    )


def total(cloud: Connection, metric: str, period: int, **dimensions: str) -> float:
    now = datetime.now(UTC)
    found = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Personalize",
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=period,
        Statistics=["Sum"],
    )
    return float(sum(each["Sum"] for each in found["Datapoints"]))


def test_events_are_counted_as_the_developer_guide_reads_them(
    cloud: Connection, tracker: dict[str, str]
) -> None:
    """Developer guide, "Monitoring Amazon Personalize with Amazon CloudWatch", its example for the CLI."""
    before = total(cloud, "PutEventsRequests", 3600, EventTrackerArn=tracker["eventTrackerArn"])
    for _ in range(3):
        clicks(cloud, tracker, 2)
    after = total(cloud, "PutEventsRequests", 3600, EventTrackerArn=tracker["eventTrackerArn"])
    assert after - before == 3


def test_an_alarm_on_errors_of_a_campaign_goes_off(cloud: Connection) -> None:
    """Developer guide, "CloudWatch metrics for Amazon Personalize": GetRecommendations4xxErrors."""
    campaign = f"arn:aws:personalize:{REGION}:{ACCOUNT}:campaign/gone"
    cloudwatch, runtime = cloud.client("cloudwatch"), cloud.client("personalize-runtime")
    control = AlarmControl(cloud)
    control.scale(0.01)
    cloudwatch.put_metric_alarm(
        AlarmName="gone",
        Namespace="AWS/Personalize",
        MetricName="GetRecommendations4xxErrors",
        Dimensions=[{"Name": "CampaignArn", "Value": campaign}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )

    def state() -> str:
        return str(cloudwatch.describe_alarms(AlarmNames=["gone"])["MetricAlarms"][0]["StateValue"])

    def rings_after_a_request() -> bool:
        with pytest.raises(runtime.exceptions.ResourceNotFoundException):
            runtime.get_recommendations(campaignArn=campaign, userId="u")
        return state() == "ALARM"

    try:
        until(lambda: state() == "OK")
        until(rings_after_a_request)
        until(lambda: state() == "OK")
    finally:
        cloudwatch.delete_alarms(AlarmNames=["gone"])
        control.scale(1)


def test_attribution_needs_a_role_that_may_put_metrics_and_counts_by_source(
    cloud: Connection, tracker: dict[str, str]
) -> None:
    """Developer guide, "Giving Amazon Personalize access to CloudWatch"."""
    iam, control = cloud.client("iam"), cloud.client("personalize")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "personalize.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    role = iam.create_role(RoleName="measured", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))[
        "Role"
    ]["Arn"]

    def attributed(name: str) -> dict[str, Any]:
        arn = control.create_metric_attribution(
            name=name,
            datasetGroupArn=tracker["datasetGroupArn"],
            metrics=[CLICKS],
            metricsOutputConfig={"roleArn": role},
        )["metricAttributionArn"]
        return settled(
            lambda: control.describe_metric_attribution(metricAttributionArn=arn)["metricAttribution"]
        )

    refused = attributed("refused")
    assert refused["status"] == "CREATE FAILED"
    arn = refused["metricAttributionArn"]
    control.delete_metric_attribution(metricAttributionArn=arn)
    with pytest.raises(ClientError):
        for _ in range(5):
            control.describe_metric_attribution(metricAttributionArn=arn)
    allowed = {"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*"}
    iam.put_role_policy(
        RoleName="measured", PolicyName="metrics", PolicyDocument=json.dumps({"Statement": [allowed]})
    )
    assert attributed("allowed")["status"] == "ACTIVE"
    clicks(cloud, tracker, 3, metricAttribution={"eventAttributionSource": "newsletter"})
    clicks(cloud, tracker, 4)
    group = tracker["datasetGroupArn"]
    counts = {
        source: total(cloud, "clicks", 900, DatasetGroupArn=group, EVENT_ATTRIBUTION_SOURCE=source)
        for source in ("newsletter", "SOURCE_NAME_UNDEFINED")
    }
    assert counts == {"newsletter": 3, "SOURCE_NAME_UNDEFINED": 4}
