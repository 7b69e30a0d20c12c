"""Developer guide, "Increasing recommendation relevance with contextual metadata"."""

from __future__ import annotations

import numpy as np
import pytest

from local_cloud.personalize.recommenders import ContextColumn, Interactions, Model, train

MORNING, EVENING, UNTOLD = 0, 1, 2


def _model(recipe: str = "aws-user-personalization") -> Model:
    """Coffee in the morning and wine in the evening, by the same people; tea at any time."""
    items = ["coffee", "wine", "tea", "tea"] * 30
    return train(
        recipe,
        Interactions(
            user_ids=[f"u{n // 4}" for n in range(len(items))],
            item_ids=items,
            timestamps=np.arange(len(items), dtype=np.int64) * 7200,
            contexts={
                "TIME": ContextColumn(
                    values=["morning", "evening", None],
                    codes=np.array([MORNING, EVENING, UNTOLD, UNTOLD] * 30, dtype=np.int32),
                )
            },
        ),
    )


@pytest.mark.parametrize("user_id", ["u3", "nobody"])
def test_what_is_taken_under_a_context_comes_before_what_is_not(user_id: str) -> None:
    model = _model()

    def order(time: str) -> list[str]:
        best = model.recommend(user_id=user_id, item_id=None, count=3, context={"TIME": time})
        assert sum(item.score or 0 for item in best) == pytest.approx(1)
        return [item.item_id for item in best]

    assert order("morning").index("coffee") < order("morning").index("wine")
    assert order("evening").index("wine") < order("evening").index("coffee")


def test_a_context_that_nobody_has_heard_of_says_nothing() -> None:
    model = _model()
    plain = model.recommend(user_id="u3", item_id=None, count=3)
    for context in ({"TIME": "noon"}, {"PLACE": "bar"}):
        assert model.recommend(user_id="u3", item_id=None, count=3, context=context) == plain


def test_only_recipes_by_user_heed_a_context() -> None:
    model = _model("aws-popularity-count")
    plain = model.recommend(user_id=None, item_id=None, count=3)
    assert model.recommend(user_id=None, item_id=None, count=3, context={"TIME": "evening"}) == plain


def test_a_ranking_heeds_a_context() -> None:
    ranked = _model("aws-personalized-ranking").rank(
        user_id="u3", item_ids=["coffee", "wine"], context={"TIME": "evening"}
    )
    assert ranked[0].item_id == "wine"
