"""From the data of a dataset group to a trained model."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from local_cloud.personalize import recommenders
from local_cloud.personalize.lifecycle import Failed
from local_cloud.personalize.streamed import Touch

MINIMUM_INTERACTIONS: Final = 1000
MINIMUM_USERS: Final = 25
MINIMUM_SHARE: Final = 0.01
"""Of users who have at least two interactions."""


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """All that a solution version is trained on, as it was when it was created.

    :param imported: and `streamed`: an interaction in both counts once.
    :param event_type: the only event type to train on.
    :param threshold: the least EVENT_VALUE to train on; counts only with `event_type`.
    """

    recipe: str
    imported: Sequence[Touch]
    streamed: Sequence[Touch]
    items: Mapping[str, Mapping[str, Any]] | None
    hyperparameters: Mapping[str, str]
    event_type: str | None
    threshold: float | None


@dataclass(frozen=True, kw_only=True)
class Trained:
    """:param hours: that it took."""

    model: recommenders.Model
    hours: float


def train(run: TrainingRun) -> Trained:
    """
    :raises Failed: with the `failureReason` of the solution version.
    """
    began = time.monotonic()
    touches = _chosen(run)
    _check(touches, run.event_type)
    model = recommenders.train(
        run.recipe,
        recommenders.Interactions(
            user_ids=[touch.user_id for touch in touches],
            item_ids=[touch.item_id for touch in touches],
            timestamps=np.array([touch.timestamp for touch in touches], dtype=np.int64),
        ),
        items=run.items,
        hyperparameters=run.hyperparameters,
    )
    return Trained(model=model, hours=round((time.monotonic() - began) / 3600, 6))


def _chosen(run: TrainingRun) -> list[Touch]:
    touches = list(dict.fromkeys([*run.imported, *run.streamed]))
    if run.event_type is None:
        return touches
    return [
        touch
        for touch in touches
        if (touch.event_type or "").lower() == run.event_type.lower()
        and (run.threshold is None or (touch.event_value is not None and touch.event_value >= run.threshold))
    ]


def _check(touches: Sequence[Touch], event_type: str | None) -> None:
    if len(touches) < MINIMUM_INTERACTIONS:
        chosen = f" after filtering by event type: {event_type}" if event_type else ""
        raise Failed(f"Dataset has fewer than {MINIMUM_INTERACTIONS} interactions{chosen}")
    per_user = Counter(touch.user_id for touch in touches)
    returning = sum(count >= 2 for count in per_user.values())
    if returning < MINIMUM_USERS:
        raise Failed(
            f"Create failed. Dataset has fewer than {MINIMUM_USERS} users with at least 2 interactions each."
        )
    if returning < MINIMUM_SHARE * len(per_user):
        raise Failed("Create failed. Dataset has fewer than 1% of users with at least 2 interactions each.")
