"""Delivers a batch of the stream to every open colour, so that nothing is lost and nothing blocks.

What becomes of an event for one colour:

    delivered  PutEvents took it
    not due    received before the colour's cutoff: bulk import brings it
    dropped    the colour was retired meanwhile
    queued     Personalize refuses it, or has not taken it for too long: it goes to the failure queue
    put off    the batch is handed back from there on, which keeps the order

What is handed back comes again, with everything after it; event ids make that
harmless to Personalize, and only what is done is queued or counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from clickstream.backoff import Backoff
from clickstream.failure_queue import FailureQueue, Undelivered
from clickstream.forwarding import Arrival, Malformed, calls_of, put_events_request, read_record
from clickstream.open_colours import OpenColours
from vocabulary.colours import Colour
from vocabulary.coordination import OpenColour

_REFUSALS: Final = ("InvalidInputException", "ResourceNotFoundException", "ValidationException")
"""Errors that another attempt with the same input cannot mend; an unknown tracker is one of them."""

_LONGEST_CALL: Final = 5.0
"""Seconds within which one call is tried again before the batch is handed back."""


class _Refused(Exception):
    """Personalize will not have these events."""


class _Unavailable(Exception):
    """Personalize, or the coordination table, does not do its work for now."""


class _Retired(Exception):
    """The colour has gone."""


@dataclass
class Delivery:
    """What happened to a batch.

    :param failed_from: position to hand the batch back from, or None when all of it is done.
    :param queued: records put on the failure queue.
    """

    failed_from: int | None = None
    queued: int = 0
    _taken: dict[Colour, list[Arrival]] = field(default_factory=dict)

    def is_done(self, position: int) -> bool:
        return self.failed_from is None or position < self.failed_from

    def fail(self, position: int) -> None:
        self.failed_from = position if self.failed_from is None else min(self.failed_from, position)

    def taken_by(self, colour: Colour) -> list[Arrival]:
        """What the colour took, also of what is handed back."""
        return self._taken.setdefault(colour, [])

    def forwarded(self) -> dict[Colour, list[Arrival]]:
        """What each colour took and will not be sent again."""
        return {
            colour: [arrival for arrival in taken if self.is_done(arrival.position)]
            for colour, taken in self._taken.items()
        }


class Forwarder:
    """Takes batches of the stream to the open colours.

    :param personalize: boto3 client of `personalize-events` that tries each call once.
    :param now: unix seconds.
    :param patience_seconds: an event that Personalize does not take this long after it was received
        goes to the failure queue, so that it does not hold up the others.
    """

    def __init__(
        self,
        *,
        personalize: Any,
        colours: OpenColours,
        queue: FailureQueue,
        backoff: Backoff,
        now: Callable[[], float],
        patience_seconds: float,
    ) -> None:
        self._personalize = personalize
        self._colours = colours
        self._queue = queue
        self._backoff = backoff
        self._now = now
        self._patience_ms = patience_seconds * 1000

    def deliver(self, records: Sequence[dict[str, Any]], *, seconds: float) -> Delivery:
        """Deliver the records of a Lambda event of Kinesis.

        :param seconds: after which what is left is put off.
        """
        deadline = self._backoff.clock() + seconds
        delivery = Delivery()
        undelivered: list[Undelivered] = []
        arrivals = []
        for position, record in enumerate(records):
            try:
                event = read_record(record)
            except Malformed as malformed:
                undelivered.append(Undelivered(position, str(malformed)))
                continue
            if event is not None:
                arrivals.append(Arrival(position, event))
        if arrivals:
            undelivered += self._deliver_to_all(arrivals, deadline, delivery)
        for each in sorted(undelivered, key=lambda each: each.position):
            if delivery.is_done(each.position):
                self._hand_over(each, records[each.position], delivery)
        return delivery

    def _deliver_to_all(
        self, arrivals: list[Arrival], deadline: float, delivery: Delivery
    ) -> list[Undelivered]:
        try:
            colours = self._colours.current()
        except (ClientError, BotoCoreError) as error:
            return self._put_off(arrivals, None, f"open colours: {_code(error)}", delivery)
        undelivered: list[Undelivered] = []
        for number, colour in enumerate(colours):
            due = [arrival for arrival in arrivals if arrival.event["received_at"] >= colour.cutoff]
            # One that does not answer leaves the others their share of the time
            now = self._backoff.clock()
            share = now + (deadline - now) / (len(colours) - number)
            undelivered += self._deliver_to(colour, due, share, delivery)
        return undelivered

    def _deliver_to(
        self, colour: OpenColour, due: list[Arrival], deadline: float, delivery: Delivery
    ) -> list[Undelivered]:
        undelivered: list[Undelivered] = []
        taken = delivery.taken_by(colour.colour)
        for call in calls_of(due):
            try:
                self._put(colour, call, deadline, taken, undelivered)
            except _Retired:
                # What it refused before it was seen to be gone matters no more either
                return []
            except _Unavailable as unavailable:
                settled = {arrival.position for arrival in taken} | {each.position for each in undelivered}
                rest = [arrival for arrival in due if arrival.position not in settled]
                return undelivered + self._put_off(rest, colour, str(unavailable), delivery)
        return undelivered

    def _put(
        self,
        colour: OpenColour,
        call: list[Arrival],
        deadline: float,
        taken: list[Arrival],
        undelivered: list[Undelivered],
    ) -> None:
        """Put the events of one call; where some are refused, put them apart until it is known which."""
        try:
            self._put_events(colour, call, deadline)
        except _Refused as refused:
            if not self._is_open(colour):
                raise _Retired from None
            if len(call) == 1:
                undelivered.append(Undelivered(call[0].position, str(refused), colour))
                return
            middle = len(call) // 2
            self._put(colour, call[:middle], deadline, taken, undelivered)
            self._put(colour, call[middle:], deadline, taken, undelivered)
        else:
            taken += call

    def _put_events(self, colour: OpenColour, call: list[Arrival], deadline: float) -> None:
        request = put_events_request(colour.tracking_id, call)
        last = "out of time"
        for _ in self._backoff.attempts(min(deadline, self._backoff.clock() + _LONGEST_CALL)):
            try:
                self._personalize.put_events(**request)
                return
            except ParamValidationError:
                # The error's text repeats the values
                raise _Refused("not what PutEvents takes") from None
            except (ClientError, BotoCoreError) as error:
                last = _code(error)
                if isinstance(error, ClientError) and last in _REFUSALS:
                    raise _Refused(f"{last}: {error.response['Error'].get('Message', '')}") from None
        raise _Unavailable(f"PutEvents: {last}")

    def _is_open(self, colour: OpenColour) -> bool:
        try:
            return self._colours.is_open(colour.tracking_id)
        except (ClientError, BotoCoreError) as error:
            raise _Unavailable(f"open colours: {_code(error)}") from None

    def _put_off(
        self, arrivals: list[Arrival], colour: OpenColour | None, reason: str, delivery: Delivery
    ) -> list[Undelivered]:
        """Hand back what may still wait; answer what may not."""
        undelivered = []
        for arrival in arrivals:
            if self._now() * 1000 - arrival.event["received_at"] > self._patience_ms:
                undelivered.append(Undelivered(arrival.position, f"{reason}, for too long", colour))
            else:
                delivery.fail(arrival.position)
        return undelivered

    def _hand_over(self, undelivered: Undelivered, record: dict[str, Any], delivery: Delivery) -> None:
        try:
            self._queue.put(undelivered, record)
        except (ClientError, BotoCoreError):
            delivery.fail(undelivered.position)
        else:
            delivery.queued += 1


def _code(error: ClientError | BotoCoreError) -> str:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
