"""Delivers a batch of the stream to every open colour, so that nothing is lost and nothing blocks.

What becomes of an event for one colour:

    delivered  PutEvents took it
    not due    received before the colour's cutoff: bulk import brings it
    late       not due, but on the stream only after the cutoff had settled: bulk import may have missed
               it, and it enters with the next colour; counted
    dropped    the colour was retired meanwhile
    queued     Personalize refuses it, or has not taken it for too long: it goes to the failure queue
    put off    the batch is handed back from there on, which keeps the order

What is handed back comes again, with everything after it; event ids make that
harmless to Personalize, and only what is done is queued or counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from clickstream.backoff import Backoff
from clickstream.failure_queue import FailureQueue, Undelivered
from clickstream.forwarding import Arrival, Malformed, read_record
from clickstream.open_colours import OpenColours
from clickstream.sending import Sender, code_of
from vocabulary.colours import Colour
from vocabulary.coordination import OpenColour


@dataclass
class Delivery:
    """What happened to a batch.

    :param failed_from: position to hand the batch back from, or None when all of it is done.
    :param queued: records put on the failure queue.
    :param malformed: those of them that are no events.
    """

    failed_from: int | None = None
    queued: int = 0
    malformed: int = 0
    _taken: dict[Colour, list[Arrival]] = field(default_factory=dict)
    _late: dict[Colour, list[Arrival]] = field(default_factory=dict)

    def is_done(self, position: int) -> bool:
        return self.failed_from is None or position < self.failed_from

    def fail(self, position: int) -> None:
        self.failed_from = position if self.failed_from is None else min(self.failed_from, position)

    def note_taken(self, colour: Colour, arrivals: Sequence[Arrival]) -> None:
        """What the colour took, also of what is handed back."""
        self._taken.setdefault(colour, []).extend(arrivals)

    def note_late(self, colour: Colour, arrivals: Sequence[Arrival]) -> None:
        self._late.setdefault(colour, []).extend(arrivals)

    def forwarded(self) -> dict[Colour, list[Arrival]]:
        """What each colour took and will not be sent again, in the stream's order."""
        return self._done(self._taken)

    def late(self) -> dict[Colour, list[Arrival]]:
        """What came too late for each colour's bulk import, and is not handed back."""
        return self._done(self._late)

    def _done(self, noted: dict[Colour, list[Arrival]]) -> dict[Colour, list[Arrival]]:
        return {
            colour: sorted(
                (arrival for arrival in arrivals if self.is_done(arrival.position)),
                key=lambda arrival: arrival.position,
            )
            for colour, arrivals in noted.items()
        }


class Forwarder:
    """Takes batches of the stream to the open colours.

    :param now: unix seconds.
    :param patience_seconds: an event that Personalize does not take this long after it was received
        goes to the failure queue, so that it does not hold up the others.
    :param settling_seconds: this long after its cutoff a colour's bulk import may begin to be written;
        the collector's timeout.
    """

    def __init__(
        self,
        *,
        sender: Sender,
        colours: OpenColours,
        queue: FailureQueue,
        backoff: Backoff,
        now: Callable[[], float],
        patience_seconds: float,
        settling_seconds: float,
    ) -> None:
        self._sender = sender
        self._colours = colours
        self._queue = queue
        self._backoff = backoff
        self._now = now
        self._patience_ms = patience_seconds * 1000
        self._settling_ms = settling_seconds * 1000

    def deliver(self, records: Sequence[dict[str, Any]], *, seconds: float) -> Delivery:
        """Deliver the records of a Lambda event of Kinesis.

        :param seconds: after which what is left is put off.
        """
        deadline = self._backoff.clock() + seconds
        delivery = Delivery()
        malformed: list[Undelivered] = []
        arrivals = []
        for position, record in enumerate(records):
            try:
                event = read_record(record)
            except Malformed as reason:
                malformed.append(Undelivered(position, str(reason)))
                continue
            if event is not None:
                arrivals.append(Arrival(position, event))
        undelivered = self._deliver_to_all(arrivals, records, deadline, delivery) if arrivals else []
        for each in sorted([*malformed, *undelivered], key=lambda each: each.position):
            if delivery.is_done(each.position):
                self._hand_over(each, records[each.position], delivery)
        delivery.malformed = sum(delivery.is_done(each.position) for each in malformed)
        return delivery

    def _deliver_to_all(
        self,
        arrivals: list[Arrival],
        records: Sequence[dict[str, Any]],
        deadline: float,
        delivery: Delivery,
    ) -> list[Undelivered]:
        try:
            colours = self._colours.current()
        except (ClientError, BotoCoreError) as error:
            reason = f"open colours: {code_of(error)}"
            return self._put_off([(arrival, reason) for arrival in arrivals], None, delivery)
        undelivered: list[Undelivered] = []
        for colour in colours:
            early = [arrival for arrival in arrivals if arrival.event["received_at"] < colour.cutoff]
            late = [arrival for arrival in early if self._is_late(records[arrival.position], colour)]
            delivery.note_late(colour.colour, late)
        due = [
            (colour, [arrival for arrival in arrivals if arrival.event["received_at"] >= colour.cutoff])
            for colour in colours
        ]
        for colour, sent in self._sender.send(due, deadline=deadline):
            delivery.note_taken(colour.colour, sent.taken)
            if not sent.retired:
                undelivered += sent.refused
                undelivered += self._put_off(sent.waiting, colour, delivery)
        return undelivered

    def _is_late(self, record: dict[str, Any], colour: OpenColour) -> bool:
        arrived_at = record["kinesis"].get("approximateArrivalTimestamp", 0) * 1000
        return bool(arrived_at > colour.cutoff + self._settling_ms)

    def _put_off(
        self, waiting: list[tuple[Arrival, str]], colour: OpenColour | None, delivery: Delivery
    ) -> list[Undelivered]:
        """Hand back what may still wait; answer what may not."""
        undelivered = []
        for arrival, reason in waiting:
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
