"""Colorway deployed under watch: what its alarms say and whom they tell, and how to set them off."""

from __future__ import annotations

import io
import json
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from urllib.request import urlopen

from local_cloud.alarm_control import AlarmControl
from local_cloud.connection import Connection
from local_cloud.live_api import ApiError, LiveApi
from tests.story.deployment import Story, until
from vocabulary.colours import Colour
from vocabulary.coordination import TABLE_KEY, OpenColour

Act = Callable[[], object]

_SLOW = b"""
import time


def handle(event, context):
    time.sleep(2.7)
    return {'statusCode': 200, 'body': '{}'}
"""
HOUR_MS: Final = 3_600_000


@dataclass(frozen=True)
class Told:
    """What arrived at a topic: an alarm's name and its new state."""

    alarm: str
    state: str


class Watched:
    """A deployment whose notices and pages are heard.

    One setting of LOCAL is another: a placement with two provisioned TPS, without which no alarm watches
    that they are used.
    """

    def __init__(self, folder: Path) -> None:
        self.story = Story(folder)
        settings = self.story.root / "stacks" / "environment.py"
        local = 'name="local",\n    account="000000000000",\n    region="us-east-1",\n'
        plain = 'placements=(Placement(name="recommended-for-you"), SIMILAR_ITEMS, POPULAR),'
        costly = plain.replace('you")', 'you", min_provisioned_tps=2)')
        text = settings.read_text()
        assert f"{local}    {plain}" in text
        settings.write_text(text.replace(f"{local}    {plain}", f"{local}    {costly}"))

    def __enter__(self) -> Self:
        self.story.__enter__()
        connection = self.connection
        self.control = AlarmControl(connection)
        self.cloudwatch = connection.client("cloudwatch")
        self.lambda_ = connection.client("lambda")
        self.pages = _Listener(connection, self.story.output("OnCallTopicArn"))
        self.notices = _Listener(connection, self.story.output("NoticesTopicArn"))
        return self

    def __exit__(self, *_: object) -> None:
        self.story.__exit__()

    @property
    def connection(self) -> Connection:
        return self.story.connection

    def alarms(self) -> dict[str, dict[str, Any]]:
        """Every alarm, composites too, by name."""
        pages = self.cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        found = [
            each for page in pages for kind in ("MetricAlarms", "CompositeAlarms") for each in page[kind]
        ]
        return {each["AlarmName"]: each for each in found}

    def find(self, runbook: str, colour: str | None = None) -> dict[str, Any]:
        """The alarm of a heading of the runbook."""
        (found,) = [
            alarm
            for alarm in self.alarms().values()
            if alarm["AlarmDescription"].endswith(f"#{runbook}")
            and (colour is None or {"Name": "colour", "Value": colour} in alarm["Dimensions"])
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

    def ask(self) -> object:
        return LiveApi.of(self.connection).recommendations("u1", placement="recommended-for-you")

    def send(self) -> object:
        return LiveApi.of(self.connection).send("u1", [{"event_type": "view", "item_id": "i1"}])

    def subscription(self) -> dict[str, Any]:
        """The filter that takes exposures from the serving function's log."""
        name = self.story.output("ServingFunctionName")
        group = self.lambda_.get_function_configuration(FunctionName=name)["LoggingConfig"]["LogGroup"]
        logs = self.connection.client("logs")
        (found,) = logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
        return dict(found)

    def expose(self, **fields: Any) -> None:
        """Write a line as the serving function does of a request that is measured."""
        logs, group = self.connection.client("logs"), self.subscription()["logGroupName"]
        stream = f"trial-{uuid.uuid4()}"
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        line = json.dumps({"unit_id": "0" * 32, **fields})
        event = {"timestamp": int(time.time() * 1000), "message": line}
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])

    def function(self, variable: str) -> str:
        """Name of the function that has a variable of that name."""
        (name,) = [
            each["FunctionName"]
            for page in self.lambda_.get_paginator("list_functions").paginate()
            for each in page["Functions"]
            if variable in each.get("Environment", {}).get("Variables", {})
        ]
        return str(name)

    @contextmanager
    def serving(self, *, variables: dict[str, str] | None = None, **configuration: Any) -> Iterator[None]:
        """The serving function is deployed like this, for as long as this lasts."""
        name = self.story.output("ServingFunctionName")
        live = self.lambda_.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
        before = self.lambda_.get_function_configuration(FunctionName=name)
        own = before["Environment"]["Variables"]
        self.lambda_.update_function_configuration(
            FunctionName=name, Environment={"Variables": {**own, **(variables or {})}}, **configuration
        )
        version = self.lambda_.publish_version(FunctionName=name)["Version"]
        self.lambda_.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
        try:
            yield
        finally:
            self.lambda_.update_alias(FunctionName=name, Name="live", FunctionVersion=live)
            self.lambda_.update_function_configuration(
                FunctionName=name, Environment={"Variables": own}, Handler=before["Handler"]
            )

    @contextmanager
    def slow_serving(self) -> Iterator[None]:
        """A function that is slow stands in for the serving function."""
        name = self.story.output("ServingFunctionName")
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("slow.py", _SLOW)
        location = self.lambda_.get_function(FunctionName=name)["Code"]["Location"]
        with urlopen(location, timeout=30) as whole:
            original = whole.read()
        self.lambda_.update_function_code(FunctionName=name, ZipFile=code.getvalue())
        try:
            with self.serving(Handler="slow.handle"):
                yield
        finally:
            self.lambda_.update_function_code(FunctionName=name, ZipFile=original)

    @contextmanager
    def without_room(self) -> Iterator[None]:
        """Lambda runs no serving function, for as long as this lasts."""
        name = self.story.output("ServingFunctionName")
        self.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        try:
            yield
        finally:
            self.lambda_.delete_function_concurrency(FunctionName=name)

    @contextmanager
    def broken(self, variable: str) -> Iterator[None]:
        """The function that has this variable fails on everything, for as long as this lasts."""
        name = self.function(variable)
        handler = self.lambda_.get_function_configuration(FunctionName=name)["Handler"]
        self.lambda_.update_function_configuration(FunctionName=name, Handler="nothing.handle")
        try:
            yield
        finally:
            self.lambda_.update_function_configuration(FunctionName=name, Handler=handler)

    @contextmanager
    def narrow_api(self) -> Iterator[None]:
        """The recommendations API lets one request a second through, for as long as this lasts."""
        gateway = self.connection.client("apigateway")
        api = self.story.output("RecommendationsUrl").split("//")[1].split(".")[0]
        settings = gateway.get_stage(restApiId=api, stageName="v1")["methodSettings"]["*/*"]

        def limit(rate: float, burst: int) -> None:
            gateway.update_stage(
                restApiId=api,
                stageName="v1",
                patchOperations=[
                    {"op": "replace", "path": f"/*/*/throttling/{name}", "value": str(value)}
                    for name, value in (("rateLimit", rate), ("burstLimit", burst))
                ],
            )

        limit(1, 1)
        try:
            yield
        finally:
            limit(settings["throttlingRateLimit"], int(settings["throttlingBurstLimit"]))

    @contextmanager
    def colour(self, colour: Colour, *, age_ms: int, live: bool) -> Iterator[None]:
        """A colour is open since then, live or not, as the retraining notes it; for as long as this lasts."""
        table = self.connection.table(self.story.output("CoordinationTableName"))
        cutoff = int(time.time() * 1000) - age_ms
        item = OpenColour(colour, "t", "arn", cutoff, "run").to_item()
        table.put_item(Item=item)
        ssm, name = self.connection.client("ssm"), self.story.output("LivePointerName")
        if live:
            ssm.put_parameter(Name=name, Value=colour, Overwrite=True)
        try:
            yield
        finally:
            ssm.put_parameter(Name=name, Value="none", Overwrite=True)
            table.delete_item(Key={TABLE_KEY: item[TABLE_KEY]})

    def hourly_look(self) -> object:
        """What the hourly schedule starts: the plan looks, and leaves it at that."""
        arn = self.story.output("RetrainingArn")
        states = self.connection.client("stepfunctions")
        started = states.start_execution(stateMachineArn=arn, input=json.dumps({"first_only": True}))
        until(
            lambda: states.describe_execution(executionArn=started["executionArn"])["status"] != "RUNNING",
            "the hourly look ends",
        )
        return started


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
