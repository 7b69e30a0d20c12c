"""How far a campaign lets what is popular, or new, come before what is alike.

API reference, `CampaignConfig`, rankingInfluence: from 0, no influence, to 1 for POPULARITY and FRESHNESS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np

from local_cloud.personalize.recommenders.exploration import Newcomers
from local_cloud.personalize.recommenders.interactions import EventLog
from local_cloud.personalize.recommenders.kept import Kept
from local_cloud.personalize.recommenders.popularity import popularity
from local_cloud.personalize.recommenders.weighed import Background, Weighed, Weights

POPULARITY: Final = "POPULARITY"
FRESHNESS: Final = "FRESHNESS"

_FULL: Final = (
    8.0  # the power of a place in the order at an influence of 1: the middle counts a 256th of the top
)
_MOST_KEPT: Final = 16

Counted: TypeAlias = tuple[tuple[str, float], ...]
"""What has an influence, and how much."""


class Influences:
    """Each item's place by popularity and by age, above 0 and up to 1 for the first."""

    def __init__(self, log: EventLog, created: Mapping[str, float]) -> None:
        size = len(log.catalogue)
        by_age = Newcomers.of(log, created)
        ages = np.empty(size)
        ages[by_age.items] = by_age.ages
        self._places = {POPULARITY: _places(popularity(log)), FRESHNESS: _places(-ages)}
        self._kept: Kept[tuple[Background, Counted], tuple[Background, Weights]] = Kept(_MOST_KEPT)

    def applied(self, weighed: Weighed, influence: Mapping[str, float]) -> Weighed:
        """:param influence: by POPULARITY and FRESHNESS, 0 to 1."""
        counted = tuple(sorted((name, value) for name, value in influence.items() if value > 0))
        if not counted:
            return weighed
        before = weighed.background
        return weighed.lifted(*self._kept.of((before, counted), lambda: self._lifted(before, counted)))

    def _lifted(self, background: Background, counted: Counted) -> tuple[Background, Weights]:
        lift = np.ones(len(background))
        for name, value in counted:
            lift *= self._places[name] ** (_FULL * value)
        return Background(background.weights * lift), lift


def _places(merits: Weights) -> Weights:
    """Equals share a place."""
    _, places = np.unique(merits, return_inverse=True)
    shares: Weights = (places.ravel() + 1.0) / (places.max(initial=0) + 1.0)
    return shares
