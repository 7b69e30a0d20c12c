"""What goes wrong on the way of an event, for seconds at a time, while everything else goes on."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from local_cloud.delivery_faults import DeliveryFault, DeliveryFaults
from local_cloud.personalize.control_client import ControlClient
from local_cloud.personalize.faults import Fault
from tests.story.deployment import Story, until


class Trouble:
    """Faults of a deployment's clickstream, each a context manager that mends what it broke.

    :ivar seen: how often each was at work.
    """

    def __init__(self, story: Story) -> None:
        self._story = story
        self._lambda = story.connection.client("lambda")
        self._iam = story.connection.client("iam")
        self._control = ControlClient(story.connection.endpoint)
        self._deliveries = DeliveryFaults(story.connection)
        self.seen: Counter[str] = Counter()
        self.collector = self.function("clickstream.collect_handler")
        self.forwarder = self.function("clickstream.forward_handler")

    def function(self, handler: str) -> str:
        """The name of the deployed function with this handler module."""
        for page in self._lambda.get_paginator("list_functions").paginate():
            for function in page["Functions"]:
                if function["Handler"] == f"{handler}.handle":
                    return str(function["FunctionName"])
        raise AssertionError(f"no function has the handler {handler}")

    def put_events(self, **fault: Any) -> ExitStack:
        """PutEvents answers as told, see `Fault`."""
        stack = ExitStack()
        stack.enter_context(self._control.injected(Fault(operation="PutEvents", **fault)))
        return stack

    def lake(self, **fault: Any) -> AbstractContextManager[None]:
        """Deliveries to the lake go wrong as told, see `DeliveryFault`."""
        return self._deliveries.injected(DeliveryFault(**fault))

    @contextmanager
    def configured(self, function: str, **configuration: Any) -> Iterator[None]:
        """A function with another configuration; `Environment` adds to the variables that it has."""
        before = self._lambda.get_function_configuration(FunctionName=function)
        variables: Mapping[str, str] = before["Environment"]["Variables"]
        if added := configuration.pop("Environment", None):
            configuration["Environment"] = {"Variables": {**variables, **added}}
        self._lambda.update_function_configuration(FunctionName=function, **configuration)
        try:
            yield
        finally:
            self._lambda.update_function_configuration(
                FunctionName=function, Handler=before["Handler"], Environment={"Variables": variables}
            )

    @contextmanager
    def denied(self, function: str, action: str) -> Iterator[None]:
        """A function that lost a right."""
        role = self._lambda.get_function_configuration(FunctionName=function)["Role"].rpartition("/")[2]
        deny = {"Effect": "Deny", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
        self._iam.put_role_policy(RoleName=role, PolicyName="trouble", PolicyDocument=document)
        try:
            yield
        finally:
            self._iam.delete_role_policy(RoleName=role, PolicyName="trouble")

    @contextmanager
    def all_the_time(self, seed: int, *, seconds: float = 1.5) -> Iterator[None]:
        """One after the other, for as long as the block takes."""
        kinds: dict[str, Callable[[], Any]] = {
            "throttled": lambda: self.put_events(error="ThrottlingException", rate=0.5),
            "answers lost": lambda: self.put_events(error="InternalFailure", when="after", rate=0.5),
            "down": lambda: self.put_events(error="ServiceUnavailableException"),
            "slow": lambda: self.put_events(latency=0.2),
            "forwarder broken": lambda: self.configured(self.forwarder, Handler="clickstream.nothing.handle"),
            "cutoffs unreadable": lambda: self.denied(self.forwarder, "dynamodb:GetItem"),
            "PutEvents denied": lambda: self.denied(self.forwarder, "personalize:PutEvents"),
            "stream denied": lambda: self.denied(self.collector, "kinesis:PutRecords"),
            "lake away": lambda: self.lake(failing=True),
            "lake twice, in any order": lambda: self.lake(twice=0.5, shuffled=True),
        }
        stop, failures = threading.Event(), []

        def cause() -> None:
            draw = random.Random(seed)
            try:
                while not stop.is_set():
                    for kind in draw.sample(sorted(kinds), len(kinds)):
                        if stop.is_set():
                            return
                        with kinds[kind]():
                            stop.wait(seconds * draw.uniform(0.5, 1.5))
                        self.seen[kind] += 1
                        stop.wait(seconds * draw.random())
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=cause)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        assert not failures, failures

    def replay_the_stream(self) -> None:
        """Let Lambda read the stream again from its beginning."""
        (mapping,) = self._lambda.list_event_source_mappings(FunctionName=self.forwarder)[
            "EventSourceMappings"
        ]
        self._lambda.delete_event_source_mapping(UUID=mapping["UUID"])

        def gone() -> bool:
            found = self._lambda.list_event_source_mappings(FunctionName=self.forwarder)
            return not found["EventSourceMappings"]

        until(gone, "the mapping is deleted")
        self._lambda.create_event_source_mapping(
            FunctionName=self.forwarder,
            EventSourceArn=mapping["EventSourceArn"],
            StartingPosition="TRIM_HORIZON",
            BatchSize=mapping["BatchSize"],
            FunctionResponseTypes=["ReportBatchItemFailures"],
            BisectBatchOnFunctionError=True,
            MaximumRetryAttempts=mapping["MaximumRetryAttempts"],
            DestinationConfig=mapping["DestinationConfig"],
        )

    def repeat_records(self, seed: int, share: float) -> int:
        """Put records of the stream onto it again, in any order; answers how many."""
        kinesis, stream = self._story.connection.client("kinesis"), self._story.output("StreamName")
        records: list[dict[str, Any]] = []
        for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
            position = kinesis.get_shard_iterator(
                StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while (page := kinesis.get_records(ShardIterator=position, Limit=10_000))["Records"]:
                records += page["Records"]
                position = page["NextShardIterator"]
        draw = random.Random(seed)
        chosen = draw.sample(records, int(len(records) * share))
        for at in range(0, len(chosen), 500):
            entries = [
                {"Data": record["Data"], "PartitionKey": record["PartitionKey"]}
                for record in chosen[at : at + 500]
            ]
            kinesis.put_records(StreamName=stream, Records=entries)
        return len(chosen)
