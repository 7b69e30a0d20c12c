"""What everybody likes, and what more and more do."""

from __future__ import annotations

from typing import Final

import numpy as np

from local_cloud.personalize.recommenders.covisitation import Weights
from local_cloud.personalize.recommenders.interactions import EventLog

_PSEUDO_COUNT: Final = 0.01
"""So that every item of the catalogue has a place, also one that nobody has touched."""

TREND_WINDOW: Final = 24 * 60 * 60
"""Seconds. Growth is that of the newest window over the one before it."""


def popularity(log: EventLog) -> Weights:
    """Each item's share of all events; adds up to 1."""
    counts = log.counts + _PSEUDO_COUNT
    shares: Weights = counts / counts.sum()
    return shares


def trend(log: EventLog, *, window: int = TREND_WINDOW) -> Weights:
    """How far each item's growth stands out from chance; above 0 for growth, highest for the steepest.

    The growth is divided by the spread that two equal Poisson counts would show: it takes more than one event
    after none to come before growth from 100 to 200. Items that did not change are told apart by their
    popularity. A log shorter than two windows is cut into two halves.

    :param window: seconds.
    """
    if not len(log):
        return popularity(log)
    newest = int(log.timestamps.max())
    span = min(window, max(1, (newest - int(log.timestamps.min()) + 1) // 2))
    age = newest - log.timestamps
    size = len(log.catalogue)
    new = np.bincount(log.items[age < span], minlength=size)
    old = np.bincount(log.items[(age >= span) & (age < 2 * span)], minlength=size)
    growth: Weights = (new - old) / np.sqrt(new + old + 1.0)
    return growth + 1e-6 * popularity(log)
