"""From the data of a dataset group to a trained model."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from local_cloud.personalize import recommenders
from local_cloud.personalize.hyperparameters import Search
from local_cloud.personalize.lifecycle import Failed
from local_cloud.personalize.recommenders import ContextColumn, EventWeights, IdCodes
from local_cloud.personalize.touches import Touches

MINIMUM_INTERACTIONS: Final = 1000
MINIMUM_USERS: Final = 25
MINIMUM_SHARE: Final = 0.01
"""Of users who have at least two interactions."""

Weights: TypeAlias = NDArray[np.float32]
"""One number per interaction."""

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
    :param objective: what to bring besides relevance.
    :param search: the hyperparameters that HPO chooses among, or None.
    """

    recipe: str
    imported: Touches
    streamed: Touches
    items: Mapping[str, Mapping[str, Any]] | None
    hyperparameters: Mapping[str, str]
    event_type: str | None
    threshold: float | None
    users: Mapping[str, Mapping[str, Any]] | None = None
    weights: EventWeights = field(default_factory=lambda: EventWeights.of(()))
    objective: recommenders.Objective | None = None
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
    touches, weights = chosen(run)
    _check(touches, run.event_type)
    trials = [{}] if run.search is None else run.search.candidates()
    best: Trained | None = None
    for trial in trials:
        tuned = replace(run, hyperparameters={**run.hyperparameters, **trial}, search=None)
        model = _fit(tuned, touches, weights)
        if best is None or _merit(model) > _merit(best.model):
            best = Trained(model=model, run=tuned, hours=0, tuned=trial if run.search else None)
    assert best is not None
    return replace(best, hours=round((time.monotonic() - began) / 3600, 6))


def fit(run: TrainingRun) -> recommenders.Model:
    """The model of the interactions that the run chooses; the same each time."""
    return _fit(run, *chosen(run))


def _fit(run: TrainingRun, touches: Touches, weights: Weights | None) -> recommenders.Model:
    interactions = recommenders.Interactions(
        user_ids=IdCodes(touches.users.values, touches.users.codes),
        item_ids=IdCodes(touches.items.values, touches.items.codes),
        timestamps=touches.timestamps,
        weights=weights,
        contexts={
            name: ContextColumn(values=column.values, codes=column.codes)
            for name, column in touches.contexts.items()
        },
    )
    try:
        return recommenders.train(
            run.recipe,
            interactions,
            items=run.items,
            users=run.users,
            hyperparameters=run.hyperparameters,
            objective=run.objective,
        )
    except ValueError as error:
        raise Failed(f"Create failed. {error}") from error


def _merit(model: recommenders.Model) -> tuple[float, ...]:
    return tuple(model.metrics.get(name, 0.0) for name in JUDGED_BY)


def chosen(run: TrainingRun) -> tuple[Touches, Weights | None]:
    """The interactions to train on, and how much each counts; None when all count alike."""
    touches = run.imported.with_those(run.streamed)
    kinds, values = touches.event_types, touches.event_values
    if run.event_type is not None:
        wanted = [(kind or "").lower() == run.event_type.lower() for kind in kinds.values]
        taken = np.array(wanted, dtype=bool)[kinds.codes]
        if run.threshold is not None:
            taken &= values >= run.threshold
        return touches.take(taken), None
    weights = run.weights.of_each(kinds.values, kinds.codes, values)
    if weights is None:
        return touches, None
    taken = ~np.isnan(weights)
    touches, weights = touches.take(taken), weights[taken]
    return touches, weights if np.any(weights != 1) else None


def without(run: TrainingRun, user_ids: frozenset[str]) -> TrainingRun:
    """The same run, had these users never been there."""
    return replace(
        run,
        imported=run.imported.without_users(user_ids),
        streamed=run.streamed.without_users(user_ids),
    )


def _check(touches: Touches, event_type: str | None) -> None:
    if len(touches) < MINIMUM_INTERACTIONS:
        chosen = f" after filtering by event type: {event_type}" if event_type else ""
        raise Failed(f"Dataset has fewer than {MINIMUM_INTERACTIONS} interactions{chosen}")
    per_user = np.bincount(touches.users.codes)
    returning = int(np.count_nonzero(per_user >= 2))
    if returning < MINIMUM_USERS:
        raise Failed(
            f"Create failed. Dataset has fewer than {MINIMUM_USERS} users with at least 2 interactions each."
        )
    if returning < MINIMUM_SHARE * len(per_user):
        raise Failed("Create failed. Dataset has fewer than 1% of users with at least 2 interactions each.")
