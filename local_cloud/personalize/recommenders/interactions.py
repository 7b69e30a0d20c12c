"""Interactions as numbers: users and items as codes, the events of each user together and in order."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from local_cloud.personalize.recommenders.columns import IdCodes
from local_cloud.personalize.recommenders.contract import Interactions

Codes: TypeAlias = NDArray[np.int32]
"""Items as indices into a Catalogue."""

PAUSE: Final = 30 * 60
"""Seconds without an event after which a user is taken to have come back."""


class Catalogue:
    """The items known at training, each with its code; in order of their ids, whatever order they came in."""

    def __init__(self, item_ids: Iterable[str]) -> None:
        self.item_ids: Final[list[str]] = sorted(set(item_ids))
        self._codes = {item_id: code for code, item_id in enumerate(self.item_ids)}
        self._growing = threading.Lock()

    def __len__(self) -> int:
        return len(self.item_ids)

    def code(self, item_id: str) -> int | None:
        """None for an item that is not known."""
        return self._codes.get(item_id)

    def admit(self, item_id: str) -> int:
        """The item's code; one that was not known is appended."""
        code = self._codes.get(item_id)
        if code is None:
            with self._growing:
                code = self._codes.get(item_id)
                if code is None:
                    code = len(self.item_ids)
                    self.item_ids.append(item_id)  # first the id: who has the code can look it up
                    self._codes[item_id] = code
        return code

    def codes(self, item_ids: Sequence[str]) -> Codes:
        """:raises KeyError: for an item that is not in the catalogue."""
        return np.fromiter(map(self._codes.__getitem__, item_ids), dtype=np.int32, count=len(item_ids))


@dataclass(frozen=True, kw_only=True)
class EventLog:
    """All events, by user and then by time.

    :param user_ids: the users, by their codes.
    :param users: per event, ascending.
    :param items: per event.
    :param timestamps: per event, unix seconds, ascending within a user.
    :param weights: per event; None when all count alike.
    """

    catalogue: Catalogue
    user_ids: Sequence[str]
    users: NDArray[np.int32]
    items: Codes
    timestamps: NDArray[np.int64]
    weights: NDArray[np.float32] | None = None

    @classmethod
    def of(cls, interactions: Interactions, catalogue: Catalogue) -> EventLog:
        users, items = IdCodes.of(interactions.user_ids), IdCodes.of(interactions.item_ids)
        user_ids = sorted(users.distinct)
        code_of = {user_id: code for code, user_id in enumerate(user_ids)}
        user_codes = np.array([code_of[user_id] for user_id in users.distinct], dtype=np.int32)
        by_user = user_codes[users.codes]
        timestamps = np.asarray(interactions.timestamps, dtype=np.int64)
        order = np.lexsort((timestamps, by_user))  # stable: events of one second stay in the order given
        return cls(
            catalogue=catalogue,
            user_ids=user_ids,
            users=by_user[order],
            items=catalogue.codes(items.distinct)[items.codes[order]],
            timestamps=timestamps[order],
            weights=None if interactions.weights is None else interactions.weights[order],
        )

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Events per item of the catalogue."""
        return np.bincount(self.items, minlength=len(self.catalogue))

    @cached_property
    def takers(self) -> NDArray[np.float64]:
        """Users per item of the catalogue, each with the greatest weight of the user's events on the item."""
        pairs, size = self._pairs, len(self.catalogue)
        if self.weights is None:
            first = pairs[np.concatenate([[True], pairs[1:] != pairs[:-1]])] if len(pairs) else pairs
            return np.bincount(first % size, minlength=size).astype(np.float64)
        keys = self.users.astype(np.int64) * size + self.items
        order = np.lexsort((self.weights, keys))
        keys = keys[order]
        last = np.concatenate([keys[1:] != keys[:-1], [True]]) if len(keys) else np.zeros(0, dtype=bool)
        heaviest = self.weights[order][last]
        weighed = np.bincount(keys[last] % size, weights=heaviest, minlength=size)
        return weighed.astype(np.float64)

    @cached_property
    def bounds(self) -> NDArray[np.int64]:
        """User u's events are those from bounds[u] up to bounds[u + 1]."""
        return np.searchsorted(self.users, np.arange(len(self.user_ids) + 1, dtype=np.int32))

    @cached_property
    def repeats(self) -> float:
        """The part of all events that concern an item the same user had touched before, 0 to 1."""
        pairs = self._pairs
        return float(np.count_nonzero(pairs[1:] == pairs[:-1]) / len(self)) if len(self) else 0.0

    @property
    def _pairs(self) -> NDArray[np.int64]:
        """Every event's user and item in one number, sorted: much faster than np.unique."""
        return np.sort(self.users.astype(np.int64) * len(self.catalogue) + self.items)

    @cached_property
    def visits(self) -> NDArray[np.int32]:
        """Per event, how many pauses and changes of user lie before it in the whole log."""
        new = (np.diff(self.timestamps) > PAUSE) | (np.diff(self.users) != 0)
        starts = np.zeros(min(1, len(self)), dtype=np.int32)
        return np.concatenate([starts, np.cumsum(new, dtype=np.int32)])

    def without(self, users: NDArray[np.int64]) -> EventLog:
        """The same catalogue and users, but no event of the users given."""
        tested = np.zeros(len(self.user_ids), dtype=bool)
        tested[users] = True
        kept = ~tested[self.users]
        return EventLog(
            catalogue=self.catalogue,
            user_ids=self.user_ids,
            users=self.users[kept],
            items=self.items[kept],
            timestamps=self.timestamps[kept],
            weights=None if self.weights is None else self.weights[kept],
        )
