"""A solution's eventsConfig (API reference, `EventParameters`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from local_cloud.personalize.recommenders import EventWeights, Interactions, train


def test_without_rules_all_events_count_alike() -> None:
    assert EventWeights.of([]).of_each(["anything"], np.zeros(1, dtype=np.int32), np.array([np.nan])) is None


def test_a_rule_counts_for_its_type_and_from_its_value_on() -> None:
    weights = EventWeights.of(
        [
            {"eventType": "Purchase", "eventValueThreshold": 10, "weight": 0.9},
            {"eventType": "view", "weight": 0.2},
            {"eventType": "click"},
        ]
    )
    types = ["purchase", "VIEW", "click", "share", None]
    codes = np.array([0, 0, 0, 1, 2, 3, 4], dtype=np.int32)
    values = np.array([10.0, 9.99, np.nan, np.nan, np.nan, 99.0, 99.0])
    counted = weights.of_each(types, codes, values)
    assert counted == pytest.approx([0.9, np.nan, np.nan, 0.2, 1, np.nan, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ([{"weight": 0.5}], "every entry needs an eventType"),
        ([{"eventType": "view", "weight": 1.5}], "weight of view must be from 0 to 1, got 1.5"),
        ([{"eventType": "view"}, {"eventType": "VIEW"}], "names VIEW twice"),
        ([{"eventType": f"e{n}"} for n in range(11)], "at most 10 entries, got 11"),
    ],
)
def test_what_cannot_be_is_refused(parameters: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        EventWeights.of(parameters)


def _sold_and_seen(weights: list[float] | None) -> Interactions:
    """Whoever looks at `start` then buys `bought` or, more often, looks at `seen`."""
    rows = []
    for user in range(60):
        second = ("bought", 1.0) if user % 3 == 0 else ("seen", 0.1)
        rows += [(f"u{user}", "start", 0, 0.1), (f"u{user}", second[0], 10, second[1])]
    return Interactions(
        user_ids=[row[0] for row in rows],
        item_ids=[row[1] for row in rows],
        timestamps=np.array([row[2] for row in rows], dtype=np.int64),
        weights=None if weights is None else np.array([row[3] for row in rows], dtype=np.float32),
    )


@pytest.mark.parametrize("recipe", ["aws-user-personalization", "aws-similar-items", "aws-popularity-count"])
def test_what_counts_more_comes_sooner(recipe: str) -> None:
    def order(weights: list[float] | None) -> list[str]:
        model = train(recipe, _sold_and_seen(weights))
        model.record("visitor", "start", 100)
        answer = model.recommend(user_id="visitor", item_id="start", count=3)
        return [item_id for item_id, *_ in answer if item_id != "start"]

    assert order(None) == ["seen", "bought"]
    assert order([1.0]) == ["bought", "seen"]


def test_metrics_with_event_weights_are_told_besides_where_there_are_any() -> None:
    plain, weighed = (train("aws-similar-items", _sold_and_seen(w)).metrics for w in (None, [1.0]))

    assert set(weighed) - set(plain) == {
        f"normalized_discounted_cumulative_gain_with_event_weights_at_{k}" for k in (5, 10, 25)
    }


def test_weights_must_fit_the_events() -> None:
    for weights in (np.ones(1, dtype=np.float32), np.array([1, -1], dtype=np.float32)):
        with pytest.raises(ValueError, match="weights must be one number of at least 0 per event"):
            Interactions(
                user_ids=["u", "u"], item_ids=["a", "b"], timestamps=np.array([1, 2]), weights=weights
            )
