"""Which colours take events, as far as a running function may rely on what it last read."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from vocabulary.colours import COLOURS
from vocabulary.coordination import TABLE_KEY, OpenColour, open_colour_key


class OpenColours:
    """The open colours, from the coordination table, cached for a while.

    A colour opens with its cutoff further ahead than the cache lasts, so an
    event received at or after the cutoff is never judged by older knowledge.

    Threads may share it.

    :param table: boto3 DynamoDB Table; only one thread at a time uses it.
    :param cache_seconds: how long an answer may be used.
    :param now: unix seconds. Not a monotonic clock: that may stand still while a function is frozen.
    """

    def __init__(self, table: Any, *, cache_seconds: float, now: Callable[[], float]) -> None:
        self._table = table
        self._cache_seconds = cache_seconds
        self._now = now
        self._read_at = float("-inf")
        self._colours: tuple[OpenColour, ...] = ()
        self._reading = Lock()

    def current(self) -> tuple[OpenColour, ...]:
        """The open colours, the one that is open longest first."""
        if not 0 <= self._now() - self._read_at < self._cache_seconds:
            return self._read()
        return self._colours

    def is_open(self, tracking_id: str) -> bool:
        """Whether a colour has this tracker now, by a fresh look."""
        return any(colour.tracking_id == tracking_id for colour in self._read())

    def _read(self) -> tuple[OpenColour, ...]:
        with self._reading:
            read_at = self._now()
            found = []
            for colour in COLOURS:
                key = {TABLE_KEY: open_colour_key(colour)}
                if item := self._table.get_item(Key=key, ConsistentRead=True).get("Item"):
                    found.append(OpenColour.from_item(item))
            self._colours = tuple(sorted(found, key=lambda colour: colour.cutoff))
            self._read_at = read_at
            return self._colours
