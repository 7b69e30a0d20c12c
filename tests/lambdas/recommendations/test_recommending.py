"""The serving function from API Gateway's event to its answer, whatever Personalize and S3 do meanwhile."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from recommendations import api
from recommendations.campaigns import Campaigns
from recommendations.circuit_breaker import CircuitBreaker
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

POPULAR = ["p1", "p2", "p3"]


class Service:
    """The function, wired as its handler does, over fakes."""

    def __init__(
        self,
        personalize: Personalize,
        *,
        live: str = "maize",
        bucket: Bucket | None = None,
        appconfig: AppConfig | None = None,
        **settings_: str,
    ) -> None:
        self.settings = settings(live, **settings_)
        self.clock = personalize.clock
        self.recommender = Recommender(
            live_colour=self.settings.live_colour,
            ranker=Campaigns(personalize, self.settings.arn_of),
            popular=popular_lists(
                bucket or Bucket(recommended_for_you=POPULAR, similar_items=POPULAR, ranked=POPULAR),
                self.clock,
            ),
            configuration=configuration(appconfig, self.clock),
            budget=self.settings.time_budget,
            clock=self.clock,
            breaker=lambda: CircuitBreaker(now=self.clock),
        )

    def get(
        self, user: str = "ann", placement: str | None = "recommended-for-you", **query: str
    ) -> tuple[int, Any]:
        if placement is not None:
            query["placement"] = placement
        return self.call("GET", "/recommendations/{user_id}", {"user_id": user}, query)

    def call(
        self,
        method: str,
        resource: str,
        path: dict[str, str],
        query: dict[str, str],
        body: str | None = None,
        **event: Any,
    ) -> tuple[int, Any]:
        event = {
            "httpMethod": method,
            "resource": resource,
            "pathParameters": path,
            "queryStringParameters": query or None,
            "requestContext": {"requestId": "r-1"},
            "body": body,
            **event,
        }
        response = api.respond(event, self.recommender, self.settings, began=self.clock(), clock=self.clock)
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


def test_a_call_that_hangs_is_not_waited_for() -> None:
    service = Service(Personalize(maize=recommends("a"), takes=60))
    began = service.clock()
    _, body = service.get()
    assert (ids(body), body["source"]) == (POPULAR, "popular")
    assert service.clock() - began == pytest.approx(0.3)


BEHAVIOURS: dict[str, Behaviour] = {
    "recommends": recommends("a", "b"),
    "is gone": fails("ResourceNotFoundException", 404),
    "throttles": fails("ThrottlingException"),
    "refuses": fails("InvalidInputException"),
    "fails": fails("InternalServerError"),
    "denies": fails("AccessDeniedException"),
    "answers nothing": answers({"itemList": [], "recommendationId": "R"}),
    "answers garbage": answers({"itemList": [{"id": 7}]}),
    "answers no number": answers(b'{"itemList": [{"itemId": "a", "score": NaN}]}'),
    "answers a number for a name": answers({"itemList": [{"itemId": 7}]}),
    "answers None": answers(None),
    "answers text": answers(b"<html>"),
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
        ({"filter": "of-men"}, "filter", "one of not-bought, of-brands"),
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
    _, body = Service(Personalize()).get(user="", num_results="x", filter="of-men")
    assert [error["parameter"] for error in body["errors"]] == ["user_id", "num_results", "filter"]


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
        "ExperimentUnknown": "Count",
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
