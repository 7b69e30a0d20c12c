"""Which call of a state machine goes wrong, when, and how.

A *call* is either the task of a state itself, or a request that the function of
such a task makes to an AWS service. It can fail before it has had its effect, or
after: the work is done and the answer is lost. And its execution can end while the
call is under way, which then has its effect all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Literal, Self, get_args

When = Literal["before", "during", "after"]
How = Literal["error", "stop", "time-out", "hold"]

TASK = ""
"""The operation of a call that is the task of a state itself."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """Something that an execution is about to do, or has done.

    :param machine: name of the state machine.
    :param state: name of the state.
    :param operation: `TASK`, or the IAM action of a request that the state's function makes, such as
        `ssm:PutParameter`.
    :param nth: how many requests of the same operation the same attempt of the task has made before.
    :param attempt: of the task by Step Functions, or of the request by the SDK; from 1.
    """

    machine: str
    state: str
    operation: str = TASK
    nth: int = 0
    attempt: int = 1


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong at the calls that it matches.

    :param machine: a pattern (`fnmatch`), as `state` and `operation` are.
    :param nth: only that request of an attempt, or None for each.
    :param when: before or after the call has had its effect; `during`, and its effect follows.
    :param how: `error`, or `stop` and `time-out` of the whole execution (which no Catch ever sees); `hold`
        lets the call wait until other faults are set.
    :param error: the error's name where a task fails. A request fails with a 503, which SDKs try again, or
        where it lasts with a 400, which they do not.
    :param lasting: at every attempt; otherwise at the first only, so that the next one gets through.
    :param times: how often it acts before it is spent, or None for always.
    """

    machine: str = "*"
    state: str = "*"
    operation: str = TASK
    nth: int | None = None
    when: When = "before"
    how: How = "error"
    error: str = "Lambda.ServiceException"
    lasting: bool = False
    times: int | None = None

    def __post_init__(self) -> None:
        if self.when not in get_args(When):
            raise ValueError(f"when must be one of {', '.join(get_args(When))}, got {self.when!r}")
        if self.how not in get_args(How):
            raise ValueError(f"how must be one of {', '.join(get_args(How))}, got {self.how!r}")
        if self.when == "during" and self.how not in ("stop", "time-out"):
            raise ValueError(f"when must be before or after for {self.how!r}, got 'during'")
        if self.times is not None and self.times < 0:
            raise ValueError(f"times must be None or at least 0, got {self.times}")

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; a TypeError names a member that is unknown."""
        return cls(**members)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def matches(self, call: Call, when: When) -> bool:
        return (
            self.when == when
            and (self.lasting or call.attempt == 1)
            and self.nth in (None, call.nth)
            and fnmatchcase(call.machine, self.machine)
            and fnmatchcase(call.state, self.state)
            and fnmatchcase(call.operation, self.operation)
        )


class Faults:
    """The faults that are in force, and the calls that were seen; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._age = 0
        self._faults: list[Fault] = []
        self._calls: dict[Call, int] = {}
        self._acted: list[tuple[Call, Fault]] = []

    def set(self, faults: Iterable[Fault]) -> None:
        """Put these in force in place of all others, forget what was seen, and let go what is held."""
        with self._lock:
            self._age += 1
            self._lock.notify_all()
            self._faults = list(faults)
            self._calls.clear()
            self._acted.clear()

    def see(self, call: Call) -> None:
        """Remember that a call was begun."""
        with self._lock:
            self._calls[call] = self._calls.get(call, 0) + 1

    def take(self, call: Call, when: When) -> Fault | None:
        """The fault that strikes now, if any; one that is spent strikes no more."""
        with self._lock:
            for place, fault in enumerate(self._faults):
                if fault.times == 0 or not fault.matches(call, when):
                    continue
                if fault.times is not None:
                    self._faults[place] = replace(fault, times=fault.times - 1)
                self._acted.append((call, fault))
                return fault
        return None

    def hold(self) -> None:
        """Wait until other faults are set."""
        with self._lock:
            age = self._age
            self._lock.wait_for(lambda: self._age != age)

    def seen(self) -> list[Call]:
        """Every different call since `set`, in the order of their first time."""
        with self._lock:
            return list(self._calls)

    def struck(self) -> list[Call]:
        """The calls at which a fault acted since `set`, in order."""
        with self._lock:
            return [call for call, _ in self._acted]
