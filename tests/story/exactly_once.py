"""What must be where, event by event, and what is: the exactly-once promise as stories check it.

The exceptions that docs/decisions/0005-exactly-once.md states are computed from
what lies in the lake and counted, not left out.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from local_cloud.fault_injection import FaultInjection
from local_cloud.faults import Fault
from tests.story.deployment import Story, until
from tests.story.shoppers import Ledger, Sent, Shoppers
from tests.story.trouble import Trouble
from tests.story.whereabouts import ColourReader, InColour, LakeRead, Row, exposures
from vocabulary.coordination import TABLE_KEY, OpenColour, open_colour_key


class Scene:
    """A deployment with shoppers, and what they were told.

    :param clients: how many shop at once.
    :ivar outgoing_read: of how many colours the data were looked at before they were torn down.
    """

    def __init__(self, story: Story, *, clients: int) -> None:
        self.story, self._clients = story, clients
        self.ledger = Ledger()
        users = list(story.market.customers["user_id"][:300])
        items = [item.item_id for item in story.market.items[:50]]
        self.item_id = items[0]
        self.shoppers = Shoppers(story.api, self.ledger, users=users, items=items)
        self.trouble = Trouble(story)
        self.colours = ColourReader(story.connection)
        self.table = story.connection.table(story.output("CoordinationTableName"))
        self.late: set[int] = set()
        self.outgoing_read = 0

    def open_colours(self) -> list[OpenColour]:
        items = (
            self.table.get_item(Key={TABLE_KEY: open_colour_key(colour)}).get("Item")
            for colour in ("maize", "blue")
        )
        return [OpenColour.from_item(item) for item in items if item]

    def put_on_stream(self, received_at: int, session_id: str) -> int:
        """An event as the collector would have put it at that moment; its serial."""
        (serial,) = self.ledger.serials(1)
        user, event_id = "edge-user", f"edge-{serial}"
        record = {
            "event_id": event_id,
            "received_at": received_at,
            "sent_at": received_at,
            "session_id": session_id,
            "user_id": user,
            "event_type": "view",
            "item_id": self.item_id,
            "value": float(serial),
            "properties": None,
            "impression": None,
            "recommendation_id": None,
        }
        self.story.connection.client("kinesis").put_record(
            StreamName=self.story.output("StreamName"),
            Data=json.dumps(record).encode(),
            PartitionKey=session_id,
        )
        self.ledger.accept([Sent(event_id, serial, session_id, user)])
        return serial

    def experiment(self, salt: str) -> None:
        """An experiment that AppConfig knows, and that nobody is part of."""
        application, _, profile = self.story.output("Experiment").split("/")
        content = {
            "enabled": True,
            "salt": salt,
            "allocation": {"exempt": 10_000, "control": 0, "treatment": 0},
        }
        self.story.connection.client("appconfig").create_hosted_configuration_version(
            ApplicationId=application,
            ConfigurationProfileId=profile,
            Content=json.dumps(content).encode(),
            ContentType="application/json",
        )

    def expose(self, *unit_ids: str) -> None:
        """Write lines as the serving function does of requests that are measured."""
        logs, functions = self.story.connection.client("logs"), self.story.connection.client("lambda")
        serving = functions.get_function_configuration(FunctionName=self.story.output("ServingFunctionName"))
        where = {"logGroupName": serving["LoggingConfig"]["LogGroup"], "logStreamName": "by-hand"}
        logs.create_log_stream(**where)
        now = int(time.time() * 1000)
        events = [
            {"timestamp": now, "message": json.dumps({"unit_id": unit, "request_id": f"request-of-{unit}"})}
            for unit in unit_ids
        ]
        logs.put_log_events(**where, logEvents=events)

    def exposed(self) -> set[str]:
        """Unit ids in the lake's exposures."""
        rows = exposures(self.story.connection, self.story.output("LakeBucketName"), "colorway_local")
        return {row["unit_id"] for row in rows}

    @contextmanager
    def events_at_every_cutoff(self) -> Iterator[None]:
        """While it lasts, a colour that opens gets events received just before, at and after its cutoff."""
        stop = threading.Event()
        failures: list[BaseException] = []
        known = {colour.cutoff for colour in self.open_colours()}

        def watch() -> None:
            try:
                while not stop.wait(0.1):
                    for colour in self.open_colours():
                        # Not sooner: nothing is received before its time, and the forwarder may not know yet
                        if colour.cutoff not in known and time.time() * 1000 > colour.cutoff + 1:
                            known.add(colour.cutoff)
                            for ahead in (-1, 0, 1):
                                self.put_on_stream(colour.cutoff + ahead, f"edge-{colour.cutoff}")
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        assert not failures, failures

    def retrain_in_trouble(self, seed: int, *, events: int) -> str:
        """Retrain while shoppers shop and things go wrong; the colour that is live then.

        The colour that was live before is looked at, too, at the last moment at which it is there.

        :param events: so many are to be accepted before it is over.
        """
        enough = len(self.ledger.accepted()) + events
        outgoing = [colour.colour for colour in self.open_colours()]
        faults = FaultInjection(self.story.connection)
        if outgoing:
            faults.set(Fault(state="retire: tear the old colour down", how="hold", times=1))
        with self._in_trouble(seed):
            execution = self.story.start()
            until(
                lambda: faults.struck() != [] or self._has_ended(execution),
                "the old colour is about to go",
                within=600,
            )
        if outgoing and not self._has_ended(execution):
            self.drain()
            lake = check_lake(self)
            for colour in outgoing:
                _, twice = check_colour(self, lake, colour)
                assert twice <= self.ledger.sent_again
            self.outgoing_read += 1
        with self._in_trouble(seed + 1000):
            faults.set()
            outcome = self.story.follow(execution)
            until(lambda: len(self.ledger.accepted()) >= enough, "enough events", within=600)
        assert outcome["outcome"] == "done", outcome
        return str(outcome["colour"])

    @contextmanager
    def _in_trouble(self, seed: int) -> Iterator[None]:
        with (
            self.shoppers.at_work(clients=self._clients, seed=seed),
            self.trouble.all_the_time(seed),
            self.events_at_every_cutoff(),
        ):
            yield

    def _has_ended(self, execution: str) -> bool:
        states = self.story.connection.client("stepfunctions")
        return bool(states.describe_execution(executionArn=execution)["status"] != "RUNNING")

    def drain(self) -> None:
        """Wait until everything that is on the stream now is in the lake and in the open colours."""
        mark = f"last-{time.monotonic_ns()}"
        first = self.ledger.serials(0).start
        for number in range(40):  # so many that every shard has one
            self.shoppers.send("edge-user", f"{mark}-{number}", 1)
        last = {serial for serial in self.ledger.accepted() if serial >= first}
        for colour in self.open_colours():
            until(
                lambda colour=colour: last <= set(self.colours.read(colour.dataset_group_arn).streamed),  # type: ignore[misc]
                f"{colour.colour} has what was sent last",
                within=120,
            )
        until(lambda: last <= {row.serial for row in self.lake().raw}, "the lake has what was sent last")

    def lake(self) -> LakeRead:
        return LakeRead(self.story.connection, self.story.output("LakeBucketName"), "colorway_local")


