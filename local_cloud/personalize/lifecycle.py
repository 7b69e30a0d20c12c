"""How an asynchronous resource moves from one status to the next.

A step takes as long as the `Clock` says. Where it takes no time, nothing waits for any: a resource
takes one step each time that it is looked at (described, listed, or met by a request that it stands in
the way of), so that every client sees that things take a while and no test depends on how fast it runs.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

from local_cloud.personalize.faults import Injected

PENDING: Final = "CREATE PENDING"
IN_PROGRESS: Final = "CREATE IN_PROGRESS"
ACTIVE: Final = "ACTIVE"
FAILED: Final = "CREATE FAILED"
STOPPING: Final = "CREATE STOPPING"
STOPPED: Final = "CREATE STOPPED"
DELETE_PENDING: Final = "DELETE PENDING"
DELETE_IN_PROGRESS: Final = "DELETE IN_PROGRESS"

BEING_CREATED: Final = frozenset({PENDING, IN_PROGRESS, STOPPING, "PENDING", "IN PROGRESS", "IN_PROGRESS"})


@dataclass(frozen=True, kw_only=True)
class Course:
    """The statuses of a creation or an update, by the service model's text of each Describe operation."""

    pending: str = PENDING
    under_way: str = IN_PROGRESS
    done: str = ACTIVE
    failed: str = FAILED


USUAL_COURSE: Final = Course()
STOP: Final = Course(pending="STOP PENDING", under_way="STOP IN_PROGRESS", done="INACTIVE", failed=ACTIVE)
START: Final = Course(pending="START PENDING", under_way="START IN_PROGRESS", failed="INACTIVE")
"""Of a recommender: API reference, "CreateRecommender"."""

COURSES: Final[Mapping[str, Course]] = {
    "BatchInferenceJob": Course(pending="PENDING", under_way="IN PROGRESS"),
    "DataDeletionJob": Course(pending="PENDING", under_way="IN_PROGRESS", done="COMPLETED", failed="FAILED"),
}
"""Of the kinds whose statuses have words of their own."""

DURATIONS: Final[Mapping[str, float]] = {
    "CreateDatasetGroup": 60,
    "CreateDataset": 30,
    "CreateDatasetImportJob": 360,
    "CreateDatasetExportJob": 300,
    "CreateEventTracker": 40,
    "CreateSolutionVersion": 1800,
    "CreateCampaign": 900,
    "UpdateCampaign": 600,
    "CreateFilter": 180,
    "CreateRecommender": 1380,
    "CreateBatchInferenceJob": 1800,
    "CreateDataDeletionJob": 1800,
}
"""Seconds until ACTIVE, small data: stored outputs of notebooks in aws-samples and AWS's own solution; of a
recommender, the example of the developer guide, "Evaluating an Amazon Personalize domain recommender"."""

_USUAL: Final = 60.0
_DELETION: Final = 90.0

_log = logging.getLogger(__name__)


class Failed(Exception):
    """Work that ends in CREATE FAILED; the message is the `failureReason`."""


