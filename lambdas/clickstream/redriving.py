"""Takes the failure queue to the colours: what can be placed is, what nobody needs any more is let go.

What becomes of a message:

    placed      every open colour whose cutoff is at or before its event has taken it
    not needed  no open colour wants its event: bulk import has brought it, or will; or its colour is retired
    put off     a colour does not take it for now: it stays
    hopeless    it is no event, a colour refuses it, or it is not on the stream any more: it stays, unless
                such are to be discarded

Event ids make it harmless to place an event that a colour has already, so a
redrive may be stopped, repeated, or run beside another.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from botocore.exceptions import BotoCoreError, ClientError

from clickstream.failure_queue import TRUNCATED
from clickstream.forwarding import Arrival, Malformed, read_record
from clickstream.open_colours import OpenColours
from clickstream.sending import Sender, code_of
from vocabulary.coordination import OpenColour

Fate = Literal["placed", "not needed", "put off", "hopeless"]

_IN_A_CHUNK: Final = 100
_IN_A_RECEIVE: Final = 10  # as many as SQS gives
_HIDDEN_SECONDS: Final = 300
"""How long nobody else is given what is looked at here; longer than the function may run."""


class Unreadable(Exception):
    """A message holds nothing that could be placed; the text says why."""


class NotReadNow(Exception):
    """What a message points at cannot be read for now; the text says why."""


@dataclass
class Report:
    """What a redrive did, in messages.

    :param reasons: why messages stay, each with how many.
    :param discarded: hopeless ones that were deleted.
    :param more: there was more than the time allowed.
    """

    placed: int = 0
    not_needed: int = 0
    put_off: int = 0
    hopeless: int = 0
    discarded: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    more: bool = False

    def note(self, fate: Fate, reason: str | None) -> None:
        name = fate.replace(" ", "_")
        setattr(self, name, getattr(self, name) + 1)
        if reason is not None:
            self.reasons[f"{fate}: {reason}"] += 1

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "reasons": dict(self.reasons)}


@dataclass
class _Message:
    """A message of the queue and where its records lie in the chunk.

    :param unread: what becomes of one that has none, and why.
    """

    handle: str
    records: range
    unread: tuple[Fate, str] | None = None


class Redrive:
    """Empties a failure queue as far as that is possible.

    :param sqs: boto3 client, of the queue at `url`.
    :param stream: reads again what a message only points at: shard id, first and last sequence number to
        records as Lambda gets them; raises Unreadable or NotReadNow.
    :param clock: seconds, for time limits.
    """

    def __init__(
        self,
        *,
        sqs: Any,
        url: str,
        stream: Callable[[str, str, str], list[dict[str, Any]]],
        sender: Sender,
        colours: OpenColours,
        clock: Callable[[], float],
    ) -> None:
        self._sqs = sqs
        self._url = url
        self._stream = stream
        self._sender = sender
        self._colours = colours
        self._clock = clock

    def run(self, *, seconds: float, dry_run: bool = False, discard: bool = False) -> Report:
        """Go through the queue once.

        :param seconds: after which no more messages are looked at.
        :param dry_run: say what would be done, and leave every message.
        :param discard: delete the hopeless.
        """
        deadline = self._clock() + seconds
        report = Report()
        held: dict[str, None] = {}
        try:
            while messages := self._receive(deadline, held):
                done = self._settle(messages, report, deadline, dry_run=dry_run, discard=discard)
                self._delete(done)
                for handle in done:
                    del held[handle]
            report.more = self._clock() >= deadline
        finally:
            # What stays is to be seen at once, by people and by the alarm
            self._show_again(list(held))
        return report

    def _receive(self, deadline: float, held: dict[str, None]) -> list[dict[str, Any]]:
        received: list[dict[str, Any]] = []
        while len(received) < _IN_A_CHUNK and self._clock() < deadline:
            answer = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_IN_A_RECEIVE,
                VisibilityTimeout=_HIDDEN_SECONDS,
                WaitTimeSeconds=1,  # asks every server of the queue; an empty answer then means empty
            )
            if not answer.get("Messages"):
                break
            received += answer["Messages"]
            held.update(dict.fromkeys(message["ReceiptHandle"] for message in answer["Messages"]))
        return received

    def _settle(
        self,
        received: Sequence[Mapping[str, Any]],
        report: Report,
        deadline: float,
        *,
        dry_run: bool,
        discard: bool,
    ) -> list[str]:
        """Place what can be; answer the handles of what may be deleted."""
        records: list[dict[str, Any]] = []
        messages = []
        for each in received:
            first = len(records)
            unread: tuple[Fate, str] | None = None
            try:
                records += self._records_of(each["Body"])
            except Unreadable as error:
                unread = "hopeless", str(error)
            except NotReadNow as error:
                unread = "put off", str(error)
            messages.append(_Message(each["ReceiptHandle"], range(first, len(records)), unread))

        fates = self._place(records, deadline, dry_run=dry_run)
        done = []
        for message in messages:
            fate, reason = _of_message(message, fates)
            report.note(fate, reason)
            if dry_run:
                continue
            if fate == "hopeless" and discard:
                report.discarded += 1
            if fate in ("placed", "not needed") or (fate == "hopeless" and discard):
                done.append(message.handle)
        return done

    def _records_of(self, body: str) -> list[dict[str, Any]]:
        try:
            message = json.loads(body)
            if "KinesisBatchInfo" in message:
                batch = message["KinesisBatchInfo"]
                return self._stream(
                    batch["shardId"], batch["startSequenceNumber"], batch["endSequenceNumber"]
                )
            record = message["record"]
            if TRUNCATED in record:
                raise Unreadable("too large for the queue, which holds only its beginning")
            if not isinstance(record["kinesis"]["data"], str):
                raise TypeError
        except (ValueError, TypeError, KeyError):
            raise Unreadable("not a message of the forwarder") from None
        else:
            return [record]

    def _place(
        self, records: Sequence[dict[str, Any]], deadline: float, *, dry_run: bool
    ) -> list[tuple[Fate, str | None]]:
        """The fate of each record, and why it stays if it does."""
        fates: list[tuple[Fate, str | None]] = [("not needed", None)] * len(records)
        arrivals = []
        for position, record in enumerate(records):
            try:
                event = read_record(record)
            except Malformed as malformed:
                fates[position] = ("hopeless", f"no event: {malformed}")
                continue
            if event is not None:
                arrivals.append(Arrival(position, event))
        try:
            colours = self._colours.current()
        except (ClientError, BotoCoreError) as error:
            for arrival in arrivals:
                fates[arrival.position] = ("put off", f"open colours: {code_of(error)}")
            return fates
        due = [
            (colour, [arrival for arrival in arrivals if arrival.event["received_at"] >= colour.cutoff])
            for colour in colours
        ]
        if dry_run:
            for _, wanted in due:
                for arrival in wanted:
                    fates[arrival.position] = ("placed", None)
            return fates
        for position, fate, reason in self._send(due, deadline):
            if _WORST.index(fate) > _WORST.index(fates[position][0]):
                fates[position] = (fate, reason)
        return fates

    def _send(
        self, due: list[tuple[OpenColour, list[Arrival]]], deadline: float
    ) -> Iterator[tuple[int, Fate, str | None]]:
        # Longer than until the deadline: what was received is worth an attempt
        for _, sent in self._sender.send(due, deadline=max(deadline, self._clock() + 10)):
            yield from ((arrival.position, "placed", None) for arrival in sent.taken)
            if not sent.retired:
                yield from ((each.position, "hopeless", each.reason) for each in sent.refused)
                yield from ((arrival.position, "put off", reason) for arrival, reason in sent.waiting)

    def _delete(self, handles: Sequence[str]) -> None:
        for batch in _batches(handles):
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=batch)

    def _show_again(self, handles: Sequence[str]) -> None:
        for batch in _batches(handles):
            entries = [{**each, "VisibilityTimeout": 0} for each in batch]
            self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)


_WORST: Final[Sequence[Fate]] = ("not needed", "placed", "hopeless", "put off")
"""What is put off comes last: a message that is discarded must hold nothing that may still be placed."""


def _of_message(message: _Message, fates: Sequence[tuple[Fate, str | None]]) -> tuple[Fate, str | None]:
    """The worst of its records' fates is the message's."""
    if message.unread is not None:
        return message.unread
    own = [fates[position] for position in message.records]
    return max(own, key=lambda each: _WORST.index(each[0]), default=("not needed", None))


def _batches(handles: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    for at in range(0, len(handles), _IN_A_RECEIVE):
        batch = handles[at : at + _IN_A_RECEIVE]
        yield [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(batch)]
