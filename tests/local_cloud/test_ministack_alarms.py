"""Alarms in the local cloud: fed by log lines and services, exact in their dimensions, told to a topic."""

from __future__ import annotations

import io
import json
import sys
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from local_cloud.alarm_control import AlarmControl
from local_cloud.connection import Connection

# Says what CloudWatch makes metrics of, in the colour of the event; fails where that says so
FUNCTION = """
import json, time

def handle(event, context):
    print(json.dumps({
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [
            {"Namespace": event["namespace"], "Dimensions": [["colour"]], "Metrics": [{"Name": "Faults"}]}]},
        "colour": event["colour"], "Faults": event["faults"]}))
    if event.get("fail"):
        raise ValueError("as asked")
"""


def until(holds: Callable[[], bool], *, within: float = 30) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not within {within:.0f} s"
        time.sleep(0.05)


class Watched:
    """A function, and alarms that tell a queue."""

    def __init__(self, cloud: Connection, cleanup: ExitStack) -> None:
        self.name = f"watched-{uuid.uuid4().hex[:8]}"
        self.cloudwatch, self.lambda_ = cloud.client("cloudwatch"), cloud.client("lambda")
        self._cleanup = cleanup
        iam, sns, self.sqs = cloud.client("iam"), cloud.client("sns"), cloud.client("sqs")
        self.control = AlarmControl(cloud)
        self.control.scale(0.01)
        cleanup.callback(self.control.scale, 1)
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        role = iam.create_role(
            RoleName=self.name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
        )["Role"]["Arn"]
        cleanup.callback(iam.delete_role, RoleName=self.name)
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("function.py", FUNCTION)
        self.lambda_.create_function(
            FunctionName=self.name,
            Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
            Role=role,
            Handler="function.handle",
            Code={"ZipFile": code.getvalue()},
        )
        cleanup.callback(self.lambda_.delete_function, FunctionName=self.name)
        self.topic = sns.create_topic(Name=self.name)["TopicArn"]
        self.queue = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        cleanup.callback(self.sqs.delete_queue, QueueUrl=self.queue)
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]
        deliver = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn["QueueArn"],
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [deliver]})
        self.sqs.set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": policy})
        sns.subscribe(
            TopicArn=self.topic,
            Protocol="sqs",
            Endpoint=arn["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )

    def alarm(self, what: str, **settings: Any) -> str:
        name = f"{self.name}-{what}"
        self.cloudwatch.put_metric_alarm(
            AlarmName=name,
            **{
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 0,
                "ComparisonOperator": "GreaterThanThreshold",
                "TreatMissingData": "notBreaching",
                "AlarmActions": [self.topic],
                "OKActions": [self.topic],
                **settings,
            },
        )
        self._cleanup.callback(self.cloudwatch.delete_alarms, AlarmNames=[name])
        return name

    def invoke(self, colour: str, *, faults: int, fail: bool = False) -> None:
        event = {"namespace": self.name, "colour": colour, "faults": faults, "fail": fail}
        self.lambda_.invoke(FunctionName=self.name, Payload=json.dumps(event).encode())

    def state(self, name: str) -> str:
        kinds = ["MetricAlarm", "CompositeAlarm"]
        found = self.cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=kinds)
        return str((found["MetricAlarms"] + found["CompositeAlarms"])[0]["StateValue"])

    def told(self) -> list[tuple[str, str]]:
        found = []
        while messages := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                body = json.loads(message["Body"])
                found.append((body["AlarmName"].removeprefix(f"{self.name}-"), body["NewStateValue"]))
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return found

    def evaluate(self, times: int) -> None:
        seen = self.control.evaluated()
        until(lambda: self.control.evaluated() >= seen + times)


@pytest.fixture
def watched(cloud: Connection) -> Iterator[Watched]:
    with ExitStack() as cleanup:
        yield Watched(cloud, cleanup)


def test_a_log_line_sets_off_the_alarm_of_its_own_colour_only(watched: Watched) -> None:
    common = {"Namespace": watched.name, "MetricName": "Faults"}
    maize, blue, all_of_them = (
        watched.alarm(name, **common, Dimensions=dimensions)
        for name, dimensions in (
            ("maize", [{"Name": "colour", "Value": "maize"}]),
            ("blue", [{"Name": "colour", "Value": "blue"}]),
            ("all", []),
        )
    )
    until(lambda: watched.state(maize) == "OK")
    watched.invoke("blue", faults=0)
    watched.invoke("maize", faults=2)
    until(lambda: ("maize", "ALARM") in watched.told())
    until(lambda: watched.state(maize) == "OK")
    assert (watched.state(blue), watched.state(all_of_them)) == ("OK", "OK")
    assert set(watched.told()) <= {("maize", "OK")}
    history = watched.cloudwatch.describe_alarm_history(AlarmName=blue)["AlarmHistoryItems"]
    assert "ALARM" not in json.dumps([item["HistorySummary"] for item in history])


def test_two_of_three_minutes_have_to_breach_and_one_does_not_do(watched: Watched) -> None:
    alarm = watched.alarm(
        "errors",
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": watched.name}],
        EvaluationPeriods=3,
        DatapointsToAlarm=2,
    )
    until(lambda: watched.state(alarm) == "OK")
    watched.invoke("maize", faults=0, fail=True)
    watched.evaluate(6)
    assert watched.told().count(("errors", "ALARM")) == 0
    for _ in range(40):
        watched.invoke("maize", faults=0, fail=True)
        if watched.state(alarm) == "ALARM":
            break
    assert watched.state(alarm) == "ALARM"


def test_alarms_that_ring_together_page_once(watched: Watched) -> None:
    names = [
        watched.alarm(
            name,
            Namespace=watched.name,
            MetricName="Faults",
            Dimensions=[{"Name": "colour", "Value": "maize"}],
            Threshold=threshold,
            AlarmActions=[],
            OKActions=[],
        )
        for name, threshold in (("one", 0), ("other", 1))
    ]
    until(lambda: all(watched.state(name) == "OK" for name in names))
    fault = f"{watched.name}-fault"
    watched.cloudwatch.put_composite_alarm(
        AlarmName=fault,
        AlarmRule=" OR ".join(f'ALARM("{name}")' for name in names),
        AlarmActions=[watched.topic],
        OKActions=[watched.topic],
    )
    watched.told()
    watched.invoke("maize", faults=5)
    until(lambda: watched.state(fault) == "ALARM")
    until(lambda: watched.state(fault) == "OK")
    try:
        assert watched.told() == [("fault", "ALARM"), ("fault", "OK")]
    finally:
        watched.cloudwatch.delete_alarms(AlarmNames=[fault])


def test_a_suppressed_fault_pages_only_when_it_outlasts_the_worse_one(watched: Watched) -> None:
    def alarm(name: str) -> str:
        dimensions = [{"Name": "colour", "Value": name}]
        named = {"Namespace": watched.name, "MetricName": "Faults", "Dimensions": dimensions}
        return watched.alarm(name, **named, AlarmActions=[], OKActions=[])

    worse, one = alarm("worse"), alarm("one")
    until(lambda: watched.state(worse) == watched.state(one) == "OK")
    fault = f"{watched.name}-fault"
    watched.cloudwatch.put_composite_alarm(
        AlarmName=fault,
        AlarmRule=f'ALARM("{one}")',
        AlarmActions=[watched.topic],
        OKActions=[watched.topic],
        ActionsSuppressor=worse,
        ActionsSuppressorWaitPeriod=60,
        ActionsSuppressorExtensionPeriod=120,
    )
    watched.told()

    def set_off(*colours: str) -> None:
        for colour in colours:
            watched.invoke(colour, faults=1)

    def both() -> bool:
        set_off("worse", "one")
        return watched.state(worse) == watched.state(fault) == "ALARM"

    def is_paged() -> bool:
        set_off("one")
        return watched.told() == [("fault", "ALARM")]

    try:
        until(both)
        for _ in range(5):
            watched.evaluate(1)
            set_off("worse", "one")
        assert watched.told() == []
        until(is_paged)
    finally:
        watched.cloudwatch.delete_alarms(AlarmNames=[fault])
