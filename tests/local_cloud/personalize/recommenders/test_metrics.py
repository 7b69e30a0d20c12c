"""The figures are those of the Personalize developer guide's own worked example."""

from __future__ import annotations

import numpy as np
import pytest

from local_cloud.personalize.recommenders import Interactions
from local_cloud.personalize.recommenders.interactions import Catalogue, EventLog
from local_cloud.personalize.recommenders.metrics import (
    Query,
    choose_tested,
    coverage,
    measure,
    ndcg,
    precision,
    queries,
    reciprocal_rank,
)

_GUIDE = [False, True, False, False, True]
"""Hits at ranks 2 and 5 of 5."""


def test_the_guides_example_has_the_guides_figures() -> None:
    assert reciprocal_rank(_GUIDE) == 0.5
    assert ndcg(_GUIDE, relevant=2, k=5) == pytest.approx(0.6241, abs=5e-5)
    assert precision(_GUIDE, k=5) == 0.4


def test_the_guides_example_comes_through_measure_as_it_is() -> None:
    query = Query("u", np.array([0], dtype=np.int32), {2: 1.0, 5: 1.0})
    figures = measure([query], lambda asked: [1, 2, 3, 4, 5])

    assert figures == {
        "mean_reciprocal_rank_at_25": 0.5,
        "normalized_discounted_cumulative_gain_at_5": 0.6241,
        "normalized_discounted_cumulative_gain_at_10": 0.6241,
        "normalized_discounted_cumulative_gain_at_25": 0.6241,
        "precision_at_5": 0.4,
        "precision_at_10": 0.2,
        "precision_at_25": 0.08,
    }


def test_a_perfect_list_has_gain_1_also_when_more_is_relevant_than_fits() -> None:
    assert ndcg([True] * 5, relevant=9, k=5) == pytest.approx(1.0)


def test_the_newest_tenth_of_a_history_is_the_target() -> None:
    log = _log(["a"] * 20, [f"i{n:02}" for n in range(20)])

    (query,) = queries(log, [0])

    assert query.history.tolist() == list(range(18))
    assert query.target.keys() == {18, 19}


def test_a_tenth_of_the_users_is_tested_and_the_seed_says_which() -> None:
    log = _log([f"u{n // 3:02}" for n in range(150)], ["i"] * 150)

    assert len(choose_tested(log, seed=1)) == 5
    assert choose_tested(log, seed=1).tolist() == choose_tested(log, seed=1).tolist()
    assert choose_tested(log, seed=1).tolist() != choose_tested(log, seed=2).tolist()


def test_a_user_with_a_single_event_is_not_tested() -> None:
    log = _log(["once", "twice", "twice"], ["i", "i", "j"])

    assert [log.user_ids[user] for user in choose_tested(log, seed=0)] == ["twice"]


def test_coverage_counts_each_item_once_and_only_within_25() -> None:
    assert coverage([[0, 1], [1, 2], list(range(50, 90))], catalogue=100) == 0.28


def _log(user_ids: list[str], item_ids: list[str]) -> EventLog:
    interactions = Interactions(
        user_ids=user_ids, item_ids=item_ids, timestamps=np.arange(len(item_ids), dtype=np.int64)
    )
    return EventLog.of(interactions, Catalogue(item_ids))
