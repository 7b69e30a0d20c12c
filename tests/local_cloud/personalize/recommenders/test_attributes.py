"""What the Items dataset is good for: items that few have touched, or none."""

from __future__ import annotations

import numpy as np
import pytest

from local_cloud.personalize.recommenders import Interactions, train
from local_cloud.personalize.recommenders.attributes import alike, words_of
from local_cloud.personalize.recommenders.interactions import Catalogue

_NEW = "released-today"


@pytest.fixture(scope="module")
def items(shop: Interactions) -> dict[str, dict[str, object]]:
    """Brand and colour of every item, the brand telling its community; and a new one, of brand 6."""
    colours = ["red", "blue", "green", "black", "white"]
    catalogue: dict[str, dict[str, object]] = {
        item_id: {
            "BRAND": f"brand {item_id[1 : item_id.index('-')]}",
            "COLOUR": colours[int(item_id[-2:]) % 5],
        }
        for item_id in sorted(set(shop.item_ids))
    }
    return {**catalogue, _NEW: {"BRAND": "brand 6", "COLOUR": "red", "PRICE": 99.0}}


def test_an_item_nobody_has_touched_is_like_those_of_its_brand(
    shop: Interactions, items: dict[str, dict[str, object]]
) -> None:
    answer = train("aws-similar-items", shop, items=items).recommend(user_id=None, item_id=_NEW, count=10)

    assert sum(item_id.startswith("c6-") for item_id, _ in answer) == 10


def test_an_item_nobody_has_touched_is_recommended_to_those_who_like_its_brand(
    shop: Interactions, items: dict[str, dict[str, object]]
) -> None:
    model = train("aws-user-personalization", shop, items=items)

    places = {
        user: [item_id for item_id, _ in model.recommend(user_id=user, item_id=None, count=301)].index(_NEW)
        for user in ("u6", "u7")
    }

    assert places["u6"] < 26 < 100 < places["u7"]


def test_attributes_leave_what_many_have_touched_alone(
    shop: Interactions, items: dict[str, dict[str, object]]
) -> None:
    misleading = {item_id: {"BRAND": "one for all"} for item_id in items}

    plain, misled = (
        train("aws-similar-items", shop, items=attributes).recommend(user_id=None, item_id="c4-02", count=5)
        for attributes in (None, misleading)
    )

    assert plain == misled


def test_items_that_nobody_touched_count_in_coverage(
    shop: Interactions, items: dict[str, dict[str, object]]
) -> None:
    untouched: dict[str, dict[str, object]] = {f"dusty-{n}": {} for n in range(300)}

    assert train("aws-user-personalization", shop, items={**items, **untouched}).metrics["coverage"] < 0.51


def test_several_values_of_a_column_and_the_words_of_each_are_told_apart() -> None:
    words = set(words_of({"GENRE": "Drama|Film noir", "PRICE": 3.5, "TITLE": None}))

    assert words == {"GENRE=Drama", "GENRE=Film noir", "GENRE~film", "GENRE~noir"}


def test_likeness_is_the_cosine_of_what_is_not_common_to_all() -> None:
    items = {
        "a": {"BRAND": "x", "SHOP": "ours"},
        "b": {"BRAND": "x", "SHOP": "ours"},
        "c": {"BRAND": "y", "SHOP": "ours"},
        "d": {"BRAND": "y", "SHOP": "ours"},
    }
    table = alike(items, Catalogue(items), np.array([0, 2])).toarray()

    np.testing.assert_allclose(table, [[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]], atol=1e-6)
