"""What the Users dataset is good for: those of whom little else is known.

Of each value of each column, what the users who have it take; a newcomer gets what people like them do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from local_cloud.personalize.recommenders.interactions import EventLog
from local_cloud.personalize.recommenders.weighed import Background, Weights

_MOST_VALUES: Final = 200  # of a column, the most frequent; rarer ones say little and there may be millions
_LEAST_USERS: Final = 5  # with a value, for it to count
_EVENTS_WORTH_POPULARITY: Final = 50.0  # with so many events of its users a value counts half

Attributes: TypeAlias = Mapping[str, Mapping[str, object]]
"""Columns by id: the Users or the Items dataset."""


class Audience:
    """
    :param users: the Users dataset.
    :param popular: what everybody likes; adds up to 1.
    """

    def __init__(self, log: EventLog, users: Attributes, popular: Background) -> None:
        self._users = users
        self._popular = popular
        self._codes = _values(users)
        members = _members(log, users, self._codes)
        weights = np.ones(len(log)) if log.weights is None else log.weights.astype(np.float64)
        taken = sparse.csr_array(
            (weights, (log.users, log.items)), shape=(len(log.user_ids), len(log.catalogue))
        )
        self._taken = (members.T @ taken).tocsr()
        self._totals = np.asarray(self._taken.sum(axis=1)).ravel()
        self._backgrounds: dict[tuple[int, ...], Background] = {}

    def background(self, user_id: str | None) -> Background:
        """What people like this user take; what everybody does when nothing is known of the user.

        Kept per combination of values, so that a second user like this one costs nothing.
        """
        values = self._of(user_id)
        if not values:
            return self._popular
        known = self._backgrounds.get(values)
        if known is None:
            if len(self._backgrounds) >= _MOST_KEPT:
                self._backgrounds.clear()
            known = self._backgrounds[values] = Background(self._mixed(values))
        return known

    def _of(self, user_id: str | None) -> tuple[int, ...]:
        if user_id is None:
            return ()
        pairs = _pairs(self._users.get(user_id, {}))
        return tuple(sorted(self._codes[pair] for pair in pairs if pair in self._codes))

    def _mixed(self, values: tuple[int, ...]) -> Weights:
        shares = np.zeros(len(self._popular))
        for value in values:
            row = self._taken[[value]].toarray().ravel()
            total = self._totals[value] + _EVENTS_WORTH_POPULARITY
            shares += (row + _EVENTS_WORTH_POPULARITY * self._popular.weights) / total
        mixed: Weights = shares / len(values)
        return mixed


_MOST_KEPT: Final = 500
"""Combinations of values; a background of 100,000 items takes a megabyte."""


def _pairs(attributes: Mapping[str, object]) -> list[tuple[str, str]]:
    """Columns and their values, where these are words; numbers are left out, as they are of items."""
    return [
        (column, choice)
        for column, value in attributes.items()
        if isinstance(value, str) and column != "USER_ID"
        for choice in value.split("|")
        if choice
    ]


def _values(users: Attributes) -> dict[tuple[str, str], int]:
    counts: dict[str, dict[str, int]] = {}
    for attributes in users.values():
        for column, value in _pairs(attributes):
            of_column = counts.setdefault(column, {})
            of_column[value] = of_column.get(value, 0) + 1
    kept = [
        (column, value)
        for column, of_column in sorted(counts.items())
        for value, count in sorted(of_column.items(), key=lambda entry: (-entry[1], entry[0]))[:_MOST_VALUES]
        if count >= _LEAST_USERS
    ]
    return {pair: code for code, pair in enumerate(kept)}


def _members(log: EventLog, users: Attributes, codes: Mapping[tuple[str, str], int]) -> sparse.csr_array:
    """Users by values: 1 where the user has the value."""
    rows: list[int] = []
    columns: list[int] = []
    for user, user_id in enumerate(log.user_ids):
        for pair in _pairs(users.get(user_id, {})):
            if pair in codes:
                rows.append(user)
                columns.append(codes[pair])
    ones: NDArray[np.float64] = np.ones(len(rows))
    return sparse.csr_array((ones, (rows, columns)), shape=(len(log.user_ids), max(1, len(codes))))
