"""The redrive: what can be placed is placed once, what cannot stays with its reason, and nothing is lost."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from clickstream.failure_queue import FailureQueue, Undelivered
from clickstream.open_colours import OpenColours
from clickstream.redriving import Redrive
from clickstream.stream_reading import read_again
from tests.lambdas.clickstream.stand_ins import Scene, error, event, opened, record

T = 1_780_000_000_000
LIVE = opened("maize", T - 1_000_000)


class FakeQueue:
    """A queue of SQS; what was received is hidden until it is shown again."""

    def __init__(self) -> None:
        self.answers = 1_000_000  # it fails when it has given so many
        self.bodies: dict[str, str] = {}
        self.hidden: set[str] = set()
        self.sent = 0

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:
        self.sent += 1
        self.bodies[f"h{self.sent}"] = MessageBody

    def receive_message(self, *, MaxNumberOfMessages: int, **_: Any) -> dict[str, Any]:
        self.answers -= 1
        if self.answers < 0:
            raise error("InternalError", "ReceiveMessage")
        handles = [handle for handle in self.bodies if handle not in self.hidden][:MaxNumberOfMessages]
        self.hidden |= set(handles)
        messages = [{"ReceiptHandle": handle, "Body": self.bodies[handle]} for handle in handles]
        return {"Messages": messages} if messages else {}

    def delete_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> None:
        assert 1 <= len(Entries) <= 10
        for entry in Entries:
            del self.bodies[entry["ReceiptHandle"]]

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> None:
        assert 1 <= len(Entries) <= 10
        for entry in Entries:
            self.hidden.discard(entry["ReceiptHandle"])

    @property
    def visible(self) -> int:
        return len(set(self.bodies) - self.hidden)


class FakeStream:
    """A shard of Kinesis, two records to an answer."""

    def __init__(self, events: list[dict[str, Any]], first: int = 100) -> None:
        self.fault: str | None = None
        self.records = [
            {
                "SequenceNumber": str(first + number),
                "PartitionKey": each["session_id"],
                "Data": json.dumps(each).encode(),
                "ApproximateArrivalTimestamp": datetime.fromtimestamp(T / 1000, UTC),
            }
            for number, each in enumerate(events)
        ]

    def get_shard_iterator(self, *, StartingSequenceNumber: str, **_: Any) -> dict[str, Any]:
        return {"ShardIterator": StartingSequenceNumber}

    def get_records(self, *, ShardIterator: str, Limit: int) -> dict[str, Any]:
        if self.fault is not None:
            raise error(self.fault, "GetRecords")
        found = [each for each in self.records if int(each["SequenceNumber"]) >= int(ShardIterator)][:2]
        after = int(found[-1]["SequenceNumber"]) + 1 if found else int(ShardIterator)
        return {"Records": found, "NextShardIterator": str(after)}


class Stage:
    """A scene of the forwarder, and a redrive beside it."""

    def __init__(self, *args: Any, stream: Any = None, **kwargs: Any) -> None:
        self.scene = Scene(*args, **kwargs)
        self.queue = FakeQueue()
        self.redrive = Redrive(
            sqs=self.queue,
            url="queue",
            stream=partial(read_again, stream or FakeStream([]), "stream"),
            sender=self.scene.sender,
            colours=OpenColours(self.scene.table, cache_seconds=0, now=self.scene.clock),
            clock=self.scene.clock,
        )

    def fail(self, data: Any, reason: str = "PutEvents: ThrottlingException, for too long") -> None:
        FailureQueue(self.queue, url="queue").put(Undelivered(0, reason, LIVE), record(data))

    def run(self, **options: Any) -> dict[str, Any]:
        return self.redrive.run(seconds=60, **options).to_json()


def test_what_personalize_did_not_take_is_placed_and_leaves_the_queue() -> None:
    stage = Stage([LIVE])
    for number in range(250):
        stage.fail(event(number, T, session_id=f"s{number % 5}"))
    report = stage.run()
    assert (report["placed"], report["reasons"], report["more"]) == (250, {}, False)
    assert sorted(stage.scene.taken("maize")) == sorted(f"e{number}" for number in range(250))
    assert len(stage.scene.personalize.calls) == 25  # ten to a call, a hundred messages at a time
    assert stage.queue.bodies == {}


def test_an_event_that_some_colour_has_already_is_there_once_however_often_it_is_redriven() -> None:
    stage = Stage([LIVE, opened("blue", T)])
    stage.scene.deliver(event(0, T))
    stage.fail(event(0, T))
    stage.fail(event(0, T))
    assert stage.run()["placed"] == 2
    assert stage.scene.taken("maize") == stage.scene.taken("blue") == ["e0"]


@pytest.mark.parametrize("colours", [[], [opened("blue", T + 1)]])
def test_what_no_open_colour_wants_any_more_is_let_go(colours: Any) -> None:
    stage = Stage(colours)
    stage.fail(event(0, T))
    assert stage.run()["not_needed"] == 1
    assert stage.queue.bodies == {}
    assert stage.scene.personalize.calls == []


def test_a_dry_run_says_what_it_would_do_and_touches_nothing() -> None:
    stage = Stage([LIVE])
    stage.fail(event(0, T))
    stage.fail(event(1, T - 2_000_000))
    stage.fail(b"garbage")
    report = stage.run(dry_run=True, discard=True)
    assert (report["placed"], report["not_needed"], report["hopeless"]) == (1, 1, 1)
    assert report["discarded"] == 0
    assert stage.scene.personalize.calls == []
    assert stage.queue.visible == 3


def test_what_cannot_be_placed_stays_with_its_reason_until_it_is_discarded() -> None:
    stage = Stage([LIVE], poison=["i1"])
    stage.fail(event(0, T))
    stage.fail(event(1, T))
    stage.fail(b"garbage")
    stage.fail(b"x" * 1_000_000)
    stage.queue.send_message(QueueUrl="queue", MessageBody="from somebody else")
    report = stage.run()
    assert (report["placed"], report["hopeless"], report["discarded"]) == (1, 4, 0)
    assert sorted(report["reasons"]) == [
        "hopeless: InvalidInputException: as told",
        "hopeless: no event: not JSON: JSONDecodeError",
        "hopeless: not a message of the forwarder",
        "hopeless: too large for the queue, which holds only its beginning",
    ]
    assert stage.queue.visible == 4
    assert stage.run(discard=True)["discarded"] == 4
    assert stage.queue.bodies == {}


def test_what_a_colour_does_not_take_for_now_stays_and_goes_the_next_time() -> None:
    stage = Stage([LIVE], faults=["ThrottlingException"] * 12)
    stage.fail(event(0, T))
    assert stage.run()["reasons"] == {"put off: PutEvents: ThrottlingException": 1}
    assert stage.queue.visible == 1
    assert stage.run()["placed"] == 1


def test_nothing_is_let_go_while_the_open_colours_cannot_be_read() -> None:
    stage = Stage([LIVE])
    stage.fail(event(0, T))
    stage.scene.table.down = True
    assert stage.run()["put_off"] == 1
    assert stage.queue.visible == 1


def test_a_redrive_that_breaks_leaves_what_it_had_not_deleted_visible() -> None:
    stage = Stage([LIVE], poison=["i0"])
    stage.fail(event(0, T))
    stage.queue.answers = 1
    with pytest.raises(Exception, match="InternalError"):
        stage.run()
    assert stage.queue.visible == 1


def of_lambda(first: str, last: str) -> str:
    """What the event source mapping sends for records that the function failed on."""
    batch = {"shardId": "shard-0", "startSequenceNumber": first, "endSequenceNumber": last, "batchSize": 3}
    return json.dumps({"requestContext": {"condition": "RetryAttemptsExhausted"}, "KinesisBatchInfo": batch})


def test_records_that_lambda_only_points_at_are_read_from_the_stream_again() -> None:
    stage = Stage([LIVE], stream=FakeStream([event(number, T) for number in range(9)]))
    stage.queue.send_message(QueueUrl="queue", MessageBody=of_lambda("102", "106"))
    assert stage.run()["placed"] == 1
    assert stage.scene.taken("maize") == ["e2", "e3", "e4", "e5", "e6"]


def test_records_that_have_left_the_stream_are_told_of_rather_than_half_placed() -> None:
    stage = Stage([LIVE], stream=FakeStream([event(number, T) for number in range(9)], first=103))
    stage.queue.send_message(QueueUrl="queue", MessageBody=of_lambda("102", "106"))
    (reason,) = stage.run()["reasons"]
    assert "not on the stream any more" in reason
    assert stage.scene.personalize.calls == []


@pytest.mark.parametrize(
    "fault", ["ProvisionedThroughputExceededException", "InternalFailure", "AccessDenied"]
)
def test_a_stream_that_cannot_be_read_for_now_costs_no_record_though_the_hopeless_go(fault: str) -> None:
    stream = FakeStream([event(number, T) for number in range(9)])
    stage = Stage([LIVE], stream=stream)
    stage.queue.send_message(QueueUrl="queue", MessageBody=of_lambda("102", "106"))
    stream.fault = fault
    report = stage.run(discard=True)
    assert report["reasons"] == {f"put off: on the stream only, which cannot be read: {fault}": 1}
    assert (report["discarded"], stage.queue.visible) == (0, 1)
    stream.fault = None
    assert stage.run(discard=True)["placed"] == 1


@pytest.mark.parametrize("hopeless", ["no event", "refused by a colour that takes something"])
def test_what_is_discarded_takes_nothing_along_that_may_still_be_placed(hopeless: str) -> None:
    no_event = hopeless == "no event"
    colours = [LIVE] if no_event else [LIVE, opened("blue", T)]
    events = [event(2, T), event(3, T, **({"session_id": ""} if no_event else {})), event(4, T)]
    stage = Stage(colours, stream=FakeStream(events), poison=["i3"], faults=["ThrottlingException"] * 12)
    stage.queue.send_message(QueueUrl="queue", MessageBody=of_lambda("100", "102"))
    report = stage.run(discard=True)
    assert (report["put_off"], report["discarded"], stage.queue.visible) == (1, 0, 1)
    assert stage.run(discard=True)["discarded"] == 1
    assert stage.scene.taken("maize") == ["e2", "e4"]


def test_a_message_that_somebody_mended_into_nonsense_holds_up_no_other() -> None:
    stage = Stage([LIVE])
    for data in (event(0, T), None, 5, ["x"]):
        stage.queue.send_message(
            QueueUrl="queue", MessageBody=json.dumps({"record": {"kinesis": {"data": data}}})
        )
    stage.fail(event(1, T))
    report = stage.run()
    assert (report["placed"], report["hopeless"]) == (1, 4)
    assert report["reasons"] == {"hopeless: not a message of the forwarder": 4}


def test_a_record_read_again_is_as_lambda_gives_it() -> None:
    stream = FakeStream([event(0, T)])
    (read,) = read_again(stream, "stream", "shard-0", "100", "100")
    assert json.loads(base64.b64decode(read["kinesis"]["data"])) == event(0, T)
    assert read["kinesis"]["approximateArrivalTimestamp"] == T / 1000


def test_more_than_there_is_time_for_is_left_for_another_call() -> None:
    stage = Stage([LIVE])
    for number in range(300):
        stage.fail(event(number, T, session_id=f"s{number}"))
    first = stage.redrive.run(seconds=1.0)  # a call takes 20 ms
    assert first.more
    assert 0 < first.placed < 300
    assert first.placed + stage.run()["placed"] == 300