class Clock:
    """Time for one local cloud: when it is, and how long things take.

    :param pace: seconds that each asynchronous step takes; 0 for one step a look.
    """

    def __init__(self, pace: float = 0.0, *, now: Callable[[], float] = time.time) -> None:
        if not 0 <= pace < math.inf:
            raise ValueError(f"pace must be at least 0 seconds, got {pace}")
        self._source = now
        self._ahead = 0.0
        self._pace: float | None = pace
        self._speed = 1.0

    @classmethod
    def of(cls, time_: str) -> Clock:
        """
        :param time_: see `set_time`.
        """
        clock = cls()
        clock.set_time(time_)
        return clock

    def set_time(self, time_: str) -> None:
        """
        :param time_: "none" for a step a look, "realistic" for about what AWS takes, "60x" for sixty times
            as fast as that, or the seconds that each step takes.
        :raises ValueError: for anything else.
        """
        text = time_.strip().lower()
        number = {"none": "0", "realistic": "1x"}.get(text, text)
        try:
            value = float(number.removesuffix("x"))
        except ValueError:
            value = -1.0
        scaled = number.endswith("x")
        if not 0 <= value < math.inf or (scaled and value == 0):
            raise ValueError(
                f'time must be "none", "realistic", a speed like "60x" or seconds per step, got {time_!r}'
            )
        self._pace, self._speed = (None, value) if scaled else (value, 1.0)

    @property
    def time(self) -> str:
        """As `set_time` takes it."""
        if self._pace is None:
            return "realistic" if self._speed == 1 else f"{self._speed:g}x"
        return f"{self._pace:g}" if self._pace else "none"

    def now(self) -> float:
        """Unix seconds."""
        return self._source() + self._ahead

    def advance(self, seconds: float) -> None:
        """Put the clock forward."""
        self._ahead += seconds

    def stamp(self) -> float:
        """A date as the API gives it: Unix seconds with milliseconds."""
        return round(self.now(), 3)

    def lasts(self, seconds: float) -> float:
        """How long something takes here that takes so long on AWS, apart from asynchronous steps."""
        return seconds / self._speed

    def step_of(self, operation: str) -> float:
        """Seconds that each of the two steps of what an operation begins takes; 0 for one step a look."""
        if self._pace is not None:
            return self._pace
        usual = _DELETION if operation.startswith("Delete") else _USUAL
        return DURATIONS.get(operation, usual) / 2 / self._speed


@dataclass(kw_only=True)
class Progress:
    """The steps that a resource has before it.

    :param record: holds `status` and `lastUpdatedDateTime`; a resource's own, or that of its latest update.
    :param steps: statuses to come, the last one included unless `gone`.
    :param finish: called at the last step with the result of `work`.
    :param work: what the last step waits for; its `Failed` turns that step into CREATE FAILED.
    :param operation: that began it, by which it takes its time.
    :param fault: that has struck it, if any.
    :param failed: the status in which it ends when its work fails.
    """

    record: dict[str, Any]
    steps: list[str]
    since: float
    finish: Callable[[Any], None] = field(default=lambda _: None)
    work: Future[Any] | None = None
    gone: bool = False
    operation: str = ""
    fault: Injected | None = None
    failed: str = FAILED

    def advance(self, clock: Clock, *, looked_at: bool) -> bool:
        """Take the steps that are due; True when there are none left."""
        if self._is_stuck():
            self.since = clock.now()
            return False
        pace = clock.step_of(self.operation)
        if pace == 0:
            return looked_at and self._step(clock.stamp())
        while clock.now() >= self.since + pace and not self._waits_for_work():
            self.since += pace
            if self._step(clock.stamp()):
                return True
        return False

    def _is_stuck(self) -> bool:
        fault = self.fault
        return fault is not None and fault.fault.outcome == "stuck" and not fault.cleared.is_set()

    def _waits_for_work(self) -> bool:
        return len(self.steps) == 1 and self.work is not None and not self.work.done()

    def _step(self, moment: float) -> bool:
        if self._waits_for_work():
            return False
        status = self.steps.pop(0) if self.steps else ""
        done = not self.steps if not self.gone else not status
        result = None
        if done and (reason := self._failure()) is not None:
            status, self.record["failureReason"] = self.failed, reason
        elif done and self.work is not None:
            result = self.work.result()
        if status:
            self.record.update(status=status, lastUpdatedDateTime=moment)
        if done and status != self.failed:
            self.finish(result)
        return done

    def _failure(self) -> str | None:
        if self.fault is not None and self.fault.fault.outcome == "failed" and not self.gone:
            return self.fault.fault.message or "Internal error: injected"
        error = self.work.exception() if self.work is not None else None
        return None if error is None else _reason(error)


def _reason(error: BaseException) -> str:
    if isinstance(error, Failed):
        return str(error)
    _log.error("the work behind a resource failed", exc_info=error)
    return f"Internal error: {error!r}"
