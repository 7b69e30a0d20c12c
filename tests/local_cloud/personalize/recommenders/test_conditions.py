from __future__ import annotations

import pytest

from local_cloud.personalize.recommenders import Condition, Interactions, Model, train


@pytest.fixture(scope="module")
def model(shop: Interactions) -> Model:
    return train("aws-user-personalization", shop)


@pytest.mark.parametrize("ending", ["03", "3", "", "nothing ends like this"])
def test_a_condition_lets_pass_what_its_test_does_in_the_same_order(model: Model, ending: str) -> None:
    def passes(item_id: str) -> bool:
        return item_id.endswith(ending)

    asked, kept = (
        model.recommend(user_id="u5", item_id=None, count=40, allowed=allowed)
        for allowed in (passes, Condition(passes, key=ending))
    )

    assert kept == asked


def test_items_are_asked_about_once_per_key(model: Model) -> None:
    asked: list[str] = []

    def passes(item_id: str) -> bool:
        asked.append(item_id)
        return True

    def condition(key: str) -> Condition:
        return Condition(passes, key=key)

    for user in range(5):
        model.recommend(user_id=f"u{user}", item_id=None, count=5, allowed=condition("first"))
    assert len(asked) == len(set(asked)) == 300
    model.recommend(user_id="u1", item_id=None, count=5, allowed=condition("second"))
    assert len(asked) == 600


def test_what_was_not_used_for_long_is_asked_again(model: Model) -> None:
    asked: list[str] = []

    def passes(item_id: str) -> bool:
        asked.append(item_id)
        return True

    def ask(key: object) -> None:
        condition = Condition(passes, key=("old", key))
        model.recommend(user_id="u1", item_id=None, count=5, allowed=condition)

    ask("kept")
    ask("forgotten")
    for key in range(64):
        ask("kept")
        ask(key)
    asked.clear()
    ask("kept")
    assert asked == []
    ask("forgotten")
    assert len(asked) == 300


def test_what_depends_on_the_request_is_asked_besides(model: Model) -> None:
    condition = Condition(lambda item_id: item_id.endswith("3"), key="ends in 3")
    without = condition.but(lambda item_id: not item_id.startswith("c5")).but(lambda item_id: "-1" in item_id)

    answer = model.recommend(user_id="u5", item_id=None, count=300, allowed=without)

    passing = {item_id for item_id, *_ in answer}
    assert passing == {f"c{n}-13" for n in range(12) if n != 5}
    every = [item_id for item_id, *_ in model.recommend(user_id="u5", item_id=None, count=300)]
    assert passing == {item_id for item_id in every if without(item_id)}
