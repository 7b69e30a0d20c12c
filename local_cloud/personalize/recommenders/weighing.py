"""What each recipe weighs the catalogue by: co-visitation for a user or an item, popularity, likeness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self, TypeAlias

import numpy as np

from local_cloud.personalize.recommenders.attributes import Items, Semantics, alike
from local_cloud.personalize.recommenders.audience import Audience
from local_cloud.personalize.recommenders.covisitation import CoVisitation
from local_cloud.personalize.recommenders.interactions import Codes, EventLog
from local_cloud.personalize.recommenders.popularity import popularity
from local_cloud.personalize.recommenders.weighed import Adder, Background, Weighed

_INTENT: Final = 0.6  # per event back: what the user is after now
_TASTE: Final = 0.97  # per event back: what the user likes in the long run
_TASTE_SHARE: Final = 0.2
_POPULARITY_SHARE: Final = 0.02

_REPEATS_EXPECTED: Final = 0.1
"""Part of all events; where as many are repeats, what a user has touched keeps its full weight."""

_LEAST_FOR_TOUCHED: Final = 0.01

_NEXT_BASKET: Final = 0.1
"""What a pair counts that was bought by the same user at different times, where one in a basket counts 1."""

_FEW_EVENTS: Final = 10  # below, an item's attributes count besides

_EVENTS_PER_BPTT: Final = 60 / 32  # the default and maximum, 32, reads 60 events
_NEIGHBOURS_PER_DIMENSION: Final = 2  # the default, 149, keeps 298

Weigh: TypeAlias = Callable[[Codes, str | None], Weighed]
"""From some items, newest first, and a user, to how much each item of the catalogue fits them."""


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """The recipes' hyperparameters, in terms of co-visitation.

    :param history: newest events of a user that count (`bptt`).
    :param neighbours: kept per item (`hidden_dimension`).
    :param decay: whether newer events count more (`recency_mask`; `apply_recency_bias` in v2).
    """

    history: int = 60
    neighbours: int = 298
    decay: bool = True

    @classmethod
    def of(cls, hyperparameters: Mapping[str, str], *, hidden_dimension: int = 149) -> Self:
        """Parameters that mean nothing here are left aside, as are those that a recipe does not have.

        :param hidden_dimension: the recipe's default.
        :raises ValueError: for a value that cannot be read.
        """
        bptt = _whole_number(hyperparameters, "bptt", default=32)
        dimension = _whole_number(hyperparameters, "hidden_dimension", default=hidden_dimension)
        return cls(
            history=round(bptt * _EVENTS_PER_BPTT),
            neighbours=dimension * _NEIGHBOURS_PER_DIMENSION,
            decay=_truth(hyperparameters, "recency_mask") and _truth(hyperparameters, "apply_recency_bias"),
        )


def for_user(log: EventLog, tuning: Tuning, items: Items, users: Items, *, apart: bool = False) -> Weigh:
    """Neighbours of what the user did last, and a little of what everybody likes, or those like this user.

    Where people hardly come back to an item (films, unlike sneakers), what a user has touched is held back;
    how far, the log tells. It adds half to NDCG on MovieLens and changes nothing where repeats are common.

    :param apart: see `Weighed`.
    """
    together = _co_visitation(log, tuning, items)
    everybody = Background(popularity(log))
    audience = Audience(log, users, everybody) if users else None
    for_touched = min(1.0, max(_LEAST_FOR_TOUCHED, log.repeats / _REPEATS_EXPECTED))
    back = np.arange(tuning.history)
    by_place = _INTENT**back + _TASTE_SHARE * _TASTE**back if tuning.decay else np.ones(tuning.history)
    added = Adder(len(log.catalogue))

    def weigh(touched: Codes, user_id: str | None) -> Weighed:
        background = audience.background(user_id) if audience else everybody
        touched = touched[touched < len(everybody)]  # What has come since training has no neighbours
        read = touched[: tuning.history]
        near, strengths = together.around(read, by_place[: len(read)])
        # What was touched stands out too, so that it can be held back
        codes, sums = added(
            np.concatenate([near, touched]), np.concatenate([strengths, np.zeros(len(touched))])
        )
        total = sums.sum()
        share = _POPULARITY_SHARE if total else 1.0
        weights = share * background.weights[codes]
        if total:
            weights += (1 - share) / total * sums
        weights[np.searchsorted(codes, touched)] *= for_touched
        return Weighed(background, share=share, items=codes, weights=weights, apart=apart)

    return weigh


def for_item(log: EventLog, tuning: Tuning, items: Items) -> Weigh:
    """Neighbours of the newest item; popular ones fill up, or stand in for an item nobody has heard of."""
    return _around(log, _co_visitation(log, tuning, items))


def for_basket(log: EventLog, tuning: Tuning) -> Weigh:
    """What is bought along with the newest item, in whatever order: little counts but the same visit."""
    return _around(log, CoVisitation(log, neighbours=tuning.neighbours, decay=False, across=_NEXT_BASKET))


def _around(log: EventLog, together: CoVisitation) -> Weigh:
    everybody = Background(popularity(log))
    added = Adder(len(log.catalogue))

    def weigh(touched: Codes, user_id: str | None) -> Weighed:
        codes, sums = added(*together.around(touched[:1], np.ones(min(1, len(touched)))))
        return _before(everybody, codes, sums)

    return weigh


def for_look_alikes(log: EventLog, items: Items) -> Weigh:
    """Items whose words are those of the newest item; popular ones fill up."""
    semantics = Semantics(items, log.catalogue)
    everybody = Background(popularity(log))
    added = Adder(len(log.catalogue))

    def weigh(touched: Codes, user_id: str | None) -> Weighed:
        if not len(touched):
            return Weighed(everybody)
        return _before(everybody, *added(*semantics.around(int(touched[0]))))

    return weigh


def for_everybody(background: Callable[[], Background]) -> Weigh:
    """The same for all, as it is at the moment."""
    return lambda touched, user_id: Weighed(background())


def _before(
    background: Background, items: Codes, sums: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> Weighed:
    total = sums.sum()
    if not total:
        return Weighed(background)
    weights = (1 - _POPULARITY_SHARE) / total * sums + _POPULARITY_SHARE * background.weights[items]
    return Weighed(background, share=_POPULARITY_SHARE, items=items, weights=weights)


def _co_visitation(log: EventLog, tuning: Tuning, items: Items) -> CoVisitation:
    likeness = None
    if items:
        likeness = alike(items, log.catalogue, np.flatnonzero(log.counts < _FEW_EVENTS), log.counts)
    return CoVisitation(log, neighbours=tuning.neighbours, decay=tuning.decay, likeness=likeness)


def _whole_number(hyperparameters: Mapping[str, str], name: str, *, default: int) -> int:
    text = hyperparameters.get(name, str(default))
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {text!r}")
    return number


def _truth(hyperparameters: Mapping[str, str], name: str) -> bool:
    text = hyperparameters.get(name, "true")
    if text.lower() not in ("true", "false"):
        raise ValueError(f"{name} must be true or false, got {text!r}")
    return text.lower() == "true"
