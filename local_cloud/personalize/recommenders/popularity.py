"""What everybody likes."""

from __future__ import annotations

from typing import Final

from local_cloud.personalize.recommenders.interactions import EventLog
from local_cloud.personalize.recommenders.weighed import Weights

_PSEUDO_COUNT: Final = 0.01
"""So that every item of the catalogue has a place, also one that nobody has touched."""


def popularity(log: EventLog) -> Weights:
    """Each item's share of all that users take; adds up to 1.

    A user counts once per item (developer guide, "Popularity-Count recipe": the most interactions from
    unique users); how often users come back only tells equals apart.
    """
    counts = log.takers + _PSEUDO_COUNT + 1e-6 * log.counts / max(1, len(log))
    shares: Weights = counts / counts.sum()
    return shares


def frequency(log: EventLog) -> Weights:
    """Each item's share of all events, however few users they come from; adds up to 1."""
    counts = log.counts + _PSEUDO_COUNT
    shares: Weights = counts / counts.sum()
    return shares
