"""The heartbeat tells the truth: nothing stands in for the live colour."""

from __future__ import annotations

from typing import Any

import pytest

from recommendations import heartbeat
from recommendations.campaigns import Campaigns
from recommendations.recommender import Recommender
from tests.lambdas.recommendations.fakes import (
    AppConfig,
    Behaviour,
    Bucket,
    Personalize,
    answers,
    configuration,
    fails,
    popular_lists,
    recommends,
    settings,
)

NOBODY = {"exempt": 0, "control": 10_000, "treatment": 0}
"""An experiment that shows recommendations to nobody: it is no business of the heartbeat."""


def beat(personalize: Personalize, live: str = "maize", **request: Any) -> list[dict[str, Any]]:
    known = settings(live)
    recommender = Recommender(
        live_colour=known.live_colour,
        ranker=Campaigns(personalize, known.arn_of),
        popular=popular_lists(Bucket(recommended_for_you=["p1"], similar_items=["p1"])),
        configuration=configuration(AppConfig({"enabled": True, "salt": "s" * 16, "allocation": NOBODY})),
        budget=5.0,
        clock=personalize.clock,
    )
    question = {"placement": "recommended-for-you", "user_ids": ["ann", "bob"], **request}
    answered: list[dict[str, Any]] = heartbeat.answers(question, recommender, known.placements)["answers"]
    return answered


def test_every_user_is_answered_by_the_live_colour() -> None:
    personalize = Personalize(maize=lambda question: recommends(f"for-{question['userId']}")(question))
    assert beat(personalize) == [
        {"source": "personalize", "colour": "maize", "items": ["for-ann"]},
        {"source": "personalize", "colour": "maize", "items": ["for-bob"]},
    ]


@pytest.mark.parametrize(
    ("maize", "kind"),
    [
        (fails("ResourceNotFoundException", 404), "NoSuchCampaign"),
        (fails("ThrottlingException"), "ThrottlingException"),
        (answers(b"<html>"), "Garbled"),
    ],
)
def test_what_the_live_colour_fails_to_answer_nobody_else_does(maize: Behaviour, kind: str) -> None:
    for answer in beat(Personalize(maize=maize, blue=recommends("x"))):
        assert (answer["source"], answer["colour"], answer["items"]) == ("error", "maize", [])
        assert kind in answer["error"]


def test_an_empty_list_is_reported_as_it_is() -> None:
    empty = answers({"itemList": [], "recommendationId": "R"})
    assert beat(Personalize(maize=empty), user_ids=["ann"]) == [
        {"source": "personalize", "colour": "maize", "items": []}
    ]


def test_before_the_first_training_there_is_no_answer() -> None:
    (answer,) = beat(Personalize(maize=recommends("a")), live="none", user_ids=["ann"])
    assert (answer["source"], answer["colour"]) == ("error", "none")


def test_a_slow_first_answer_of_a_new_campaign_is_forgiven() -> None:
    tries: list[str] = []

    def warms_up(question: dict[str, Any]) -> Any:
        tries.append(question["userId"])
        return recommends("a")(question) if len(tries) > 2 else fails("InternalServerError")(question)

    assert [answer["source"] for answer in beat(Personalize(maize=warms_up))] == ["personalize"] * 2
    assert tries == ["ann", "ann", "ann", "bob"]


def test_a_campaign_that_never_answers_is_not_asked_forever() -> None:
    personalize = Personalize(maize=fails("InternalServerError"))
    beat(personalize, user_ids=["ann", "bob", "cy"])
    assert len(personalize.questions) == 3 + 3


def test_items_go_round_when_they_are_fewer_than_users() -> None:
    personalize = Personalize(maize=recommends("a"))
    beat(personalize, placement="similar-items", user_ids=["ann", "bob", "cy"], item_ids=["i1", "i2"])
    assert [question["itemId"] for question in personalize.questions] == ["i1", "i2", "i1"]


def test_a_placement_that_ranks_is_given_all_the_items() -> None:
    personalize = Personalize(maize=recommends())
    (answer,) = beat(personalize, placement="ranked", user_ids=["ann"], item_ids=["i1", "i2"])
    assert answer["items"] == ["i2", "i1"]
    assert personalize.paths == ["POST /personalize-ranking"]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"placement": "nowhere"}, "placement must be one of recommended-for-you, similar-items, ranked"),
        ({"placement": "similar-items"}, "item_ids must not be empty"),
    ],
)
def test_a_heartbeat_that_proves_nothing_is_refused(request_: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        beat(Personalize(maize=recommends("a")), **request_)
