"""New items get places by a campaign's itemExplorationConfig.

Developer guide, "User-Personalization recipe": explorationWeight and explorationItemAgeCutOff.
"""

from __future__ import annotations

import numpy as np
import pytest

from local_cloud.personalize.recommenders import Condition, Exploration, Interactions, Model, Scored, train

_DAY = 86_400


@pytest.fixture(scope="module")
def items(shop: Interactions) -> dict[str, dict[str, object]]:
    """30 items that nobody has touched: `new-03` was made 3 days before the newest interaction."""
    newest = int(shop.timestamps.max())
    known: dict[str, dict[str, object]] = {
        item_id: {"CREATION_TIMESTAMP": newest - 400 * _DAY} for item_id in set(shop.item_ids)
    }
    made: dict[str, dict[str, object]] = {
        f"new-{age:02}": {"CREATION_TIMESTAMP": newest - age * _DAY} for age in range(30)
    }
    return {**known, **made}


@pytest.fixture(scope="module")
def model(shop: Interactions, items: dict[str, dict[str, object]]) -> Model:
    return train("aws-user-personalization", shop, items=items)


def _ask(model: Model, user_id: str, explore: Exploration | None, count: int = 25) -> list[str]:
    answer = model.recommend(user_id=user_id, item_id=None, count=count, explore=explore)
    return [item_id for item_id, *_ in answer]


def _new(answer: list[str]) -> list[str]:
    return [item_id for item_id in answer if item_id.startswith("new-")]


@pytest.mark.parametrize("weight", [0.1, 0.3, 0.7])
def test_the_weight_is_the_share_of_places_that_new_items_get(model: Model, weight: float) -> None:
    explore = Exploration(weight=weight)

    found = [len(_new(_ask(model, f"u{user}", explore))) for user in range(100)]

    assert np.mean(found) / 25 == pytest.approx(weight, abs=0.05)


def test_without_weight_nothing_is_explored(model: Model) -> None:
    assert _ask(model, "u5", Exploration(weight=0)) == _ask(model, "u5", None)
    assert not _new(_ask(model, "u5", None))


def test_at_full_weight_all_new_items_come_first_and_known_ones_fill_up(model: Model) -> None:
    answer = _ask(model, "u5", Exploration(weight=1), count=40)

    assert len(set(answer[:30])) == len(_new(answer[:30])) == 30
    assert answer[30:] == _ask(model, "u5", None, count=10)


def test_known_items_keep_their_order_around_the_explored_ones(model: Model) -> None:
    answer = _ask(model, "u5", Exploration())
    rest = [item_id for item_id in answer if item_id not in _new(answer)]

    assert 0 < len(rest) < 25
    assert rest == _ask(model, "u5", None)[: len(rest)]


def test_scores_fall_from_place_to_place_as_they_do_without_exploration(model: Model) -> None:
    """API reference, "GetRecommendations", itemList; the guide's examples have no other."""

    def scores(explore: Exploration | None, count: int) -> list[float | None]:
        answer = model.recommend(user_id="u5", item_id=None, count=count, explore=explore)
        return [score for _, score, _ in answer]

    plain = scores(None, 10_000)
    assert scores(Exploration(), 10_000) == plain == sorted(plain, key=lambda score: -(score or 0))
    assert scores(Exploration(), 25) == plain[:25]
    assert scores(Exploration(weight=1), 3) == plain[:3]


def test_v2_says_of_what_it_explores_that_it_does_and_nothing_of_how_it_fits(
    shop: Interactions, items: dict[str, dict[str, object]]
) -> None:
    """Developer guide, "Recommendation reasons with User-Personalization-v2"."""
    model = train("aws-user-personalization-v2", shop, items=items)

    answer = model.recommend(user_id="u5", item_id=None, count=25, explore=Exploration())

    explored = {scored for scored in answer if scored.reason == "Exploration"}
    assert {item_id for item_id, _, _ in explored} == set(_new([item_id for item_id, *_ in answer]))
    assert {score for _, score, _ in explored} == {None}
    scores = [score for _, score, reason in answer if reason is None]
    assert 0 < len(scores) < 25
    assert scores == sorted(scores, key=lambda score: -(score or 0))


def test_a_user_gets_the_same_each_time_and_users_differ(
    model: Model, shop: Interactions, items: dict[str, dict[str, object]]
) -> None:
    again = train("aws-user-personalization", shop, items=items)

    answers = {user: tuple(_new(_ask(model, user, Exploration()))) for user in ("u1", "u2", "u3")}

    assert len(set(answers.values())) == 3
    for user, answer in answers.items():
        assert answer == tuple(_new(_ask(again, user, Exploration())))


def test_only_items_up_to_the_cut_off_age_are_new(model: Model) -> None:
    everything = _ask(model, "u5", Exploration(weight=1, age_cutoff_days=3), count=10)

    assert set(_new(everything)) == {"new-00", "new-01", "new-02", "new-03"}