def check_lake(scene: Scene) -> LakeRead:
    """Each accepted event is there at least once raw, and once in the view."""
    lake = scene.lake()
    accepted = scene.ledger.accepted()
    view = Counter(row.event_id for row in lake.view)
    assert {sent.event_id for sent in accepted.values()} - set(view) == set()
    assert [event_id for event_id, times in view.items() if times != 1] == []
    assert set(view) == {row.event_id for row in lake.raw}
    return lake


def expected(rows: Sequence[Row], cutoff: int, late: set[int]) -> tuple[InColour, int]:
    """What a colour must hold of these raw rows, and how many events it holds twice as an exception.

    Bulk import brings what was first received before the cutoff, of users who are known then; the stream
    what was received at or after it. A client that sends an event again may have it received on both sides.
    """
    received: dict[int, set[int]] = defaultdict(set)
    users: dict[str, set[str]] = defaultdict(set)
    of: dict[int, Row] = {}
    for row in sorted(rows, key=lambda row: row.received_at):
        received[row.serial].add(row.received_at)
        of.setdefault(row.serial, row)
        if row.user_id is not None and row.received_at < cutoff:
            users[row.session_id].add(row.user_id)

    def has_user(row: Row) -> bool:
        return row.user_id is not None or len(users[row.session_id]) == 1

    bulk = {
        serial
        for serial, times in received.items()
        if min(times) < cutoff and serial not in late and has_user(of[serial])
    }
    streamed = {serial for serial, times in received.items() if max(times) >= cutoff}
    return InColour(Counter(bulk), Counter(streamed)), len(bulk & streamed)


def check_colour(scene: Scene, lake: LakeRead, name: str) -> tuple[InColour, int]:
    (colour,) = (each for each in scene.open_colours() if each.colour == name)
    found = scene.colours.read(colour.dataset_group_arn)
    must_be, twice = expected(lake.raw, colour.cutoff, scene.late)
    assert found.bulk == must_be.bulk
    assert found.streamed == must_be.streamed
    return found, twice


def counted(scene: Scene, metric: str, since: int) -> float:
    """The sum of a metric in the forwarder's log.

    :param since: unix milliseconds; MiniStack answers with 10,000 lines at most, the oldest.
    """
    logs = scene.story.connection.client("logs")
    function = scene.story.connection.client("lambda").get_function_configuration(
        FunctionName=scene.trouble.forwarder
    )
    group = function["LoggingConfig"]["LogGroup"]
    total = 0.0
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since):
        for event in page["events"]:
            message = event["message"].strip()
            if message.startswith("{") and metric in message:
                total += json.loads(message)[metric]
    return total
