"""How an asynchronous resource moves from one status to the next.

A step takes `pace` seconds. With pace 0 nothing waits for time: a resource takes one step each
time that it is looked at (described, listed, or met by a request that it stands in the way of),
so that every client sees that things take a while and no test depends on how fast it runs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

PENDING: Final = "CREATE PENDING"
IN_PROGRESS: Final = "CREATE IN_PROGRESS"
ACTIVE: Final = "ACTIVE"
FAILED: Final = "CREATE FAILED"
STOPPING: Final = "CREATE STOPPING"
STOPPED: Final = "CREATE STOPPED"
DELETE_PENDING: Final = "DELETE PENDING"
DELETE_IN_PROGRESS: Final = "DELETE IN_PROGRESS"

BEING_CREATED: Final = frozenset({PENDING, IN_PROGRESS, STOPPING})

_log = logging.getLogger(__name__)


class Failed(Exception):
    """Work that ends in CREATE FAILED; the message is the `failureReason`."""


class Clock:
    """Time for one local cloud.

    :param pace: seconds that each asynchronous step takes; 0 for one step a look.
    """

    def __init__(self, pace: float, *, now: Callable[[], float] = time.time) -> None:
        if pace < 0:
            raise ValueError(f"pace must be at least 0 seconds, got {pace}")
        self.pace = pace
        self.now = now

    def stamp(self) -> float:
        """A date as the API gives it: Unix seconds with milliseconds."""
        return round(self.now(), 3)


@dataclass(kw_only=True)
class Progress:
    """The steps that a resource has before it.

    :param record: holds `status` and `lastUpdatedDateTime`; a resource's own, or that of its latest update.
    :param steps: statuses to come, the last one included unless `gone`.
    :param finish: called at the last step with the result of `work`.
    :param work: what the last step waits for; its `Failed` turns that step into CREATE FAILED.
    """

    record: dict[str, Any]
    steps: list[str]
    since: float
    finish: Callable[[Any], None] = field(default=lambda _: None)
    work: Future[Any] | None = None
    gone: bool = False

    def advance(self, clock: Clock, *, looked_at: bool) -> bool:
        """Take the steps that are due; True when there are none left."""
        if clock.pace == 0:
            return looked_at and self._step(clock.stamp())
        while clock.now() >= self.since + clock.pace:
            self.since += clock.pace
            if self._step(clock.stamp()):
                return True
            if self._waits_for_work():
                return False
        return False

    def _waits_for_work(self) -> bool:
        return len(self.steps) == 1 and self.work is not None and not self.work.done()

    def _step(self, moment: float) -> bool:
        if self._waits_for_work():
            return False
        status = self.steps.pop(0) if self.steps else ""
        done = not self.steps if not self.gone else not status
        result = None
        if done and self.work is not None:
            error = self.work.exception()
            if error is not None:
                status = FAILED
                self.record["failureReason"] = _reason(error)
            else:
                result = self.work.result()
        if status:
            self.record.update(status=status, lastUpdatedDateTime=moment)
        if done and status != FAILED:
            self.finish(result)
        return done


def _reason(error: BaseException) -> str:
    if isinstance(error, Failed):
        return str(error)
    _log.error("the work behind a resource failed", exc_info=error)
    return f"Internal error: {error!r}"
