"""Whatever Personalize does: 200 with items within the deadline, or 4xx for the caller's own fault."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendations.connection import Broken, TimedOut
from recommendations.service import ServiceError
from tests.lambdas.recommendations.fakes import AppConfig, Behaviour, Clock, Personalize
from tests.lambdas.recommendations.test_recommending import Service

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)

items = st.lists(
    st.fixed_dictionaries(
        {},
        optional={"itemId": st.text(max_size=4) | json_values, "score": json_values, "metadata": json_values},
    ),
    max_size=4,
)

bodies = st.one_of(
    st.binary(max_size=40),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.builds(
        lambda listed, more: json.dumps({**more, "itemList": listed}).encode(),
        items,
        st.fixed_dictionaries({}, optional={"recommendationId": json_values}),
    ),
    st.just(b"[" * 100_000),
)

errors = st.one_of(
    st.builds(ServiceError, st.sampled_from(["ThrottlingException", "InvalidInputException",
        "ResourceNotFoundException", "InternalServerError", "AccessDeniedException", ""]),
        st.sampled_from([400, 403, 404, 429, 500, 503])),
    st.sampled_from([TimedOut(), Broken("reset"), ValueError("?"), MemoryError(), OSError(9, "bad file")]),
)  # fmt: skip


def behaves(outcome: bytes | Exception) -> Behaviour:
    def behave(question: dict[str, Any]) -> Any:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return behave


calls = st.tuples(bodies | errors, st.floats(0, 0.5))
"""What a call comes to, and after how many seconds."""


@settings(max_examples=300, deadline=None)
@given(
    sequence=st.lists(calls, min_size=1, max_size=12),
    missing=st.booleans(),
    live=st.sampled_from(["maize", "blue", "none"]),
    experiment=st.none() | json_values,
    num_results=st.none() | st.text(max_size=4),
    pause=st.floats(0, 40),
)
def test_any_behaviour(
    sequence: list[tuple[bytes | Exception, float]],
    missing: bool,
    live: str,
    experiment: Any,
    num_results: str | None,
    pause: float,
) -> None:
    personalize = Personalize(clock=Clock())
    appconfig = None if experiment is None else AppConfig(experiment)
    service = Service(personalize, live=live, appconfig=appconfig)
    for outcome, takes in sequence:
        behaviour = behaves(outcome)
        personalize.colours = {"blue": behaviour} if missing else {"maize": behaviour, "blue": behaviour}
        personalize.takes = takes
        began = service.clock()
        status, body = service.get(**({} if num_results is None else {"num_results": num_results}))
        assert service.clock() - began <= 0.3 + 1e-6
        if status == 400:
            assert body["errors"][0]["parameter"] == "num_results"
        else:
            assert status == 200
            assert body["items"]
            assert all(type(item["item_id"]) is str for item in body["items"])
            assert (body["colour"] is not None) == (body["source"] == "personalize")
        service.clock.now += pause


@pytest.mark.parametrize(
    ("outcome", "failure"),
    [
        (TimedOut(), "TimedOut"),
        (ServiceError("ThrottlingException", 429), "ThrottlingException"),
        (b"<html>", "Garbled"),
    ],
)
def test_the_right_metric_moves(
    outcome: bytes | Exception, failure: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Service(Personalize(maize=behaves(outcome))).get()
    line = json.loads(capsys.readouterr().out)
    assert (line["Recommendations"], line["Fallbacks"], line["PersonalizeErrors"]) == (1, 1, 1)
    assert line["failures"] == [failure]
