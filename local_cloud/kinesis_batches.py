"""How Lambda takes a batch of records of a Kinesis shard to its end.

Retries, partial responses, bisection and discarding as in the Lambda developer guide, "Configuring
partial batch response with Kinesis Data Streams and Lambda" and "Retain discarded batch records for a
Kinesis Data Streams event source in Lambda".
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

Record = dict[str, Any]
"""Of a shard: SequenceNumber, ApproximateArrivalTimestamp (unix seconds), Data (base64), PartitionKey."""

_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 2.0
"""AWS names neither; its waits grow too, to much more."""

_REPORTS: Final = "ReportBatchItemFailures"
_FOR_EVER: Final = -1


class Stopped(Exception):
    """The mapping is gone or disabled: what is not done yet is left to whoever reads the shard next."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What an event source mapping says about records that fail.

    :param retries: attempts after the first, or None for as many as their age allows.
    :param longest_age: seconds after their arrival that records are given up.
    """

    reports_failures: bool = False
    bisects: bool = False
    retries: int | None = None
    longest_age: float = float("inf")

    @classmethod
    def of(cls, mapping: Mapping[str, Any], *, retention: float) -> Policy:
        """
        :param mapping: with the names of Lambda's CreateEventSourceMapping.
        :param retention: of the stream, in seconds.
        """
        retries = int(mapping.get("MaximumRetryAttempts", _FOR_EVER))
        age = int(mapping.get("MaximumRecordAgeInSeconds", _FOR_EVER))
        return cls(
            reports_failures=_REPORTS in (mapping.get("FunctionResponseTypes") or ()),
            bisects=str(mapping.get("BisectBatchOnFunctionError")).lower() == "true",
            retries=None if retries == _FOR_EVER else retries,
            longest_age=retention if age == _FOR_EVER else min(age, retention),
        )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an invocation means for its records.

    :param done: so many from the first need no other attempt.
    :param failed: the function failed as a whole, which is what bisection answers.
    :param invoked: the function was run; if not, the attempt does not count.
    """

    done: int
    failed: bool = False
    invoked: bool = True


def outcome_of(records: Sequence[Record], result: Mapping[str, Any], *, reports_failures: bool) -> Outcome:
    """Read what MiniStack says of an invocation: `{body, error?, throttle?}`."""
    if result.get("throttle"):
        return Outcome(done=0, invoked=False)
    if result.get("error"):
        return Outcome(done=0, failed=True)
    response = result.get("body")
    if not reports_failures or response is None:
        return Outcome(done=len(records))
    # What AWS makes of other things than an object is not documented; a failure is sooner seen
    failures = response.get("batchItemFailures") if isinstance(response, dict) else [response]
    if not failures:
        return Outcome(done=len(records))
    positions = {record["SequenceNumber"]: position for position, record in enumerate(records)}
    reported = [each.get("itemIdentifier") if isinstance(each, dict) else None for each in failures]
    if not all(isinstance(each, str) and each in positions for each in reported):
        return Outcome(done=0, failed=True)
    return Outcome(done=min(positions[each] for each in reported))


class Consumer(Protocol):
    """Who reads the shard."""

    def policy(self) -> Policy:
        """As it is now.

        :raises Stopped: when nothing is to be read any more.
        """

    def invoke(self, records: list[Record]) -> Mapping[str, Any]:
        """Run the function: `{body, error?, throttle?}`."""

    def move_past(self, record: Record) -> None:
        """Everything up to this record is over."""

    def discard(self, records: list[Record], *, invocations: int) -> None:
        """These are given up, after so many invocations."""


@dataclass
class _Piece:
    records: list[Record]
    retries: int = 0
    invocations: int = 0


def settle(
    records: list[Record],
    consumer: Consumer,
    *,
    wait: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
) -> None:
    """Have every record processed or discarded, in order.

    :param wait: takes seconds.
    :param now: unix seconds.
    :raises Stopped: as `consumer.policy` does.
    """
    pieces = deque([_Piece(records)])
    while pieces:
        piece = pieces.popleft()
        policy = consumer.policy()
        if expired := _expired(piece.records, now() - policy.longest_age):
            consumer.discard(piece.records[:expired], invocations=piece.invocations)
            consumer.move_past(piece.records[expired - 1])
            if len(piece.records) > expired:
                pieces.appendleft(_Piece(piece.records[expired:], piece.retries, piece.invocations))
            continue

        result = consumer.invoke(piece.records)
        outcome = outcome_of(piece.records, result, reports_failures=policy.reports_failures)
        if outcome.done:
            consumer.move_past(piece.records[outcome.done - 1])
        if outcome.done == len(piece.records):
            continue
        rest = _Piece(piece.records[outcome.done :], piece.retries, piece.invocations + outcome.invoked)
        if policy.bisects and outcome.done:
            pieces.appendleft(rest)
        elif policy.bisects and outcome.failed and len(rest.records) > 1:
            middle = len(rest.records) // 2
            for half in (rest.records[middle:], rest.records[:middle]):
                pieces.appendleft(_Piece(half, rest.retries, rest.invocations))
        elif outcome.invoked and rest.retries == policy.retries:
            consumer.discard(rest.records, invocations=rest.invocations)
            consumer.move_past(rest.records[-1])
        else:
            rest.retries += outcome.invoked
            pieces.appendleft(rest)
            if not outcome.done:
                wait(min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(rest.invocations, 10)))


def _expired(records: list[Record], before: float) -> int:
    """How many from the first arrived before that moment."""
    return next(
        (at for at, record in enumerate(records) if record["ApproximateArrivalTimestamp"] >= before),
        len(records),
    )
