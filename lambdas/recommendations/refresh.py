"""Work that is done beside requests, now and then, and that no request waits for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

RETRY_SECONDS: Final = 5.0


def in_a_thread(work: Callable[[], None]) -> None:
    """Begin a piece of work; returns at once."""
    with suppress(RuntimeError):  # no thread to be had: the request that asked is no worse off
        threading.Thread(target=work, daemon=True).start()


class Refresh:
    """Begins a piece of work again when its result is no longer fresh.

    Lambda freezes whatever runs on after an answer, and may thaw it much later with its
    connections dead: a piece of work that hangs is left alone, and the
    next begins when it would have been due. So two may be under way at once.

    :param work: answers whether it went well; when not, it is tried again in 5 seconds.
    :param every: seconds that a result stays fresh.
    :param now: seconds of the day, which go on while the sandbox is frozen.
    :param begin: begins a piece of work and returns at once.
    """

    def __init__(
        self,
        work: Callable[[], bool],
        *,
        every: float,
        now: Callable[[], float] = time.time,
        begin: Callable[[Callable[[], None]], None] = in_a_thread,
    ) -> None:
        self._work, self._every = work, every
        self._now, self._begin = now, begin
        self._due = 0.0
        self._tried = threading.Event()
        self._lock = threading.Lock()

    def if_due(self) -> None:
        """Begin if it is time. Returns at once."""
        # A clock that was set back must not put it off
        if 0 < self._due - self._now() <= self._every:
            return
        with self._lock:
            now = self._now()
            if 0 < self._due - now <= self._every:
                return
            self._due = now + self._every
        self._begin(self._run)

    def tried_within(self, seconds: float) -> bool:
        """Wait for the first piece of work to end, well or badly; answer whether it has."""
        return self._tried.is_set() or (seconds > 0 and self._tried.wait(seconds))

    def _run(self) -> None:
        well = False
        try:
            well = self._work()
        finally:
            if not well:
                with self._lock:
                    self._due = min(self._due, self._now() + RETRY_SECONDS)
            self._tried.set()
