"""What a campaign's callers may rely on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from local_cloud.personalize.recommenders import (
    Condition,
    Exploration,
    Interactions,
    Model,
    Scored,
    train,
)


@pytest.fixture(scope="module")
def trained(shop: Interactions) -> Model:
    """Tests that stream events do so under user ids of their own."""
    return train("aws-user-personalization", shop)


@pytest.fixture(scope="module")
def ranking(shop: Interactions) -> Model:
    return train("aws-personalized-ranking", shop)


def _items(answer: list[Scored]) -> list[str]:
    return [scored.item_id for scored in answer]


def _of(community: str, answer: list[Scored]) -> int:
    return sum(item_id.startswith(f"{community}-") for item_id in _items(answer))


def test_a_user_gets_what_the_community_likes_best_first(trained: Model) -> None:
    answer = trained.recommend(user_id="u5", item_id=None, count=10)

    assert _of("c5", answer) >= 8
    assert len(set(_items(answer))) == 10
    assert list(answer) == sorted(answer, key=lambda scored: -(scored.score or 0))


def test_scores_add_up_to_1_over_the_catalogue(trained: Model) -> None:
    everything = trained.recommend(user_id="u5", item_id=None, count=10_000)

    assert len(everything) == 300
    assert sum(score or 0 for _, score, _ in everything) == pytest.approx(1.0)
    assert min(score or 0 for _, score, _ in everything) > 0


def test_an_unknown_user_gets_what_is_popular(trained: Model, shop: Interactions) -> None:
    popular = train("aws-popularity-count", shop).recommend(user_id=None, item_id=None, count=25)

    assert _items(trained.recommend(user_id="nobody", item_id=None, count=25)) == _items(popular)


def test_the_next_answer_follows_a_streamed_event(trained: Model) -> None:
    before = trained.recommend(user_id="visitor", item_id=None, count=10)

    trained.record("visitor", "c9-03", 1_800_000_000)
    after_one = trained.recommend(user_id="visitor", item_id=None, count=10)
    for moment in range(1, 6):
        trained.record("visitor", f"c2-0{moment}", 1_800_000_000 + moment)
    after_six = trained.recommend(user_id="visitor", item_id=None, count=10)

    assert _of("c9", before) <= 3
    assert _of("c9", after_one) >= 8
    assert _of("c2", after_six) >= 8


def test_a_late_event_counts_by_when_it_happened(trained: Model) -> None:
    for moment in (1, 2, 3):
        trained.record("in order", f"c{moment}-00", moment)
    for moment in (3, 1, 2):
        trained.record("out of order", f"c{moment}-00", moment)

    assert trained.recommend(user_id="out of order", item_id=None, count=25) == trained.recommend(
        user_id="in order", item_id=None, count=25
    )


def test_of_two_events_in_one_second_the_later_to_arrive_is_the_newer(trained: Model) -> None:
    for user, moments in (("one second", (1, 1)), ("two seconds", (1, 2))):
        for item_id, moment in zip(("c1-00", "c2-00"), moments, strict=True):
            trained.record(user, item_id, moment)

    assert trained.recommend(user_id="one second", item_id=None, count=25) == trained.recommend(
        user_id="two seconds", item_id=None, count=25
    )


def test_a_standing_taste_outlasts_what_the_user_is_after_now(trained: Model) -> None:
    for moment in range(40):
        community = "c1" if moment < 30 else "c5"
        trained.record("collector", f"{community}-{moment % 10:02}", moment)

    answer = trained.recommend(user_id="collector", item_id=None, count=300)
    of_old = sum(score or 0 for item_id, score, _ in answer if item_id.startswith("c1-"))
    of_now = sum(score or 0 for item_id, score, _ in answer if item_id.startswith("c5-"))

    assert 0.2 < of_old < of_now


def test_a_streamed_event_comes_on_top_of_the_imported_history(trained: Model, shop: Interactions) -> None:
    fresh = train("aws-user-personalization", shop)
    fresh.record("u5", "c5-01", 1_900_000_000)
    fresh.record("stranger", "c5-01", 1_900_000_000)

    known, unknown = (fresh.recommend(user_id=user, item_id=None, count=25) for user in ("u5", "stranger"))

    assert known != trained.recommend(user_id="u5", item_id=None, count=25)
    assert known != unknown


def test_an_event_on_an_item_unknown_at_training_changes_nothing(trained: Model) -> None:
    before = trained.recommend(user_id="u7", item_id=None, count=25)

    trained.record("u7", "released-this-morning", 1_800_000_000)

    assert trained.recommend(user_id="u7", item_id=None, count=25) == before


def test_filtered_items_are_skipped_and_the_next_best_move_up(trained: Model) -> None:
    every = _items(trained.recommend(user_id="u5", item_id=None, count=10_000))
    wanted = [item_id for item_id in every if item_id.startswith("c8-")]

    answer = trained.recommend(
        user_id="u5", item_id=None, count=7, allowed=lambda item: item.startswith("c8-")
    )
    short = trained.recommend(user_id="u5", item_id=None, count=7, allowed=lambda item: item == "c8-00")

    assert _items(answer) == wanted[:7]
    assert _items(short) == ["c8-00"]


def test_an_answer_of_no_items_is_empty(trained: Model) -> None:
    assert trained.recommend(user_id="u5", item_id=None, count=0) == []


def test_similar_items_are_of_the_same_community_and_not_the_item_itself(shop: Interactions) -> None:
    model = train("aws-similar-items", shop)

    answer = model.recommend(user_id=None, item_id="c4-02", count=10)

    assert _of("c4", answer) >= 9
    assert "c4-02" not in _items(model.recommend(user_id=None, item_id="c4-02", count=10_000))
    assert {score for _, score, _ in answer} == {None}


def test_items_similar_to_an_unknown_one_are_the_popular_ones(shop: Interactions) -> None:
    popular = train("aws-popularity-count", shop).recommend(user_id=None, item_id=None, count=25)

    assert train("aws-sims", shop).recommend(user_id=None, item_id="never seen", count=25) == popular


@pytest.mark.parametrize("recipe", ["aws-similar-items", "aws-popularity-count"])
def test_recipes_that_do_not_answer_by_user_stay_as_they_are_when_events_stream(
    shop: Interactions, recipe: str
) -> None:
    model = train(recipe, shop)
    before = model.recommend(user_id="u1", item_id="c4-02", count=25)

    for moment in range(500):
        model.record("u1", "c11-24", 1_800_000_000 + moment)

    assert model.recommend(user_id="u1", item_id="c4-02", count=25) == before


def test_a_ranking_adds_up_to_1_over_what_it_was_given_with_unknown_items_last(ranking: Model) -> None:
    ranked = ranking.rank(user_id="u5", item_ids=["new-1", "c1-20", "c5-00", "new-2", "c5-20"])

    assert _items(ranked)[0] == "c5-00"
    assert ranked[3:] == [Scored("new-1", 0.0), Scored("new-2", 0.0)]
    assert sum(score or 0 for _, score, _ in ranked) == pytest.approx(1.0)


def test_a_ranking_follows_a_streamed_event(ranking: Model) -> None:
    for moment, item_id in enumerate(["c3-01", "c3-02"]):
        ranking.record("ranked visitor", item_id, moment)
    first = ranking.rank(user_id="ranked visitor", item_ids=["c3-00", "c6-00"])
    for moment, item_id in enumerate(["c6-01", "c6-02"], start=2):
        ranking.record("ranked visitor", item_id, moment)
    second = ranking.rank(user_id="ranked visitor", item_ids=["c3-00", "c6-00"])

    assert (_items(first)[0], _items(second)[0]) == ("c3-00", "c6-00")


def test_a_ranking_of_unknown_items_only_keeps_their_order(ranking: Model) -> None:
    assert ranking.rank(user_id="u5", item_ids=["b", "a"]) == [Scored("b", 0.0), Scored("a", 0.0)]


def test_a_question_the_recipe_cannot_answer_is_refused(
    trained: Model, ranking: Model, shop: Interactions
) -> None:
    with pytest.raises(ValueError, match="aws-user-personalization needs a user_id"):
        trained.recommend(user_id=None, item_id="c1-00", count=5)
    with pytest.raises(ValueError, match="aws-sims needs an item_id"):
        train("aws-sims", shop).recommend(user_id="u1", item_id=None, count=5)
    with pytest.raises(ValueError, match="aws-personalized-ranking ranks a list"):
        ranking.recommend(user_id="u1", item_id=None, count=5)
    with pytest.raises(ValueError, match="aws-user-personalization recommends"):
        trained.rank(user_id="u1", item_ids=["c1-00"])


def test_no_event_is_lost_when_many_threads_stream_for_one_user(shop: Interactions) -> None:
    crowded, alone = (train("aws-user-personalization", shop) for _ in range(2))
    random = np.random.default_rng(2)
    events = [(f"c{random.integers(12)}-{random.integers(25):02}", moment) for moment in range(400)]

    def stream(event: tuple[str, int]) -> int:
        crowded.record("shared", *event)
        return len(crowded.recommend(user_id="shared", item_id=None, count=5))

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert set(pool.map(stream, events)) == {5}
    for event in events:
        alone.record("shared", *event)

    assert crowded.recommend(user_id="shared", item_id=None, count=25) == alone.recommend(
        user_id="shared", item_id=None, count=25
    )


def test_films_are_not_recommended_again_where_nobody_watches_twice(shop: Interactions) -> None:
    pairs = list(zip(shop.user_ids, shop.item_ids, strict=True))
    once = sorted({pair: place for place, pair in enumerate(pairs)}.values())
    films = Interactions(
        user_ids=[shop.user_ids[place] for place in once],
        item_ids=[shop.item_ids[place] for place in once],
        timestamps=shop.timestamps[once],
    )
    watched = {item for user, item in zip(films.user_ids, films.item_ids, strict=True) if user == "u5"}

    of_films = train("aws-user-personalization", films).recommend(user_id="u5", item_id=None, count=8)
    of_shop = train("aws-user-personalization", shop).recommend(user_id="u5", item_id=None, count=8)

    assert watched.isdisjoint(_items(of_films))
    assert not watched.isdisjoint(_items(of_shop))


def test_answers_to_sixteen_threads_at_once_are_those_to_one(trained: Model) -> None:
    """Each thread adds up in room of its own: were it shared, sums would mix."""
    condition = Condition(lambda item_id: not item_id.endswith("4"), key="no 4")

    def ask(request: int) -> list[Scored]:
        return trained.recommend(
            user_id=f"u{request % 100}",
            item_id=None,
            count=25 + request % 3,
            allowed=condition if request % 2 else None,
            explore=Exploration() if request % 5 == 0 else None,
        )

    alone = [ask(request) for request in range(400)]
    with ThreadPoolExecutor(max_workers=16) as pool:
        crowded = list(pool.map(ask, range(400)))

    assert crowded == alone
