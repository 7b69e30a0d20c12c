"""Items are written as text: it has to be what a JSON library would have written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.api import _body
from recommendations.experiment import Experiment
from recommendations.items import of_ids, of_predictions, read
from recommendations.recommender import Recommendation
from recommendations.request import Request
from vocabulary.colours import Colour
from vocabulary.placements import Placement

ROW = Placement(name="row")

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers()
predictions = st.lists(
    st.fixed_dictionaries(
        {"itemId": st.text()},
        optional={"score": numbers, "metadata": st.dictionaries(st.text(), st.text())},
    )
)


@given(predictions)
def test_items_are_what_a_json_library_would_have_written(predicted: list[dict[str, Any]]) -> None:
    ids, written = of_predictions(read(json.dumps(predicted)))
    renamed = [
        {"item_id": each["itemId"], **{name: each[name] for name in ("score", "metadata") if name in each}}
        for each in predicted
    ]
    assert ids == [each["itemId"] for each in predicted]
    assert written == json.dumps(renamed, separators=(",", ":"))


@given(st.lists(st.text()))
def test_so_are_items_with_nothing_but_an_id(ids: list[str]) -> None:
    assert of_ids(ids) == json.dumps([{"item_id": each} for each in ids], separators=(",", ":"))


@given(st.text(), st.text() | st.none(), st.lists(st.text()), st.booleans())
def test_so_is_the_whole_answer(
    user: str, recommendation_id: str | None, ids: list[str], treated: bool
) -> None:
    assignment = Experiment("s" * 16, 0, 10_000).assign(user) if treated else None
    colour: Colour | None = "maize" if treated else None
    answer = Recommendation(
        ids, "personalize", colour, recommendation_id, assignment, written=of_ids(ids)
    )  # fmt: skip
    assert json.loads(_body(Request(user, ROW), answer)) == {
        "user_id": user,
        "placement": "row",
        "items": [{"item_id": each} for each in ids],
        "recommendation_id": recommendation_id,
        "variant": "treatment" if treated else None,
        "source": "personalize",
        "colour": colour,
    }


@pytest.mark.parametrize("number", ["0.10", "1E-5", "-0.0", "12345678901234567890.123456789", "1e999", "7"])
def test_a_score_leaves_as_it_came(number: str) -> None:
    _, written = of_predictions(read(f'[{{"itemId": "a", "score": {number}}}]'))
    assert written == f'[{{"item_id":"a","score":{number}}}]'


@pytest.mark.parametrize(
    "predicted",
    [
        '[{"itemId": 1.5}]',
        '[{"itemId": null}]',
        '[{"score": 0.5}]',
        '[{"itemId": "a", "score": "0.5"}]',
        '[{"itemId": "a", "score": true}]',
        '[{"itemId": "a", "score": null}]',
        '[{"itemId": "a", "score": NaN}]',
        '[{"itemId": "a", "score": -Infinity}]',
        '[{"itemId": "a", "metadata": ["x"]}]',
        '[{"itemId": "a", "metadata": {"price": 9.5}}]',
        "7",
    ],
)
def test_what_is_no_list_of_items_is_not_passed_off_as_one(predicted: str) -> None:
    with pytest.raises((TypeError, ValueError, KeyError)):
        of_predictions(read(predicted))
