"""The popular items of every placement, kept at hand for when Personalize does not answer."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final

from vocabulary.lake import popular_key

_LOG = logging.getLogger(__name__)
_LOG.setLevel(logging.INFO)

_FRESH_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 5.0


def _in_a_thread(work: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # no thread to be had: the request that asked is no worse off
        threading.Thread(target=work, daemon=True).start()


class PopularLists:
    """Popular items by placement, best first, refreshed in the background.

    Only the very first list may be waited for; after that whatever is known is
    answered, however old: an old list of popular items is a good one still.

    :param read: the item ids of a placement's list; raises when there is none to be had.
    :param clock: seconds that only grow.
    :param begin: begins a piece of work and returns at once.
    """

    def __init__(
        self,
        read: Callable[[str], list[str]],
        placements: Iterable[str],
        *,
        clock: Callable[[], float] = time.monotonic,
        begin: Callable[[Callable[[], None]], None] = _in_a_thread,
    ) -> None:
        self._read = read
        self._placements = tuple(placements)
        self._clock = clock
        self._begin = begin
        self._lists: dict[str, list[str]] = {}
        self._tried = threading.Event()
        self._lock = threading.Lock()
        self._due = clock()

    def refresh(self) -> None:
        """Begin to read the lists again if they are no longer fresh. Returns at once.

        A reading that hangs is left alone: the next one begins when it would have been due.
        """
        with self._lock:
            now = self._clock()
            if now < self._due:
                return
            self._due = now + _FRESH_SECONDS
        self._begin(self._load)

    def items(self, placement: str, *, wait: float) -> list[str]:
        """What is known, which may be nothing; waits up to `wait` seconds for the first reading."""
        if not self._tried.is_set() and wait > 0:
            self._tried.wait(wait)
        return self._lists.get(placement, [])

    def _load(self) -> None:
        for placement in self._placements:
            try:
                self._lists[placement] = self._read(placement)
            except Exception as error:
                # Before the first training there is none, and S3 may be away: what is known stays
                _LOG.warning("popular items of %s were not read: %s", placement, error)
                with self._lock:
                    self._due = min(self._due, self._clock() + _RETRY_SECONDS)
        self._tried.set()


def read_from(s3: Any, bucket: str) -> Callable[[str], list[str]]:
    """Reads `popular/{placement}.json`, `{items: [{item_id, count}, ...]}` best first, by boto3."""

    def read(placement: str) -> list[str]:
        answer = s3.get_object(Bucket=bucket, Key=popular_key(placement))
        return [str(item["item_id"]) for item in json.loads(answer["Body"].read())["items"]]

    return read
