from __future__ import annotations

import numpy as np

from local_cloud.personalize.recommenders import Interactions, Scored, train

_DAY = 86_400
_DAILY = {"trend_discovery_frequency": "1 day"}


def test_popular_items_come_by_their_number_of_events_and_without_scores() -> None:
    model = train("aws-popularity-count", _days({"a": [2, 2], "b": [3, 3], "c": [1, 0]}))

    answer = model.recommend(user_id=None, item_id=None, count=2)

    assert answer == [Scored("b", None), Scored("a", None)]


def test_what_trends_is_what_grew_and_not_what_is_popular() -> None:
    model = train(
        "aws-trending-now",
        _days({"steady": [50, 50], "falling": [90, 40], "rising": [10, 30]}),
        hyperparameters=_DAILY,
    )

    answer = model.recommend(user_id=None, item_id=None, count=3)

    assert [scored.item_id for scored in answer] == ["rising", "steady", "falling"]


def test_a_small_item_that_multiplied_comes_before_a_big_one_that_hardly_moved() -> None:
    model = train("aws-trending-now", _days({"big": [1000, 1020], "small": [1, 16]}), hyperparameters=_DAILY)

    assert model.recommend(user_id=None, item_id=None, count=1)[0].item_id == "small"


def test_growth_that_could_be_chance_comes_after_growth_that_could_not() -> None:
    model = train("aws-trending-now", _days({"blip": [0, 1], "drop": [100, 200]}), hyperparameters=_DAILY)

    assert model.recommend(user_id=None, item_id=None, count=1)[0].item_id == "drop"


def _days(events: dict[str, list[int]]) -> Interactions:
    """:param events: per item, how many on each day."""
    item_ids, timestamps = [], []
    for item_id, days in events.items():
        for day, count in enumerate(days):
            item_ids += [item_id] * count
            timestamps += (day * _DAY + np.linspace(1, _DAY - 1, count).astype(np.int64)).tolist()
    return Interactions(
        user_ids=[f"u{n % 7}" for n in range(len(item_ids))],
        item_ids=item_ids,
        timestamps=np.array(timestamps, dtype=np.int64),
    )
