"""The optimizationObjective: developer guide, "Optimizing a solution for an additional objective"."""

from __future__ import annotations

import numpy as np
import pytest

from local_cloud.personalize.recommenders import Interactions, Model, Objective, train
from local_cloud.personalize.recommenders.objective import average_rewards


@pytest.fixture(scope="module")
def items(shop: Interactions) -> dict[str, dict[str, object]]:
    """The later in its community, and so the less popular, the dearer: `c3-24` costs 25."""
    return {item_id: {"PRICE": 1.0 + int(item_id[-2:])} for item_id in set(shop.item_ids)}


def _model(
    shop: Interactions, items: dict[str, dict[str, object]], sensitivity: str, **options: str
) -> Model:
    objective = Objective("PRICE", sensitivity)
    return train(options.get("recipe", "aws-user-personalization"), shop, items=items, objective=objective)


def _spent(model: Model, items: dict[str, dict[str, object]]) -> float:
    """What the ten items at the top cost on average."""
    answers = [model.recommend(user_id=f"u{user}", item_id=None, count=10) for user in range(50)]
    return float(np.mean([items[item_id]["PRICE"] for answer in answers for item_id, *_ in answer]))


def test_the_more_it_counts_the_dearer_is_what_is_recommended(
    shop: Interactions, items: dict[str, dict[str, object]]
) -> None:
    plain = train("aws-user-personalization", shop, items=items)
    off, *others = (_model(shop, items, sensitivity) for sensitivity in ("OFF", "LOW", "MEDIUM", "HIGH"))

    assert off.recommend(user_id="u5", item_id=None, count=25) == plain.recommend(
        user_id="u5", item_id=None, count=25
    )
    spent = [_spent(model, items) for model in (plain, *others)]
    assert spent == sorted(spent)
    assert spent[-1] > 1.5 * spent[0]
    everything = others[-1].recommend(user_id="u5", item_id=None, count=300)
    assert sum(score or 0 for _, score, _ in everything) == pytest.approx(1)


def test_a_ranking_heeds_it_too(shop: Interactions, items: dict[str, dict[str, object]]) -> None:
    pair = ["c5-01", "c5-20"]

    first = {
        sensitivity: _model(shop, items, sensitivity, recipe="aws-personalized-ranking")
        .rank(user_id="nobody", item_ids=pair)[0]
        .item_id
        for sensitivity in ("OFF", "HIGH")
    }

    assert first == {"OFF": "c5-01", "HIGH": "c5-20"}


def test_the_metric_is_there_with_an_objective_only(
    shop: Interactions, items: dict[str, dict[str, object]]
) -> None:
    metrics = _model(shop, items, "HIGH").metrics

    assert 0 < metrics["average_rewards_at_k"] <= 1
    assert "average_rewards_at_k" not in train("aws-user-personalization", shop, items=items).metrics


def test_rewards_are_those_of_the_25_dearest_over_those_of_all() -> None:
    """Item n costs n. Of 30, the five cheapest are not among the 25 dearest."""
    recommended = list(range(1, 31))

    half = (recommended, {2, 4, 6, 99})  # 6 of 12
    all_of_it = (recommended, {30})
    assert average_rewards([half, all_of_it], float) == 0.75
    assert average_rewards([half, (recommended, {99})], float) == 0.5, "who took nothing is left out"
    assert average_rewards([(recommended, set())], float) == 0
