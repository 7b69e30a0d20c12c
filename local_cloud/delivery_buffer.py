"""Collects what comes in, so that it is delivered many at a time and whoever hands it in need not wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

_SECONDS: Final = 0.3
_RECORDS: Final = 500
"""Whichever comes first ends a batch. AWS's smallest buffers are larger, and tests would wait for them."""

Item = TypeVar("Item")


class DeliveryBuffer(Generic[Item]):
    """What is on its way to one destination, in order and one batch at a time.

    :param deliver: takes a batch, and returns when there is nothing more to do for it; raises nothing.
    """

    def __init__(self, deliver: Callable[[list[Item]], None]) -> None:
        self._deliver = deliver
        self._items: list[Item] = []
        self._delivering: list[Item] = []
        self._lock = threading.Lock()
        self._due = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, items: Iterable[Item]) -> None:
        with self._lock:
            self._items += items
            if len(self._items) >= _RECORDS:
                self._due.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="delivery")
                self._thread.start()

    def waiting(self) -> list[Item]:
        """What is not delivered yet, the oldest first."""
        with self._lock:
            return [*self._delivering, *self._items]

    def flush(self, within: float) -> None:
        """Deliver now, and wait until it is done.

        :param within: seconds.
        """
        with self._lock:
            thread = self._thread
            self._due.set()
        if thread:
            thread.join(within)

    def _run(self) -> None:
        while True:
            self._due.wait(_SECONDS)
            with self._lock:
                batch, self._items = self._items[:_RECORDS], self._items[_RECORDS:]
                if len(self._items) < _RECORDS:
                    self._due.clear()
                self._delivering = batch
                if not batch:
                    self._thread = None
                    return
            self._deliver(batch)
