"""What the Items dataset is good for: items that few have touched, or none."""

from __future__ import annotations

import numpy as np
import pytest

from local_cloud.personalize.recommenders import Interactions, attributes, train
from local_cloud.personalize.recommenders.attributes import Semantics, alike, features, words_of
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

    assert sum(item_id.startswith("c6-") for item_id, *_ in answer) == 10


def test_an_item_nobody_has_touched_is_recommended_to_those_who_like_its_brand(
    shop: Interactions, items: dict[str, dict[str, object]]
) -> None:
    model = train("aws-user-personalization", shop, items=items)

    places = {
        user: [item_id for item_id, *_ in model.recommend(user_id=user, item_id=None, count=301)].index(_NEW)
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
    table = alike(items, Catalogue(items), np.array([0, 2]), np.zeros(4, dtype=np.int64)).toarray()

    np.testing.assert_allclose(table, [[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]], atol=1e-6)


def test_a_word_of_one_item_alone_says_nothing() -> None:
    items = {
        "a": {"BRAND": "x", "MOTTO": "mine alone"},
        "b": {"BRAND": "x"},
        "c": {"BRAND": "y"},
    }

    table = alike(items, Catalogue(items), np.array([0]), np.zeros(3, dtype=np.int64)).toarray()

    np.testing.assert_allclose(table[0], [0, 1, 0], atol=1e-6)


def test_a_word_of_many_leads_to_those_that_are_touched_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributes, "_PER_WORD", 2)
    items = {**{f"x{n}": {"BRAND": "x"} for n in range(5)}, "y": {"BRAND": "y"}}

    table = alike(items, Catalogue(items), np.array([3]), np.array([5, 1, 4, 0, 3, 9])).toarray()

    assert np.flatnonzero(table[3]).tolist() == [0, 2]


def _described() -> dict[str, dict[str, object]]:
    random = np.random.default_rng(8)
    return {
        f"i{item:02}": {"TITLE": " ".join(f"w{word}" for word in random.integers(30, size=5))}
        for item in range(60)
    }


def test_semantic_likeness_is_the_cosine_of_the_words() -> None:
    items = _described()
    catalogue = Catalogue(items)
    table = features(items, catalogue).toarray()
    semantics = Semantics(items, catalogue)

    for item in range(60):
        near, likeness = semantics.around(item)
        found = np.bincount(near, weights=likeness, minlength=60)
        np.testing.assert_allclose(found, table @ table[item], atol=1e-6)


@pytest.mark.parametrize(("most", "found"), [(12, 12), (11, 2), (1, 2)])
def test_rare_words_are_read_first_and_the_rarest_always(
    monkeypatch: pytest.MonkeyPatch, most: int, found: int
) -> None:
    """`a` and `b` share a rare word, ten of eleven a common one."""
    monkeypatch.setattr(attributes, "_MOST_POSTINGS", most)
    items: dict[str, dict[str, object]] = {f"i{n}": {"SHOP": "ours"} for n in range(8)}
    items |= {name: {"SHOP": "ours", "BRAND": "rare"} for name in ("a", "b")}
    items["z"] = {"SHOP": "theirs"}
    catalogue = Catalogue(items)
    code = catalogue.code("a")
    assert code is not None

    near, _ = Semantics(items, catalogue).around(code)

    assert len(near) == found
