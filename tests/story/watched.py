"""Colorway deployed under watch: what its alarms say and whom they tell, and how to set them off."""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

from local_cloud.live_api import LiveApi
from tests.story.deployment import Story, until
from tests.story.watch import Watch
from vocabulary.colours import Colour
from vocabulary.coordination import TABLE_KEY, OpenColour

_SLOW = b"""
import time


def handle(event, context):
    time.sleep(2.7)
    return {'statusCode': 200, 'body': '{}'}
"""
HOUR_MS: Final = 3_600_000


@contextmanager
def under_watch(folder: Path) -> Iterator[Watched]:
    """Colorway, deployed and watched for as long as this lasts.

    One setting of LOCAL is another: a placement with two provisioned TPS, without which no alarm watches
    that they are used.
    """
    story = Story(folder)
    settings = story.root / "stacks" / "environment.py"
    local = 'name="local",\n    account="000000000000",\n    region="us-east-1",\n'
    plain = 'placements=(Placement(name="recommended-for-you"), SIMILAR_ITEMS, POPULAR),'
    costly = plain.replace('you")', 'you", min_provisioned_tps=2)')
    text = settings.read_text()
    assert f"{local}    {plain}" in text
    settings.write_text(text.replace(f"{local}    {plain}", f"{local}    {costly}"))
    with story:
        yield Watched(story)


class Watched(Watch):
    """A deployment of everything, and how to set its alarms off."""

    def __init__(self, story: Story) -> None:
        super().__init__(
            story.connection, pages=story.output("OnCallTopicArn"), notices=story.output("NoticesTopicArn")
        )
        self.story = story
        self.lambda_ = self.connection.client("lambda")

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
    def broken(self, name: str) -> Iterator[None]:
        """The function of this name fails on everything, for as long as this lasts."""
        handler = self.lambda_.get_function_configuration(FunctionName=name)["Handler"]
        self.lambda_.update_function_configuration(FunctionName=name, Handler="nothing.handle")
        try:
            yield
        finally:
            self.lambda_.update_function_configuration(FunctionName=name, Handler=handler)

    @contextmanager
    def narrow_api(self, url: str) -> Iterator[None]:
        """An API lets one request a second through, for as long as this lasts.

        :param url: the output that names it.
        """
        gateway = self.connection.client("apigateway")
        api = self.story.output(url).split("//")[1].split(".")[0]
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
