"""The popular items of every placement, kept at hand for when Personalize does not answer."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

from recommendations.refresh import Refresh, in_a_thread
from recommendations.service import Service
from vocabulary.lake import popular_key

_LOG = logging.getLogger(__name__)
_LOG.setLevel(logging.INFO)

_FRESH_SECONDS: Final = 60.0


class PopularLists:
    """Popular items by placement, best first, refreshed in the background.

    Only the very first list may be waited for; after that whatever is known is
    answered, however old: an old list of popular items is a good one still.

    :param read: the item ids of a placement's list; raises when there is none to be had.
    :param now: seconds of the day.
    :param begin: begins a piece of work and returns at once.
    """

    def __init__(
        self,
        read: Callable[[str], list[str]],
        placements: Iterable[str],
        *,
        now: Callable[[], float] = time.time,
        begin: Callable[[Callable[[], None]], None] = in_a_thread,
    ) -> None:
        self._read = read
        self._placements = tuple(placements)
        self._lists: dict[str, list[str]] = {}
        self._refresh = Refresh(self._load, every=_FRESH_SECONDS, now=now, begin=begin)
        self.refresh = self._refresh.if_due
        """Begin to read the lists again if they are no longer fresh. Returns at once."""

    def items(self, placement: str, *, wait: float) -> list[str]:
        """What is known, which may be nothing; waits up to `wait` seconds for the first reading."""
        self._refresh.tried_within(wait)
        return self._lists.get(placement, [])

    def _load(self) -> bool:
        well = True
        for placement in self._placements:
            try:
                self._lists[placement] = self._read(placement)
            except Exception as error:
                # Before the first training there is none, and S3 may be away: what is known stays
                _LOG.warning(
                    "popular items of %s were not read: %s: %s", placement, type(error).__name__, error
                )
                well = False
        return well


def read_from(
    bucket: Callable[[], Service],
    prefix: str = "/",
    *,
    seconds: float = 2.0,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[str], list[str]]:
    """Reads `popular/{placement}.json`, `{items: [{item_id, count}, ...]}` best first.

    :param bucket: opens S3 anew: an earlier reading may still hang on an earlier connection.
    :param prefix: where the bucket's keys begin in a URL's path.
    """

    def read(placement: str) -> list[str]:
        answer = bucket().ask("GET", prefix + popular_key(placement), deadline=clock() + seconds)
        return [str(item["item_id"]) for item in json.loads(answer.body)["items"]]

    return read
