"""What more and more people like, kept up with what is streamed.

Developer guide, "Trending-Now recipe": items by the increase of their interactions from one interval of
data to the next; an interval lasts as long as `trend_discovery_frequency` says, 2 hours by default. Streamed
events and new items count without training again, at the next look: one is due every interval, or every 2
hours where intervals are longer. Time is that of the events.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from local_cloud.personalize.recommenders.interactions import EventLog
from local_cloud.personalize.recommenders.metrics import LONGEST
from local_cloud.personalize.recommenders.popularity import popularity
from local_cloud.personalize.recommenders.weighed import Background, Weights

_HOUR: Final = 60 * 60

FREQUENCIES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "30 minutes": _HOUR // 2,
        "1 hour": _HOUR,
        "2 hours": 2 * _HOUR,
        "3 hours": 3 * _HOUR,
        "1 day": 24 * _HOUR,
    }
)
"""Seconds of an interval, by the values of `trend_discovery_frequency`."""

DEFAULT_FREQUENCY: Final = "2 hours"

_LOOK_EVERY: Final = 2 * _HOUR  # at most, however long intervals are


def interval_of(parameters: Mapping[str, str]) -> int:
    """Seconds.

    :raises ValueError: for a `trend_discovery_frequency` that there is not.
    """
    text = parameters.get("trend_discovery_frequency", DEFAULT_FREQUENCY)
    if text not in FREQUENCIES:
        raise ValueError(f"trend_discovery_frequency must be one of {', '.join(FREQUENCIES)}, got {text!r}")
    return FREQUENCIES[text]


def growth(new: NDArray[np.float64], old: NDArray[np.float64]) -> Weights:
    """How far each item's growth stands out from chance; above 0 for growth, highest for the steepest.

    It is divided by the spread that two equal Poisson counts would show: it takes more than one event after
    none to come before growth from 100 to 200.
    """
    steps: Weights = (new - old) / np.sqrt(new + old + 1.0)
    return steps


def trend(log: EventLog, *, interval: int, at: int | None = None) -> Weights:
    """The growth of every item in the newest interval over the one before; equals go by their popularity.

    :param interval: seconds.
    :param at: the end of the newest interval, unix seconds; that of the newest event if not given.
    """
    if not len(log):
        return popularity(log)
    age = (int(log.timestamps.max()) if at is None else at) - log.timestamps
    size = len(log.catalogue)
    new = np.bincount(log.items[(age >= 0) & (age < interval)], minlength=size)
    old = np.bincount(log.items[(age >= interval) & (age < 2 * interval)], minlength=size)
    return growth(new.astype(np.float64), old.astype(np.float64)) + 1e-6 * popularity(log)


class Trends:
    """The background of trending-now, from the log and what is recorded since.

    Items may have codes beyond those of the log's catalogue: they are new.
    """

    def __init__(self, log: EventLog, *, interval: int) -> None:
        self._interval = interval
        self._popular = popularity(log)
        newest = int(log.timestamps.max())
        recent = log.timestamps > newest - 2 * interval
        self._items = log.items[recent].astype(np.int32)
        self._timestamps = log.timestamps[recent]
        self._streamed: list[tuple[int, int]] = []
        self._newest = self._looked = newest
        self._changing = threading.Lock()
        self._background = self._look()

    @property
    def background(self) -> Background:
        """Never changed in place: whoever has it may go on reading."""
        return self._background

    def record(self, item: int, timestamp: int) -> None:
        with self._changing:
            self._streamed.append((item, timestamp))
            self._newest = max(self._newest, timestamp)
            if self._newest - self._looked >= min(self._interval, _LOOK_EVERY):
                self._looked = self._newest
                self._background = self._look()

    def _look(self) -> Background:
        if self._streamed:
            streamed = np.array(self._streamed, dtype=np.int64)
            self._items = np.concatenate([self._items, streamed[:, 0].astype(np.int32)])
            self._timestamps = np.concatenate([self._timestamps, streamed[:, 1]])
            self._streamed = []
        age = self._looked - self._timestamps
        kept = age < 2 * self._interval
        self._items, self._timestamps, age = self._items[kept], self._timestamps[kept], age[kept]
        size = max(len(self._popular), int(self._items.max(initial=-1)) + 1)
        self._popular = popular = np.pad(self._popular, (0, size - len(self._popular)))
        new = np.bincount(self._items[age < self._interval], minlength=size)
        old = np.bincount(self._items[age >= self._interval], minlength=size)
        return Background(growth(new.astype(np.float64), old.astype(np.float64)) + 1e-6 * popular)


def trend_prediction_accuracy(log: EventLog, *, interval: int) -> float:
    """How well what trended up to one interval ago foretold what trended in the newest one, 0 to 1.

    Developer guide, "Evaluating an Amazon Personalize solution version with metrics": the increase in
    popularity of all recommended items over that of the 25 items which really trended most.
    """
    before = int(log.timestamps.max()) - interval
    recommended = np.argsort(-trend(log, interval=interval, at=before), kind="stable")[:LONGEST]
    age = int(log.timestamps.max()) - log.timestamps
    size = len(log.catalogue)
    increase = np.bincount(log.items[age < interval], minlength=size) - np.bincount(
        log.items[(age >= interval) & (age < 2 * interval)], minlength=size
    )
    possible = float(np.sort(increase)[-LONGEST:].clip(min=0).sum())
    return round(max(0.0, float(increase[recommended].sum())) / possible, 4) if possible else 0.0
