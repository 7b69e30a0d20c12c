"""Trying again: how often, how far apart, and when to stop."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_FIRST_WAIT = 0.05
_LONGEST_WAIT = 1.0


@dataclass(frozen=True)
class Backoff:
    """Exponential backoff with full jitter, inside a time limit.

    Full jitter (a wait drawn evenly from zero up to the ceiling) spreads callers
    best: AWS Architecture Blog, "Exponential Backoff And Jitter".

    :param clock: seconds; differences count only.
    :param sleep: takes seconds.
    :param uniform: a number drawn evenly between two.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    uniform: Callable[[float, float], float] = random.uniform

    def attempts(self, deadline: float) -> Iterator[int]:
        """Yield 0, 1, 2, ... with waits between them, as long as an attempt can begin before `deadline`.

        Nothing is yielded when the deadline has passed already.
        """
        attempt = 0
        while self.clock() < deadline:
            yield attempt
            wait = self.uniform(0, min(_LONGEST_WAIT, _FIRST_WAIT * 2**attempt))
            if self.clock() + wait >= deadline:
                return
            self.sleep(wait)
            attempt += 1
