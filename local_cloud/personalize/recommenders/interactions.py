"""Interactions as numbers: users and items as codes, the events of each user together and in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from local_cloud.personalize.recommenders.contract import Interactions

Codes: TypeAlias = NDArray[np.int32]
"""Items as indices into a Catalogue."""

PAUSE: Final = 30 * 60
"""Seconds without an event after which a user is taken to have come back."""


class Catalogue:
    """The items known at training, each with its code; in order of their ids, whatever order they came in."""

    def __init__(self, item_ids: Iterable[str]) -> None:
        self.item_ids: Final[Sequence[str]] = sorted(set(item_ids))
        self._codes = {item_id: code for code, item_id in enumerate(self.item_ids)}

    def __len__(self) -> int:
        return len(self.item_ids)

    def code(self, item_id: str) -> int | None:
        """None for an item that was not known at training."""
        return self._codes.get(item_id)

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
    """

    catalogue: Catalogue
    user_ids: Sequence[str]
    users: NDArray[np.int64]
    items: Codes
    timestamps: NDArray[np.int64]

    @classmethod
    def of(cls, interactions: Interactions, catalogue: Catalogue) -> EventLog:
        user_ids = sorted(set(interactions.user_ids))
        code_of = {user_id: code for code, user_id in enumerate(user_ids)}
        users = np.fromiter(
            map(code_of.__getitem__, interactions.user_ids),
            dtype=np.int64,
            count=len(interactions.user_ids),
        )
        timestamps = np.asarray(interactions.timestamps, dtype=np.int64)
        order = np.lexsort((timestamps, users))  # stable: events of one second stay in the order given
        return cls(
            catalogue=catalogue,
            user_ids=user_ids,
            users=users[order],
            items=catalogue.codes(interactions.item_ids)[order],
            timestamps=timestamps[order],
        )

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Events per item of the catalogue."""
        return np.bincount(self.items, minlength=len(self.catalogue))

    @cached_property
    def bounds(self) -> NDArray[np.int64]:
        """User u's events are those from bounds[u] up to bounds[u + 1]."""
        return np.searchsorted(self.users, np.arange(len(self.user_ids) + 1))

    @cached_property
    def repeats(self) -> float:
        """The part of all events that concern an item the same user had touched before, 0 to 1."""
        pairs = np.sort(self.users * len(self.catalogue) + self.items)  # much faster than np.unique
        return float(np.count_nonzero(pairs[1:] == pairs[:-1]) / len(self)) if len(self) else 0.0

    @cached_property
    def visits(self) -> NDArray[np.int64]:
        """Per event, how many pauses lie before it in the whole log; a change of user is none."""
        pauses = (np.diff(self.timestamps) > PAUSE) & (np.diff(self.users) == 0)
        return np.concatenate([np.zeros(min(1, len(self)), dtype=np.int64), np.cumsum(pauses)])

    def without(self, users: NDArray[np.int64]) -> EventLog:
        """The same catalogue and users, but no event of the users given."""
        kept = ~np.isin(self.users, users)
        return EventLog(
            catalogue=self.catalogue,
            user_ids=self.user_ids,
            users=self.users[kept],
            items=self.items[kept],
            timestamps=self.timestamps[kept],
        )

    def blocks(self, size: int) -> Iterator[slice]:
        """Slices of about `size` events that part no user's history in two."""
        start = 0
        while start < len(self):
            last = self.users[min(start + size, len(self)) - 1]
            end = int(self.bounds[last + 1])
            yield slice(start, end)
            start = end
