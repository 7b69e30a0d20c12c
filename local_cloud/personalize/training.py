"""From the data of a dataset group to a trained model."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from local_cloud.personalize import recommenders
from local_cloud.personalize.hyperparameters import Search
from local_cloud.personalize.lifecycle import Failed
from local_cloud.personalize.recommenders import EventWeights
from local_cloud.personalize.streamed import Touch

MINIMUM_INTERACTIONS: Final = 1000
MINIMUM_USERS: Final = 25
MINIMUM_SHARE: Final = 0.01
"""Of users who have at least two interactions."""

JUDGED_BY: Final = ("normalized_discounted_cumulative_gain_at_25", "mean_reciprocal_rank_at_25")
"""The offline metrics that HPO raises: the first, then the second."""


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """All that a solution version is trained on, as it was when it was created.

    :param imported: and `streamed`: an interaction in both counts once.
    :param event_type: the only event type to train on.
    :param threshold: the least EVENT_VALUE to train on; counts only with `event_type`.
    :param weights: how much an event counts by its type, and which are left out; for when there is no
        `event_type`.
    :param search: the hyperparameters that HPO chooses among, or None.
    """

    recipe: str
    imported: Sequence[Touch]
    streamed: Sequence[Touch]
    items: Mapping[str, Mapping[str, Any]] | None
    hyperparameters: Mapping[str, str]
    event_type: str | None
    threshold: float | None
    users: Mapping[str, Mapping[str, Any]] | None = None
    weights: EventWeights = field(default_factory=lambda: EventWeights.of(()))
    search: Search | None = None


@dataclass(frozen=True, kw_only=True)
class Trained:
    """
    :param run: what it was trained on, with the tuned hyperparameters in it.
    :param hours: that it took.
    :param tuned: the hyperparameters that HPO has chosen; None without HPO.
    :param heard: number of the last streamed event that it was trained on.
    """

    model: recommenders.Model
    run: TrainingRun
    hours: float
    tuned: Mapping[str, str] | None = None
    heard: int = 0


def train(run: TrainingRun) -> Trained:
    """
    :raises Failed: with the `failureReason` of the solution version.
    """
    began = time.monotonic()
    touches = chosen(run)
    _check(touches, run.event_type)
    trials = [{}] if run.search is None else run.search.candidates()
    best: Trained | None = None
    for trial in trials:
        tuned = replace(run, hyperparameters={**run.hyperparameters, **trial}, search=None)
        model = fit(tuned, touches)
        if best is None or _merit(model) > _merit(best.model):
            best = Trained(model=model, run=tuned, hours=0, tuned=trial if run.search else None)
    assert best is not None
    return replace(best, hours=round((time.monotonic() - began) / 3600, 6))


def fit(run: TrainingRun, touches: Sequence[Touch] | None = None) -> recommenders.Model:
    """The model of these interactions, or of those that the run chooses; the same each time."""
    touches = chosen(run) if touches is None else touches
    weights = [_weight(run, touch) or 0.0 for touch in touches]
    interactions = recommenders.Interactions(
        user_ids=[touch.user_id for touch in touches],
        item_ids=[touch.item_id for touch in touches],
        timestamps=np.array([touch.timestamp for touch in touches], dtype=np.int64),
        weights=np.array(weights, dtype=np.float32) if set(weights) - {1.0} else None,
    )
    try:
        return recommenders.train(
            run.recipe,
            interactions,
            items=run.items,
            users=run.users,
            hyperparameters=run.hyperparameters,
        )
    except ValueError as error:
        raise Failed(f"Create failed. {error}") from error


def _merit(model: recommenders.Model) -> tuple[float, ...]:
    return tuple(model.metrics.get(name, 0.0) for name in JUDGED_BY)


def chosen(run: TrainingRun) -> list[Touch]:
    """The interactions to train on."""
    touches = dict.fromkeys([*run.imported, *run.streamed])
    return [touch for touch in touches if _weight(run, touch) is not None]


def _weight(run: TrainingRun, touch: Touch) -> float | None:
    """How much it counts; None when it is not trained on."""
    if run.event_type is None:
        return run.weights.weight(touch.event_type, touch.event_value)
    if (touch.event_type or "").lower() != run.event_type.lower():
        return None
    enough = run.threshold is None or (touch.event_value is not None and touch.event_value >= run.threshold)
    return 1.0 if enough else None


def without(run: TrainingRun, user_ids: frozenset[str]) -> TrainingRun:
    """The same run, had these users never been there."""
    return replace(
        run,
        imported=[touch for touch in run.imported if touch.user_id not in user_ids],
        streamed=[touch for touch in run.streamed if touch.user_id not in user_ids],
    )


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
