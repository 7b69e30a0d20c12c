"""API reference, `CampaignConfig`, rankingInfluence."""

from __future__ import annotations

import numpy as np

from local_cloud.personalize.recommenders import Interactions, Model, train

DAY = 86_400
NOW = 1_700_000_000


def _model(recipe: str = "aws-semantic-similarity") -> Model:
    """`alike` has all words of `asked`; `liked` and `fresh` have one of them, and what their names say."""
    touched = ["asked"] * 3 + ["alike"] * 2 + ["liked"] * 40 + ["fresh"] * 2 + ["other"] * 10
    titles = {"asked": "red wool hat", "alike": "red wool hat", "liked": "red shoe", "fresh": "wool sock"}
    return train(
        recipe,
        Interactions(
            user_ids=[f"u{number}" for number in range(len(touched))],
            item_ids=touched,
            timestamps=np.full(len(touched), NOW, dtype=np.int64),
        ),
        items={
            item: {
                "TITLE": titles.get(item, "blue car"),
                "CREATION_TIMESTAMP": NOW - (1 if item == "fresh" else 300) * DAY,
            }
            for item in dict.fromkeys(touched)
        },
    )


def _first(model: Model, **influence: float) -> str:
    return model.recommend(user_id=None, item_id="asked", count=1, influence=influence)[0].item_id


def test_without_influence_the_most_alike_comes_first() -> None:
    model = _model()
    assert _first(model) == _first(model, POPULARITY=0.0, FRESHNESS=0.0) == "alike"


def test_at_full_influence_what_is_popular_or_new_comes_first() -> None:
    model = _model()
    assert _first(model, POPULARITY=1.0) == "liked"
    assert _first(model, FRESHNESS=1.0) == "fresh"


def test_other_recipes_do_not_heed_it() -> None:
    model = _model("aws-similar-items")
    plain = model.recommend(user_id=None, item_id="asked", count=5)
    influenced = model.recommend(user_id=None, item_id="asked", count=5, influence={"FRESHNESS": 1.0})
    assert influenced == plain