def test_an_item_without_a_creation_time_is_as_old_as_its_first_interaction(shop: Interactions) -> None:
    newest = int(shop.timestamps.max())
    interactions = Interactions(
        user_ids=[*shop.user_ids, "u1", "u2", "u1"],
        item_ids=[*shop.item_ids, "late", "late", "early"],
        timestamps=np.append(shop.timestamps, [newest, newest, newest - 20 * _DAY]),
    )
    model = train("aws-user-personalization", interactions)

    assert _ask(model, "u5", Exploration(weight=1, age_cutoff_days=0.001), count=1) == ["late"]


def test_an_item_that_nobody_has_touched_is_new_unless_its_creation_time_says_otherwise(
    shop: Interactions,
) -> None:
    """Developer guide, "Creation timestamp data"."""
    items: dict[str, dict[str, object]] = {
        **{item_id: {"CREATION_TIMESTAMP": 0} for item_id in [*shop.item_ids, "old"]},
        "undated": {"BRAND": "acme"},
    }
    model = train("aws-user-personalization", shop, items=items)

    answer = _ask(model, "u5", Exploration(weight=1), count=300)

    assert answer[0] == "undated"
    assert "old" not in answer[:20]


def test_a_new_item_that_many_touch_already_needs_no_exploring(shop: Interactions) -> None:
    newest = int(shop.timestamps.max())
    known: dict[str, dict[str, object]] = {item: {"CREATION_TIMESTAMP": 0} for item in set(shop.item_ids)}
    # The best of one community, and its least: with some 120 and 10 interactions, and 40 on average
    new: dict[str, dict[str, object]] = {
        item_id: {"CREATION_TIMESTAMP": newest} for item_id in ("c3-00", "c3-24")
    }
    model = train("aws-user-personalization", shop, items={**known, **new})

    answer = _ask(model, "u5", Exploration(weight=1), count=2)

    assert answer == ["c3-24", _ask(model, "u5", None, count=1)[0]]


def test_explored_items_pass_the_filter_too(model: Model) -> None:
    explore = Exploration(weight=1)

    by_call = model.recommend(
        user_id="u5", item_id=None, count=99, allowed=lambda item: item.endswith("07"), explore=explore
    )
    by_condition = model.recommend(
        user_id="u5",
        item_id=None,
        count=99,
        allowed=Condition(lambda item: item.endswith("07"), key="07"),
        explore=explore,
    )

    assert by_call == by_condition
    assert len(by_call) == 13
    assert by_call[0].item_id == "new-07"


def test_what_fits_a_user_is_explored_sooner(shop: Interactions) -> None:
    newest = int(shop.timestamps.max())
    items: dict[str, dict[str, object]] = {
        item_id: {"BRAND": item_id[:3], "CREATION_TIMESTAMP": 0} for item_id in set(shop.item_ids)
    }
    for brand in ("c5-", "c7-"):
        items |= {f"new {brand}{n}": {"BRAND": brand, "CREATION_TIMESTAMP": newest} for n in range(10)}
    model = train("aws-user-personalization", shop, items=items)

    first = [_ask(model, f"u{5 + 12 * n}", Exploration(weight=1), count=5) for n in range(30)]

    of_their_brand = sum(item_id.startswith("new c5-") for answer in first for item_id in answer)
    assert of_their_brand > 0.9 * 150


def test_recipes_that_do_not_explore_take_no_heed(
    shop: Interactions, items: dict[str, dict[str, object]]
) -> None:
    model = train("aws-similar-items", shop, items=items)

    def ask(explore: Exploration | None) -> list[Scored]:
        return model.recommend(user_id="u1", item_id="c4-02", count=25, explore=explore)

    assert ask(Exploration(weight=1)) == ask(None)


def test_a_campaigns_strings_are_read_and_what_they_leave_out_has_its_default() -> None:
    assert Exploration.of({}) == Exploration(weight=0.3, age_cutoff_days=30)
    assert Exploration.of({"explorationWeight": "1", "explorationItemAgeCutOff": "7.5"}) == Exploration(
        weight=1, age_cutoff_days=7.5
    )


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"explorationWeight": "much"}, "explorationWeight must be a number, got 'much'"),
        ({"explorationWeight": "1.1"}, "explorationWeight must be from 0 to 1, got 1.1"),
        ({"explorationWeight": "nan"}, "explorationWeight must be from 0 to 1, got nan"),
        ({"explorationItemAgeCutOff": "0"}, "explorationItemAgeCutOff must be above 0 days, got 0.0"),
        ({"explorationItemAgeCutOff": "inf"}, "explorationItemAgeCutOff must be above 0 days, got inf"),
        ({"weight": "1"}, "may hold explorationWeight and explorationItemAgeCutOff, got weight"),
    ],
)
def test_what_cannot_be_is_refused_by_name(config: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Exploration.of(config)
