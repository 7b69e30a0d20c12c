"""Sends events to open colours: the sessions of each side by side, what is of one session in its order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from clickstream.backoff import Backoff
from clickstream.failure_queue import Undelivered
from clickstream.forwarding import Arrival, calls_of, put_events_request
from clickstream.open_colours import OpenColours
from vocabulary.colours import Colour
from vocabulary.coordination import OpenColour

_REFUSALS: Final = ("InvalidInputException", "ResourceNotFoundException", "ValidationException")
"""Errors that another attempt with the same input cannot mend; an unknown tracker is one of them."""

_LONGEST_CALL: Final = 5.0
"""Seconds within which one call is tried again before the colour is left alone."""


class _Refused(Exception):
    """Personalize will not have these events."""


class _Unavailable(Exception):
    """Personalize, or the coordination table, does not do its work for now."""


@dataclass
class Sent:
    """What became of the events due to one colour.

    :param taken: Personalize has them.
    :param refused: it will never have them.
    :param waiting: it did not take them yet, and why.
    :param retired: the colour has gone meanwhile; what it refused or has not taken matters no more.
    """

    taken: list[Arrival] = field(default_factory=list)
    refused: list[Undelivered] = field(default_factory=list)
    waiting: list[tuple[Arrival, str]] = field(default_factory=list)
    retired: bool = False

    def add(self, other: Sent) -> None:
        self.taken += other.taken
        self.refused += other.refused
        self.waiting += other.waiting
        self.retired |= other.retired


@dataclass
class _Standing:
    """What the threads that send to one colour tell each other.

    :param unavailable: why nothing more is to be tried in this batch, once that is so.
    """

    unavailable: str | None = None
    retired: bool = False


class Sender:
    """Puts events to the trackers of colours.

    :param personalize: boto3 client of `personalize-events` that tries each call once; threads share it.
    :param pool_of: where a colour's calls run. Each colour has its own, so that one that hangs costs the
        others nothing.
    """

    def __init__(
        self,
        *,
        personalize: Any,
        colours: OpenColours,
        backoff: Backoff,
        pool_of: Callable[[Colour], Executor],
    ) -> None:
        self._personalize = personalize
        self._colours = colours
        self._backoff = backoff
        self._pool_of = pool_of

    def send(
        self, due: Iterable[tuple[OpenColour, Sequence[Arrival]]], *, deadline: float
    ) -> list[tuple[OpenColour, Sent]]:
        """Send each colour what is due to it.

        :param deadline: of the backoff's clock; no attempt begins later.
        """
        running: list[tuple[OpenColour, list[Future[Sent]]]] = []
        for colour, arrivals in due:
            pool, standing = self._pool_of(colour.colour), _Standing()
            lanes = [
                pool.submit(self._send_in_order, colour, calls, deadline, standing)
                for calls in _by_session(calls_of(arrivals))
            ]
            running.append((colour, lanes))
        finished = []
        for colour, lanes in running:
            sent = Sent()
            for lane in lanes:
                sent.add(lane.result())
            finished.append((colour, sent))
        return finished

    def _send_in_order(
        self, colour: OpenColour, calls: Sequence[list[Arrival]], deadline: float, standing: _Standing
    ) -> Sent:
        sent = Sent()
        for call in calls:
            self._send_call(colour, call, deadline, standing, sent)
        sent.retired = standing.retired
        return sent

    def _send_call(
        self, colour: OpenColour, call: list[Arrival], deadline: float, standing: _Standing, sent: Sent
    ) -> None:
        """Send the events of one call; where some are refused, send them apart until it is known which."""
        if standing.retired:
            return
        if standing.unavailable is not None:
            sent.waiting += ((arrival, standing.unavailable) for arrival in call)
            return
        try:
            try:
                self._put_events(colour, call, deadline)
                sent.taken += call
            except _Refused as refused:
                if not self._is_open(colour):
                    standing.retired = True
                elif len(call) == 1:
                    sent.refused.append(Undelivered(call[0].position, str(refused), colour))
                else:
                    middle = len(call) // 2
                    self._send_call(colour, call[:middle], deadline, standing, sent)
                    self._send_call(colour, call[middle:], deadline, standing, sent)
        except _Unavailable as unavailable:
            standing.unavailable = str(unavailable)
            sent.waiting += ((arrival, standing.unavailable) for arrival in call)

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
                last = code_of(error)
                if isinstance(error, ClientError) and last in _REFUSALS:
                    raise _Refused(f"{last}: {error.response['Error'].get('Message', '')}") from None
        raise _Unavailable(f"PutEvents: {last}")

    def _is_open(self, colour: OpenColour) -> bool:
        try:
            return self._colours.is_open(colour.tracking_id)
        except (ClientError, BotoCoreError) as error:
            raise _Unavailable(f"open colours: {code_of(error)}") from None


def _by_session(calls: Iterable[list[Arrival]]) -> list[list[list[Arrival]]]:
    """Calls of one session wait for each other: its order counts, and so does which user it became."""
    lanes: dict[str, list[list[Arrival]]] = {}
    for call in calls:
        lanes.setdefault(call[0].event["session_id"], []).append(call)
    return list(lanes.values())


def code_of(error: ClientError | BotoCoreError) -> str:
    """The error's name, as AWS or the client library calls it."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
