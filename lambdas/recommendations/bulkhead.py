"""Keeps a call that hangs from holding up whoever made it, or from piling up behind itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class TimedOut(Exception):
    """The call had no result in time; it is left to end by itself."""


class Full(Exception):
    """As many calls as may hang at once are hanging."""


class Bulkhead:
    """Runs calls in threads of their own.

    A timeout of the HTTP client is one between two bytes: an answer that drips
    never reaches it. So the caller waits for the whole call, up to a deadline.

    :param at_most: how many calls may be under way at once, those given up included.
    """

    def __init__(self, *, at_most: int) -> None:
        self._room = threading.Semaphore(at_most)

    def within(self, seconds: float, call: Callable[[], T]) -> T:
        """The call's result, or whatever it raises.

        :raises TimedOut: when there is none after `seconds`.
        :raises Full: when too many earlier calls still hang.
        """
        if seconds <= 0:
            raise TimedOut
        if not self._room.acquire(blocking=False):
            raise Full
        outcome: SimpleQueue[tuple[T, None] | tuple[None, BaseException]] = SimpleQueue()

        def run() -> None:
            try:
                outcome.put((call(), None))
            except BaseException as error:
                outcome.put((None, error))
            finally:
                self._room.release()

        try:
            threading.Thread(target=run, daemon=True).start()
        except RuntimeError:
            self._room.release()
            raise
        try:
            result = outcome.get(timeout=seconds)
        except Empty:
            raise TimedOut from None
        if result[1] is not None:
            raise result[1]
        return result[0]
