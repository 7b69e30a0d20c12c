"""What only the legacy recipes had: aws-hrnn-coldstart's notion of a cold item.

Developer guide, "HRNN-Coldstart recipe (legacy)": an item is cold with at most `cold_start_max_interactions`
(default 15), or while it is not older than `cold_start_max_duration` (days, default 5.0) before
`cold_start_relative_from` (currentTime or latestItem).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from local_cloud.personalize.recommenders.exploration import Exploration, Newcomers
from local_cloud.personalize.recommenders.interactions import EventLog

_RELATIVE_FROM: Final = ("currentTime", "latestItem")


def cold_items(
    log: EventLog, created: Mapping[str, float], parameters: Mapping[str, str]
) -> tuple[Newcomers, Exploration]:
    """Which items are cold, and how they come into answers: as exploration brings new ones, at its defaults.

    Time is that of the data: currentTime means the newest event, latestItem the newest item's first.

    :param created: unix seconds, by item id.
    :raises ValueError: for a parameter that cannot be read.
    """
    most = _number(parameters, "cold_start_max_interactions", 15)
    days = _number(parameters, "cold_start_max_duration", 5.0)
    relative = parameters.get("cold_start_relative_from", "currentTime")
    if relative not in _RELATIVE_FROM:
        raise ValueError(f"cold_start_relative_from must be {' or '.join(_RELATIVE_FROM)}, got {relative!r}")
    by_age = Newcomers.of(log, created)
    origin = float(by_age.ages.min(initial=np.inf)) if relative == "latestItem" else 0.0
    cold = (log.counts[by_age.items] <= most) | (by_age.ages - origin <= days)
    return Newcomers(by_age.items[cold], np.zeros(int(cold.sum()))), Exploration()


def _number(parameters: Mapping[str, str], name: str, default: float) -> float:
    text = parameters.get(name, str(default))
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not number >= 0:
        raise ValueError(f"{name} must be a number of at least 0, got {text!r}")
    return number
