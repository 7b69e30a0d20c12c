"""Colorway, deployed whole into a local cloud of its own, and what a story needs to ask of it."""

from __future__ import annotations

import io
import json
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from local_cloud import deployed, retraining_progress
from local_cloud.cloud import LocalCloud, Options
from local_cloud.connection import free_port
from local_cloud.deployment import Deployment
from local_cloud.lake_loading import connect, load
from local_cloud.live_api import ApiError, LiveApi
from local_cloud.marketplace import Marketplace, generate
from local_cloud.progress import Progress

PROJECT = Path(__file__).resolve().parents[2]
_DEPLOYED = ("stacks", "constructs", "costs", "lambdas")


def until(holds: Callable[[], bool], what: str, *, within: float = 60) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not within {within:.0f} s: {what}"
        time.sleep(0.1)


@dataclass
class Traffic:
    """What a steady stream of requests was answered."""

    colours: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


class Story:
    """A deployment with a marketplace's history in its lake.

    :param folder: for a copy of the project, which a story may change, and the cloud's state.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self.root.mkdir(parents=True)
        for name in ("app.py", "cdk.json"):
            shutil.copy(PROJECT / name, self.root)
        for name in _DEPLOYED:
            shutil.copytree(PROJECT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
        (self.root / ".wheels").symlink_to(PROJECT / ".wheels")
        options = Options(port=free_port(), state=folder / "state")
        self._cloud = LocalCloud(options)
        self.connection = self._cloud.connection
        self.deployment = Deployment(self.connection, root=self.root, state=options.state)
        self.market: Marketplace = generate(now=datetime.now(UTC), customers=600)

    def __enter__(self) -> Self:
        self._cloud.start()
        self.deployment.bootstrap()
        self.deployment.deploy()
        return self

    def __exit__(self, *_: object) -> None:
        self._cloud.stop()

    @property
    def api(self) -> LiveApi:
        return LiveApi.of(self.connection)

    def output(self, name: str) -> str:
        return deployed.output(self.connection, name)

    def load_history(self) -> None:
        """Fill the lake, once the training that a deployment starts has found it empty."""
        retraining_progress.await_idle(self.connection, self.output("RetrainingArn"))
        database = connect()
        history = self.market.history(database)
        load(
            self.connection.client("s3"),
            bucket=self.output("LakeBucketName"),
            history=history,
            progress=lambda _: None,
        )

    def retrain(self) -> dict[str, Any]:
        """Retrain, once nothing else does; answers what the run said at its end.

        :raises RetrainingFailedError: when it fails.
        """
        return self.follow(self.start())

    def start(self) -> str:
        """Start a retraining once nothing else does; answers the ARN of its execution."""
        for outputs in deployed.outputs(self.connection).values():
            for name in {"RetrainingArn", "ClearingArn"} & outputs.keys():  # no clearing before an upgrade
                retraining_progress.await_idle(self.connection, outputs[name])
        return retraining_progress.start(self.connection, self.output("RetrainingArn"))

    def follow(self, execution: str) -> dict[str, Any]:
        """Wait for a retraining's end; answers what it said there.

        :raises RetrainingFailedError: when it fails.
        """
        return retraining_progress.follow(self.connection, execution, Progress(io.StringIO()))

    @contextmanager
    def endless_bake(self) -> Iterator[None]:
        """Retrainings that begin meanwhile look at the alarms for as long as it takes."""

        def change(states: dict[str, Any]) -> None:
            states["bake: begin"]["Assign"]["looks"] = 10_000

        with self._other_definition(change):
            yield

    @contextmanager
    def impatience_with(self, placement: str) -> Iterator[None]:
        """Retrainings that begin meanwhile stop this placement's model after a second."""

        def change(states: dict[str, Any]) -> None:
            each = states["train: each placement"]["ItemProcessor"]["States"]
            patience = f"$name = '{placement}' ? 1000 : 600000"
            each["train: find the version"]["Assign"]["stop_at"] = f"{{% $millis() + ({patience}) %}}"

        with self._other_definition(change):
            yield

    @contextmanager
    def _other_definition(self, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        states, arn = self.connection.client("stepfunctions"), self.output("RetrainingArn")
        before = states.describe_state_machine(stateMachineArn=arn)["definition"]
        definition = json.loads(before)
        change(definition["States"])
        states.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
        yield
        states.update_state_machine(stateMachineArn=arn, definition=before)

    def bake_alarms(self, colour: str) -> list[str]:
        """Names of the alarms that take a flip to the colour back."""
        variable = f"BAKE_ALARMS_{colour.upper()}"
        return deployed.settings_with(self.connection, variable)[variable].split(",")

    def pointer(self) -> str:
        """The colour that the live pointer names."""
        name = self.output("LivePointerName")
        return str(self.connection.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])

    def groups(self) -> list[str]:
        """The colours that exist in Personalize."""
        found = self.connection.client("personalize").list_dataset_groups()["datasetGroups"]
        return sorted(group["name"].rpartition("-")[2] for group in found)

    def recommended(self, user_id: str, count: int = 10) -> list[str]:
        """What a model recommends; a busy machine may at first be too slow, and popular items answer."""
        asked, api = {"placement": "recommended-for-you", "num_results": str(count)}, self.api
        answer = api.recommendations(user_id, **asked)

        def of_a_model() -> bool:
            answer.update(api.recommendations(user_id, **asked))
            return bool(answer["source"] == "personalize")

        if answer["source"] != "personalize":
            until(of_a_model, f"a model answers for {user_id}")
        return [item["item_id"] for item in answer["items"]]

    @contextmanager
    def steady_traffic(self, *, pause: float = 0) -> Iterator[Traffic]:
        """Requests one after the other, for as long as this lasts.

        :param pause: seconds between them.
        """
        seen, stop, api = Traffic(), threading.Event(), self.api
        users = list(self.market.customers["user_id"][:50])

        def ask() -> None:
            for count in range(1_000_000):
                if stop.wait(pause):
                    return
                try:
                    answer = api.recommendations(users[count % 50], placement="recommended-for-you")
                except (ApiError, OSError) as error:
                    seen.failures.append(str(error))
                    continue
                seen.colours[str(answer["colour"])] += 1
                seen.sources[answer["source"]] += 1
                if not answer["items"]:
                    seen.failures.append("no items")

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            yield seen
        finally:
            stop.set()
            thread.join()

    @contextmanager
    def hardly_any_history(self) -> Iterator[None]:
        """A lake that has lost its events, for as long as this lasts."""
        s3, bucket = self.connection.client("s3"), self.output("LakeBucketName")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="events/")
        keys = [each["Key"] for page in pages for each in page.get("Contents", ())]
        kept = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
        for key in keys:
            s3.delete_object(Bucket=bucket, Key=key)
        yield
        for key, body in kept.items():
            s3.put_object(Bucket=bucket, Key=key, Body=body)

    def listen_to_pages(self) -> Callable[[], list[dict[str, Any]]]:
        """Subscribe to what on-call is told of runs; answers how to read what has arrived since."""
        return self._listen("OnCallTopicArn")

    def listen_to_notices(self) -> Callable[[], list[dict[str, Any]]]:
        """As with pages, to what can wait."""
        return self._listen("NoticesTopicArn")

    def _listen(self, output: str) -> Callable[[], list[dict[str, Any]]]:
        sqs, sns = self.connection.client("sqs"), self.connection.client("sns")
        url = sqs.create_queue(QueueName=f"hears-{output}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        topic = self.output(output)
        deliver = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [deliver]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"RawMessageDelivery": "true"},
        )
        heard: list[dict[str, Any]] = []

        def read() -> list[dict[str, Any]]:
            while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                for message in messages:
                    if "says" in (told := json.loads(message["Body"])):  # of a run; alarms tell there too
                        heard.append(told)
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return heard

        return read
