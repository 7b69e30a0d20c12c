"""What each user did last: read by every answer, changed by every streamed event."""

from __future__ import annotations

import threading
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from local_cloud.personalize.recommenders.interactions import Codes, EventLog

_LONGEST: Final = 1000  # events remembered per user: bounds what a streamed event of a robot costs
_NOTHING: Final[Codes] = np.empty(0, dtype=np.int32)


class _History(NamedTuple):
    """Oldest first; never changed in place, so that it can be read without a lock."""

    timestamps: NDArray[np.int64]
    items: Codes


class Histories:
    """The newest events of every user, those at training and those streamed since.

    A streamed event replaces the user's history by a new one under a lock; readers take whichever is there,
    whole, and need none.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._users = {user_id: user for user, user_id in enumerate(log.user_ids)}
        self._streamed: dict[str, _History] = {}
        self._writing = threading.Lock()

    def newest(self, user_id: str) -> Codes:
        """The user's last items, newest first; empty for a user nobody has heard of."""
        return self._of(user_id).items[::-1]

    def record(self, user_id: str, item: int, timestamp: int) -> None:
        """Put an event where its timestamp belongs; it may come late."""
        with self._writing:
            history = self._of(user_id)
            place = int(np.searchsorted(history.timestamps, timestamp, side="right"))
            self._streamed[user_id] = _History(
                np.insert(history.timestamps, place, timestamp)[-_LONGEST:],
                np.insert(history.items, place, item)[-_LONGEST:],
            )

    def _of(self, user_id: str) -> _History:
        streamed = self._streamed.get(user_id)
        if streamed is not None:
            return streamed
        user = self._users.get(user_id)
        if user is None:
            return _History(np.empty(0, dtype=np.int64), _NOTHING)
        end = self._log.bounds[user + 1]
        events = slice(max(self._log.bounds[user], end - _LONGEST), end)
        return _History(self._log.timestamps[events], self._log.items[events])
