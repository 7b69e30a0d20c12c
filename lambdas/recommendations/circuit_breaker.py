"""Stops asking a campaign that fails, and tries now and then whether it is back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

_WATCHED: Final = 10
_FAILURES: Final = 5
_SHORTEST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 30.0


class CircuitOpen(Exception):
    """The campaign was not asked, because it has just failed again and again."""


class CircuitBreaker:
    """Watches one campaign's last calls; of a sandbox's own, since sandboxes share nothing.

    It opens when 5 of the last 10 calls failed. Then one call is let through after
    a second, and if that fails too after 2, 4, … 30; the first that succeeds closes it.

    :param now: seconds of the day: a pause goes on while Lambda has the sandbox frozen.
    """

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._outcomes = 0  # a bit a call, the latest lowest, set where it failed
        self._pause = 0.0
        self._again_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls would be wasted now; False also for the one that probes."""
        if not self._pause:
            return False
        left = self._again_at - self._now()
        # A clock that was set back must not keep it open
        return 0 < left <= self._pause

    def succeeded(self) -> None:
        """Tell how a call ended."""
        if self._pause:
            self._outcomes, self._pause = 0, 0.0
        else:
            self._outcomes = (self._outcomes << 1) & ((1 << _WATCHED) - 1)

    def failed(self) -> None:
        """Tell how a call ended."""
        self._outcomes = ((self._outcomes << 1) | 1) & ((1 << _WATCHED) - 1)
        if self._pause or self._outcomes.bit_count() >= _FAILURES:
            self._pause = min(self._pause * 2, _LONGEST_PAUSE) if self._pause else _SHORTEST_PAUSE
            self._again_at = self._now() + self._pause
