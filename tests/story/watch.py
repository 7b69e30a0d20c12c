"""The alarms of a deployment: what state they are in, and what their topics are told."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from local_cloud.alarm_control import AlarmControl
from local_cloud.connection import Connection
from local_cloud.live_api import ApiError
from tests.story.deployment import until

Act = Callable[[], object]


@dataclass(frozen=True)
class Told:
    """What arrived at a topic: an alarm's name and its new state."""

    alarm: str
    state: str


class Watch:
    """A deployment's alarms, and both its topics, which are heard.

    :param pages: ARN of the topic of pages, and `notices` of that of notices. In a cloud that others use too,
        the alarms are those that tell one of the two.
    """

    def __init__(self, connection: Connection, *, pages: str, notices: str) -> None:
        self.connection = connection
        self.control = AlarmControl(connection)
        self.cloudwatch = connection.client("cloudwatch")
        self._topics = {pages, notices}
        self.pages, self.notices = _Listener(connection, pages), _Listener(connection, notices)

    def alarms(self) -> dict[str, dict[str, Any]]:
        """Every alarm, composites too, by name."""
        pages = self.cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        found = [
            each for page in pages for kind in ("MetricAlarms", "CompositeAlarms") for each in page[kind]
        ]
        return {each["AlarmName"]: each for each in found if self._topics.intersection(each["AlarmActions"])}

    def find(self, runbook: str, colour: str | None = None, placement: str | None = None) -> dict[str, Any]:
        """The alarm of a heading of the runbook, and of a colour or placement where it has several."""
        own = [
            {"Name": name, "Value": value}
            for name, value in (("colour", colour), ("placement", placement))
            if value is not None
        ]
        (found,) = [
            alarm
            for alarm in self.alarms().values()
            if alarm["AlarmDescription"].endswith(f"#{runbook}")
            and all(each in alarm["Dimensions"] for each in own)
        ]
        return found

    def state(self, name: str) -> str:
        return str(self.alarms()[name]["StateValue"])

    def evaluate(self, times: int) -> None:
        """Wait until all alarms have been evaluated so often again."""
        seen = self.control.evaluated()
        until(lambda: self.control.evaluated() >= seen + times, "alarms are evaluated", within=120)

    def put(self, metric: dict[str, Any], value: float) -> None:
        datum = {"MetricName": metric["MetricName"], "Dimensions": metric["Dimensions"], "Value": value}
        self.cloudwatch.put_metric_data(Namespace=metric["Namespace"], MetricData=[datum])

    @contextmanager
    def again_and_again(self, act: Act, *, at_once: int = 1, pause: float = 0.1) -> Iterator[None]:
        """Do it for as long as this lasts, so often at the same time."""
        stop = threading.Event()

        def go_on() -> None:
            while not stop.wait(pause):
                with suppress(ApiError, OSError):
                    act()

        with ThreadPoolExecutor(at_once) as pool:
            running = [pool.submit(go_on) for _ in range(at_once)]
            try:
                yield
            finally:
                stop.set()
        for each in running:
            each.result()


class _Listener:
    """A queue that hears a topic."""

    def __init__(self, connection: Connection, topic: str) -> None:
        self._sqs = connection.client("sqs")
        self._url = self._sqs.create_queue(QueueName=f"hears-{uuid.uuid4().hex[:8]}")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        deliver = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [deliver]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        connection.client("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
        )

    def heard(self) -> list[Told]:
        """What alarms have told since the last time."""
        told: list[Told] = []
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                body = json.loads(message["Body"])
                if "AlarmName" in body:
                    told.append(Told(body["AlarmName"], body["NewStateValue"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return told
