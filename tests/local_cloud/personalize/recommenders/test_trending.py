"""trending-now follows what is streamed (developer guide, "Trending-Now recipe")."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from local_cloud.personalize.recommenders import Condition, Interactions, Model, Scored, train
from local_cloud.personalize.recommenders.interactions import Catalogue, EventLog
from local_cloud.personalize.recommenders.trending import trend_prediction_accuracy

_HOUR = 3600
_START = 1_700_000_000


def _hours(events: dict[str, list[int]]) -> Interactions:
    """:param events: per item, how many in each hour; within the hour they are spread evenly."""
    item_ids, timestamps = [], []
    for item_id, hours in events.items():
        for hour, count in enumerate(hours):
            item_ids += [item_id] * count
            timestamps += [
                _START + hour * _HOUR + moment
                for moment in np.linspace(1, _HOUR - 1, count).astype(int).tolist()
            ]
    return Interactions(
        user_ids=[f"u{n % 7}" for n in range(len(item_ids))],
        item_ids=item_ids,
        timestamps=np.array(timestamps, dtype=np.int64),
    )


@pytest.fixture
def model() -> Model:
    """`rising` trends at training; the newest event is one second before the end of the second hour."""
    return train(
        "aws-trending-now",
        _hours({"rising": [5, 20], "steady": [30, 30], "sleeping": [2, 2]}),
        hyperparameters={"trend_discovery_frequency": "1 hour"},
    )


def _first(model: Model) -> str:
    return model.recommend(user_id=None, item_id=None, count=1)[0].item_id


def _stream(model: Model, item_id: str, count: int, *, first: int, last: int) -> None:
    """:param first: and `last`: seconds after the newest event of the training."""
    for moment in np.linspace(first, last, count).astype(int).tolist():
        model.record("visitor", item_id, _START + 2 * _HOUR - 1 + moment)


def test_a_streamed_trend_shows_once_an_interval_has_gone_by(model: Model) -> None:
    _stream(model, "sleeping", 40, first=10, last=_HOUR - 1)
    before = _first(model)
    _stream(model, "sleeping", 1, first=_HOUR, last=_HOUR)

    assert (before, _first(model)) == ("rising", "sleeping")


def test_a_new_item_trends_without_training_again(model: Model) -> None:
    _stream(model, "released this morning", 40, first=10, last=_HOUR)

    assert _first(model) == "released this morning"
    everything = model.recommend(user_id=None, item_id=None, count=10)
    assert len(everything) == 4


def test_a_condition_lets_an_item_pass_that_came_after_it_was_first_used(model: Model) -> None:
    new = Condition(lambda item_id: item_id.startswith("released"), key="new")
    before = model.recommend(user_id=None, item_id=None, count=10, allowed=new)
    _stream(model, "released this morning", 40, first=10, last=_HOUR)

    assert before == []
    assert model.recommend(user_id=None, item_id=None, count=10, allowed=new) == [
        Scored("released this morning", None)
    ]


def test_with_long_intervals_the_look_comes_every_two_hours() -> None:
    model = train(
        "aws-trending-now",
        _hours({"old": [50] * 24 + [60] * 24, "other": [30] * 48}),
        hyperparameters={"trend_discovery_frequency": "1 day"},
    )
    newest = _START + 48 * _HOUR - 1
    for second in range(400):
        model.record("visitor", "other", newest + second)
    before = _first(model)
    model.record("visitor", "other", newest + 2 * _HOUR)

    assert (before, _first(model)) == ("old", "other")


def test_no_streamed_event_is_lost_while_others_read() -> None:
    """New item `n7` has 8 events, so that a lost one would change the order."""
    interactions = _hours({"rising": [5, 20], "steady": [30, 30]})
    model = train("aws-trending-now", interactions)
    newest = _START + 2 * _HOUR - 1
    events = [(f"n{n}", newest + 100 + event) for event in range(40) for n in range(event, 40)]

    def stream(event: tuple[str, int]) -> int:
        model.record("visitor", *event)
        return len(model.recommend(user_id=None, item_id=None, count=2))

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert set(pool.map(stream, events)) == {2}
    model.record("visitor", "rising", newest + 2 * _HOUR)

    answer = model.recommend(user_id=None, item_id=None, count=35)
    assert [item_id for item_id, *_ in answer] == [f"n{n}" for n in range(39, 4, -1)]


def test_a_new_item_stays_in_answers_when_its_trend_is_over(model: Model) -> None:
    _stream(model, "released this morning", 40, first=10, last=_HOUR)
    _stream(model, "steady", 5, first=9 * _HOUR, last=11 * _HOUR)

    answer = [item_id for item_id, *_ in model.recommend(user_id=None, item_id=None, count=10)]

    assert answer.index("steady") < answer.index("released this morning")


def test_a_frequency_that_there_is_not_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"trend_discovery_frequency must be one of 30 minutes, .* got '5 min'"
    ):
        train(
            "aws-trending-now",
            _hours({"a": [1, 1]}),
            hyperparameters={"trend_discovery_frequency": "5 min"},
        )


def test_accuracy_is_the_increase_of_what_was_recommended_over_the_greatest_possible() -> None:
    """30 items grew in the second hour. Those grow on by 4 of which 25 are recommended; 30 others, which had
    been steady, grow by 10: of 250 possible the recommended have 100."""
    grew = {f"grew {n:02}": [1, 5, 9] for n in range(30)}
    steady = {f"steady {n:02}": [5, 5, 15] for n in range(30)}
    interactions = _hours({**grew, **steady})
    log = EventLog.of(interactions, Catalogue(interactions.item_ids))

    assert trend_prediction_accuracy(log, interval=_HOUR) == pytest.approx(0.4)


def test_accuracy_is_0_where_nothing_grew() -> None:
    falling = _hours({"a": [9, 5, 2]})

    assert (
        train("aws-trending-now", falling, hyperparameters={"trend_discovery_frequency": "1 hour"}).metrics[
            "trend_prediction_accuracy"
        ]
        == 0
    )
