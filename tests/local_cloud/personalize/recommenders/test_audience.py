"""What the Users dataset is good for: those of whom nothing else is known."""

from __future__ import annotations

import pytest

from local_cloud.personalize.recommenders import Interactions, Model, train
from tests.local_cloud.personalize.recommenders.conftest import COMMUNITIES, USERS


@pytest.fixture(scope="module")
def users() -> dict[str, dict[str, object]]:
    """Everybody's country is that of their community; newcomers have one too, and ages say nothing."""
    known: dict[str, dict[str, object]] = {
        f"u{user}": {"COUNTRY": f"land {user % COMMUNITIES}", "AGE": user} for user in range(USERS)
    }
    return {
        **known,
        "from 3": {"USER_ID": "from 3", "COUNTRY": "land 3", "AGE": 5},
        "from nowhere": {"COUNTRY": "land 99"},
        "from 3 and 4": {"COUNTRY": "land 3|land 4"},
    }


@pytest.fixture(scope="module")
def model(shop: Interactions, users: dict[str, dict[str, object]]) -> Model:
    return train("aws-user-personalization", shop, users=users)


def _of(community: int, model: Model, user_id: str) -> int:
    answer = model.recommend(user_id=user_id, item_id=None, count=10)
    return sum(item_id.startswith(f"c{community}-") for item_id, *_ in answer)


def test_a_newcomer_gets_what_people_like_them_do(model: Model) -> None:
    assert _of(3, model, "from 3") >= 9


def test_of_two_values_each_has_its_part(model: Model) -> None:
    assert _of(3, model, "from 3 and 4") >= 3
    assert _of(4, model, "from 3 and 4") >= 3


def test_who_is_like_nobody_gets_what_everybody_does(model: Model, shop: Interactions) -> None:
    plain = train("aws-user-personalization", shop)
    popular = plain.recommend(user_id="stranger", item_id=None, count=25)

    for user_id in ("from nowhere", "stranger"):
        assert model.recommend(user_id=user_id, item_id=None, count=25) == popular


def test_what_a_newcomer_does_soon_counts_more_than_where_they_are_from(
    shop: Interactions, users: dict[str, dict[str, object]]
) -> None:
    model = train("aws-user-personalization", shop, users=users)
    model.record("from 3", "c8-01", 1_900_000_000)

    assert _of(8, model, "from 3") >= 8


def test_rankings_heed_it_too(shop: Interactions, users: dict[str, dict[str, object]]) -> None:
    model = train("aws-personalized-ranking", shop, users=users)

    assert model.rank(user_id="from 3", item_ids=["c5-00", "c3-00"])[0].item_id == "c3-00"


def test_a_value_of_fewer_than_five_users_says_nothing(shop: Interactions) -> None:
    four: dict[str, dict[str, object]] = {f"u{3 + 12 * n}": {"CLUB": "ours"} for n in range(3)}
    model = train("aws-user-personalization", shop, users={**four, "member": {"CLUB": "ours"}})
    plain = train("aws-user-personalization", shop)

    assert [item_id for item_id, *_ in model.recommend(user_id="member", item_id=None, count=25)] == [
        item_id for item_id, *_ in plain.recommend(user_id="member", item_id=None, count=25)
    ]
