"""What the forwarder talks to, in memory, and failing as told."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from typing import Any

import botocore.session
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.validate import ParamValidator

from clickstream.backoff import Backoff
from clickstream.delivery import Delivery, Forwarder
from clickstream.failure_queue import FailureQueue
from clickstream.open_colours import OpenColours
from clickstream.sending import Sender
from vocabulary.colours import Colour
from vocabulary.coordination import TABLE_KEY, OpenColour

_PUT_EVENTS = (
    botocore.session.get_session()
    .get_service_model("personalize-events")
    .operation_model("PutEvents")
    .input_shape
)


class AtOnce(Executor):
    """Runs what it is given before it answers: one thing after the other, the same each time."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(*args, **kwargs))
        return future


class FakeClock:
    def __init__(self, now: float = 1_780_000_100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class FakeTable:
    """The coordination table. `down` makes every read fail."""

    def __init__(self, colours: Iterable[OpenColour] = ()) -> None:
        self.items = {colour.to_item()[TABLE_KEY]: colour.to_item() for colour in colours}
        self.down = False
        self.reads = 0

    def get_item(self, *, Key: dict[str, str], ConsistentRead: bool) -> dict[str, Any]:
        assert ConsistentRead
        self.reads += 1
        if self.down:
            raise error("InternalServerError", "GetItem")
        item = self.items.get(Key[TABLE_KEY])
        return {"Item": item} if item else {}

    def close(self, colour: OpenColour) -> None:
        del self.items[colour.to_item()[TABLE_KEY]]


class FakePersonalize:
    """Keeps what each tracker took, and what it was told first of each event id.

    :param faults: what goes wrong call by call; `None` is nothing, `lost answer` that the events were
        taken all the same, anything else an error's code. After the last nothing goes wrong.
    :param poison: item ids that no tracker takes.
    """

    def __init__(
        self, clock: FakeClock, faults: Iterable[str | None] = (), poison: Iterable[str] = ()
    ) -> None:
        self.clock = clock
        self.faults: Iterator[str | None] = iter(faults)
        self.poison = set(poison)
        self.trackers: dict[str, dict[str, dict[str, Any]]] = {}
        self.calls: list[dict[str, Any]] = []

    def open(self, tracking_id: str) -> None:
        self.trackers[tracking_id] = {}

    def put_events(self, **request: Any) -> None:
        report = ParamValidator().validate(request, _PUT_EVENTS)
        assert not report.has_errors(), report.generate_report()
        assert len(request["eventList"]) <= 10
        self.calls.append(request)
        self.clock.now += 0.02
        fault = next(self.faults, None)
        if fault is not None and fault != "lost answer":
            raise error(fault, "PutEvents")
        if request["trackingId"] not in self.trackers:
            raise error("InvalidInputException", "PutEvents")
        if self.poison & {event["itemId"] for event in request["eventList"]}:
            raise error("InvalidInputException", "PutEvents")
        for event in request["eventList"]:
            who = {"sessionId": request["sessionId"], "userId": request.get("userId")}
            self.trackers[request["trackingId"]].setdefault(event["eventId"], {**event, **who})
        if fault == "lost answer":
            raise ReadTimeoutError(endpoint_url="personalize-events")


class FakeSqs:
    """:param faults: per call, whether it fails."""

    def __init__(self, faults: Iterable[bool] = ()) -> None:
        self.faults = iter(faults)
        self.messages: list[dict[str, Any]] = []

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:
        if next(self.faults, False):
            raise error("ServiceUnavailable", "SendMessage")
        self.messages.append(json.loads(MessageBody))

    @property
    def event_ids(self) -> list[tuple[str | None, str]]:
        return [(message["colour"], event_of(message["record"])["event_id"]) for message in self.messages]


def error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as told"}}, operation)


def opened(colour: Colour, cutoff: int) -> OpenColour:
    return OpenColour(colour, f"tracker-{colour}", f"group-{colour}", cutoff, "run")


def event(number: int, received_at: int, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": f"e{number}",
        "received_at": received_at,
        "sent_at": received_at,
        "session_id": "s1",
        "user_id": "u1",
        "event_type": "view",
        "item_id": f"i{number}",
        **fields,
    }


def record(data: Any, sequence_number: int = 0, *, arrived_at: int = 0) -> dict[str, Any]:
    """A record as Lambda gets it from Kinesis.

    :param arrived_at: on the stream, unix milliseconds.
    """
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return {
        "kinesis": {
            "sequenceNumber": str(sequence_number),
            "data": base64.b64encode(raw).decode(),
            "approximateArrivalTimestamp": arrived_at / 1000,
        }
    }


def event_of(record: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(base64.b64decode(record["kinesis"]["data"])))


class Scene:
    """A forwarder and all that it talks to."""

    def __init__(
        self,
        colours: Sequence[OpenColour] = (),
        *,
        faults: Iterable[str | None] = (),
        poison: Iterable[str] = (),
        queue_faults: Iterable[bool] = (),
        patience_seconds: float = 300.0,
        pool: Executor | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.table = FakeTable(colours)
        self.personalize = FakePersonalize(self.clock, faults, poison)
        for colour in colours:
            self.personalize.open(colour.tracking_id)
        self.sqs = FakeSqs(queue_faults)
        open_colours = OpenColours(self.table, cache_seconds=20, now=self.clock)
        backoff = Backoff(self.clock, self.clock.sleep, lambda low, high: high)
        self.sender = Sender(
            personalize=self.personalize,
            colours=open_colours,
            backoff=backoff,
            pool_of=lambda colour: pool or AtOnce(),
        )
        self.forwarder = Forwarder(
            sender=self.sender,
            colours=open_colours,
            queue=FailureQueue(self.sqs, url="queue"),
            backoff=backoff,
            now=self.clock,
            patience_seconds=patience_seconds,
            settling_seconds=10.0,
        )

    @property
    def now(self) -> int:
        """Unix milliseconds."""
        return int(self.clock.now * 1000)

    def deliver(self, *events: Any, seconds: float = 50.0) -> Delivery:
        return self.forwarder.deliver([record(each) for each in events], seconds=seconds)

    def taken(self, colour: Colour) -> list[str]:
        """Event ids, in the order in which the colour's tracker first took them."""
        return list(self.personalize.trackers.get(f"tracker-{colour}", ()))
