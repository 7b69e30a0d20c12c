"""The serving function from API Gateway's event to its answer, whatever Personalize and S3 do meanwhile."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from recommendations import api
from recommendations.bulkhead import Bulkhead
from recommendations.campaigns import Campaigns
from recommendations.recommender import Recommender
from tests.lambdas.recommendations.fakes import (
    Behaviour,
    Bucket,
    Clock,
    Personalize,
    answers,
    fails,
    popular_lists,
    recommends,
    settings,
)

POPULAR = ["p1", "p2", "p3"]


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """An event that happens when the test is over."""
    event = threading.Event()
    yield event
    event.set()


class Service:
    """The function, wired as its handler does, over fakes."""

    def __init__(
        self,
        personalize: Personalize,
        *,
        live: str = "maize",
        bucket: Bucket | None = None,
        budget: float = 5.0,
        bulkhead: Bulkhead | None = None,
    ) -> None:
        self.settings = settings(live)
        self.recommender = Recommender(
            live_colour=self.settings.live_colour,
            ranker=Campaigns(personalize, self.settings.campaign_arn),
            popular=popular_lists(bucket or Bucket(recommended_for_you=POPULAR)),
            bulkhead=bulkhead or Bulkhead(at_most=3),
            budget=budget,
        )

    def get(
        self, user: str = "ann", placement: str | None = "recommended-for-you", **query: str
    ) -> tuple[int, Any]:
        if placement is not None:
            query["placement"] = placement
        event = {
            "httpMethod": "GET",
            "resource": "/recommendations/{user_id}",
            "pathParameters": {"user_id": user},
            "queryStringParameters": query or None,
            "requestContext": {"requestId": "r-1"},
        }
        response = api.respond(event, self.recommender, self.settings, began=0.0, clock=Clock())
        return response["statusCode"], json.loads(response["body"])


def ids(body: Any) -> list[str]:
    return [item["item_id"] for item in body["items"]]


def test_the_live_colour_answers() -> None:
    personalize = Personalize(maize=recommends("a", "b"), blue=recommends("x"))
    status, body = Service(personalize).get("ann%2Fb", num_results="1")
    assert status == 200
    assert body == {
        "user_id": "ann/b",
        "placement": "recommended-for-you",
        "items": [{"item_id": "a", "score": 0.5}],
        "recommendation_id": "RID-1",
        "variant": None,
        "source": "personalize",
        "colour": "maize",
    }
    assert personalize.questions == [
        {
            "campaignArn": "arn:aws:personalize:eu-west-1:123456789012:campaign/"
            "colorway-test-maize-recommended-for-you",
            "userId": "ann/b",
            "numResults": 1,
        }
    ]


def test_a_recipe_without_scores_gives_items_without_scores() -> None:
    scoreless = answers({"itemList": [{"itemId": "a"}], "recommendationId": "R"})
    _, body = Service(Personalize(maize=scoreless)).get()
    assert body["items"] == [{"item_id": "a"}]


def test_an_item_is_handed_on_where_the_placement_needs_one() -> None:
    personalize = Personalize(maize=recommends("a"))
    service = Service(personalize)
    service.get(placement="similar-items", item_id="i1")
    service.get(placement="recommended-for-you", item_id="i1")
    assert [question.get("itemId") for question in personalize.questions] == ["i1", None]


def test_a_colour_that_is_gone_is_answered_by_the_other() -> None:
    _, body = Service(Personalize(blue=recommends("x")), live="maize").get()
    assert (ids(body), body["source"], body["colour"]) == (["x"], "personalize", "blue")


def test_each_colour_is_asked_once_at_most() -> None:
    personalize = Personalize()
    _, body = Service(personalize).get()
    assert (ids(body), body["source"], body["colour"]) == (POPULAR, "popular", None)
    assert len(personalize.questions) == 2


def test_only_a_missing_campaign_is_a_reason_to_ask_the_other_colour() -> None:
    personalize = Personalize(maize=fails("ThrottlingException"), blue=recommends("x"))
    _, body = Service(personalize).get()
    assert body["source"] == "popular"
    assert len(personalize.questions) == 1


def test_before_the_first_training_popular_items_answer_and_nobody_is_asked() -> None:
    personalize = Personalize()
    _, body = Service(personalize, live="none").get()
    assert (ids(body), body["source"]) == (POPULAR, "popular")
    assert personalize.questions == []


def test_a_connection_that_closed_in_a_frozen_sandbox_is_opened_again() -> None:
    personalize = Personalize(maize=recommends("a"))
    personalize.dropped_connections = 1
    _, body = Service(personalize).get()
    assert body["source"] == "personalize"


def test_a_call_that_hangs_is_not_waited_for(never: threading.Event) -> None:
    def hangs(question: dict[str, Any]) -> Any:
        never.wait()

    _, body = Service(Personalize(maize=hangs), budget=0.02).get()
    assert (ids(body), body["source"]) == (POPULAR, "popular")


def test_calls_that_hang_do_not_pile_up(never: threading.Event) -> None:
    def hangs(question: dict[str, Any]) -> Any:
        never.wait()

    personalize = Personalize(maize=hangs)
    service = Service(personalize, budget=0.02, bulkhead=Bulkhead(at_most=2))
    sources = [service.get()[1]["source"] for _ in range(4)]
    assert sources == ["popular"] * 4
    assert len(personalize.questions) == 2


def test_room_is_made_again_when_a_hanging_call_ends(never: threading.Event) -> None:
    released = threading.Semaphore(0)
    bulkhead = Bulkhead(at_most=1)

    def hangs_once(question: dict[str, Any]) -> Any:
        if not never.is_set():
            never.wait()
        released.release()
        return recommends("a")(question)

    service = Service(Personalize(maize=hangs_once), budget=0.02, bulkhead=bulkhead)
    assert service.get()[1]["source"] == "popular"
    never.set()
    assert released.acquire(timeout=5)
    patient = Service(Personalize(maize=recommends("a")), bulkhead=bulkhead)
    deadline = threading.Event()
    while patient.get()[1]["source"] != "personalize":
        assert not deadline.wait(0.01)


BEHAVIOURS: dict[str, Behaviour] = {
    "recommends": recommends("a", "b"),
    "is gone": fails("ResourceNotFoundException"),
    "throttles": fails("ThrottlingException"),
    "refuses": fails("InvalidInputException"),
    "fails": fails("InternalServerError"),
    "denies": fails("AccessDeniedException"),
    "answers nothing": answers({"itemList": [], "recommendationId": "R"}),
    "answers garbage": answers({"itemList": [{"id": 7}]}),
    "answers None": answers(None),
    "answers text": answers("<html>"),
}


@pytest.mark.parametrize(("maize", "blue"), list(itertools.product(BEHAVIOURS, BEHAVIOURS)))
def test_whatever_personalize_does_the_answer_has_items(maize: str, blue: str) -> None:
    personalize = Personalize(maize=BEHAVIOURS[maize], blue=BEHAVIOURS[blue])
    for live in ("maize", "blue", "none"):
        status, body = Service(personalize, live=live).get()
        assert status == 200
        assert body["items"]
        assert body["source"] in ("personalize", "popular")
        assert (body["colour"] is None) == (body["source"] == "popular")


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_with_s3_away_too_the_answer_is_empty_and_still_an_answer(behaviour: str) -> None:
    bucket = Bucket()
    bucket.away = True
    status, body = Service(Personalize(maize=BEHAVIOURS[behaviour]), bucket=bucket).get()
    assert status == 200
    if behaviour != "recommends":
        assert (body["items"], body["source"]) == ([], "popular")


def test_popular_items_are_cut_to_what_was_asked_for() -> None:
    _, body = Service(Personalize(), live="none").get(num_results="2")
    assert ids(body) == ["p1", "p2"]


@pytest.mark.parametrize(
    ("query", "parameter", "allowed"),
    [
        ({"placement": "nowhere"}, "placement", "one of recommended-for-you, similar-items"),
        ({"placement": None}, "placement", "one of recommended-for-you, similar-items"),
        ({"num_results": "0"}, "num_results", "a whole number from 1 to 500"),
        ({"num_results": "501"}, "num_results", "a whole number from 1 to 500"),
        ({"num_results": "ten"}, "num_results", "a whole number from 1 to 500"),
        ({"num_results": "-1"}, "num_results", "a whole number from 1 to 500"),
        ({"num_results": "²"}, "num_results", "a whole number from 1 to 500"),
        ({"num_results": "9" * 5000}, "num_results", "a whole number from 1 to 500"),
        ({"placement": "similar-items"}, "item_id", "1 to 256 characters"),
        ({"item_id": "i" * 257}, "item_id", "1 to 256 characters"),
        ({"filter": "not-bought"}, "filter", "nothing: there are no named filters yet"),
        ({"user": "u" * 257}, "user_id", "1 to 256 characters"),
    ],
)
def test_a_bad_parameter_is_named_with_what_is_allowed(
    query: dict[str, Any], parameter: str, allowed: str
) -> None:
    status, body = Service(Personalize(maize=recommends("a"))).get(**query)
    assert status == 400
    assert parameter in body["message"]
    value = query.get(parameter.replace("user_id", "user"))
    assert body["errors"] == [{"parameter": parameter, "value": value, "allowed": allowed}]


def test_all_bad_parameters_are_named_at_once() -> None:
    _, body = Service(Personalize()).get(placement="nowhere", num_results="x")
    assert [error["parameter"] for error in body["errors"]] == ["placement", "num_results"]


def test_any_other_route_is_not_found() -> None:
    service = Service(Personalize())
    event = {"httpMethod": "GET", "resource": "/{proxy+}"}
    response = api.respond(event, service.recommender, service.settings, began=0.0)
    assert response["statusCode"] == 404


def test_answers_are_kept_by_nobody_on_the_way() -> None:
    service = Service(Personalize())
    response = api.respond({}, service.recommender, service.settings, began=0.0)
    assert response["headers"] == {
        "content-type": "application/json",
        "cache-control": "private, no-store",
    }


def line_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().out.splitlines()
    parsed: dict[str, Any] = json.loads(line)
    return parsed


def test_a_request_leaves_one_line_that_counts_it_and_does_not_say_who_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Service(Personalize(maize=recommends("a"))).get("ann-the-secret")
    line = line_of(capsys)
    assert "ann-the-secret" not in json.dumps(line)
    (metrics,) = line["_aws"]["CloudWatchMetrics"]
    assert metrics["Namespace"] == "Colorway"
    assert metrics["Dimensions"] == [
        ["environment"],
        ["environment", "colour"],
        ["environment", "placement", "colour"],
    ]
    assert {each["Name"]: each["Unit"] for each in metrics["Metrics"]} == {
        "Recommendations": "Count",
        "Fallbacks": "Count",
        "PersonalizeErrors": "Count",
        "PersonalizeLatency": "Milliseconds",
    }
    assert (line["environment"], line["placement"], line["colour"]) == (
        "test",
        "recommended-for-you",
        "maize",
    )
    assert (line["Recommendations"], line["Fallbacks"], line["PersonalizeErrors"]) == (1, 0, 0)


@pytest.mark.parametrize(
    ("personalize", "live", "fallbacks", "failures"),
    [
        (Personalize(maize=fails("ThrottlingException")), "maize", 1, ["ThrottlingException"]),
        (Personalize(maize=answers({"itemList": []})), "maize", 1, []),
        (Personalize(blue=recommends("x")), "maize", 0, ["NoSuchCampaign"]),
        (Personalize(), "maize", 1, ["NoSuchCampaign", "NoSuchCampaign"]),
        (Personalize(), "none", 0, []),
    ],
    ids=["throttled", "empty", "rescued by the other colour", "both gone", "before the first training"],
)
def test_what_went_wrong_is_counted_under_the_colour_that_should_have_answered(
    personalize: Personalize,
    live: str,
    fallbacks: int,
    failures: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    Service(personalize, live=live).get()
    line = line_of(capsys)
    assert (line["colour"], line["Fallbacks"], line["PersonalizeErrors"]) == (live, fallbacks, len(failures))
    assert line["failures"] == failures
