"""Similar items, rankings, filters, context and metadata: from the event to what Personalize is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from recommendations.request import parameters_of
from tests.lambdas.recommendations.fakes import Bucket, Personalize, answers, recommends
from tests.lambdas.recommendations.test_recommending import POPULAR, Service, ids

CAMPAIGN = "arn:aws:personalize:eu-west-1:123456789012:campaign/colorway-test-maize-"
FILTER = "arn:aws:personalize:eu-west-1:123456789012:filter/colorway-test-maize-"


def rank(service: Service, body: str | None, **query: str) -> tuple[int, Any]:
    asked = {"placement": "ranked", **query}
    return service.call("POST", "/rankings/{user_id}", {"user_id": "ann"}, asked, body)


def similar(service: Service, item: str = "i1", **query: str) -> tuple[int, Any]:
    asked = {"placement": "similar-items", **query}
    return service.call("GET", "/similar/{item_id}", {"item_id": item}, asked)


def test_similar_items_go_with_the_item_of_the_path() -> None:
    personalize = Personalize(maize=recommends("a"))
    status, body = similar(Service(personalize), "i%2F1")
    assert (status, ids(body), body["user_id"]) == (200, ["a"], None)
    (question,) = personalize.questions
    assert (question["itemId"], "userId" in question) == ("i/1", False)


def test_an_item_is_not_popular_beside_itself() -> None:
    _, body = similar(Service(Personalize()), "p1", num_results="2")
    assert ids(body) == ["p2", "p3"]


def test_a_ranking_is_of_the_items_sent() -> None:
    personalize = Personalize(maize=recommends())
    status, body = rank(Service(personalize), '{"item_ids": ["a", "b"]}')
    assert (status, ids(body), body["source"]) == (200, ["b", "a"], "personalize")
    assert personalize.paths == ["POST /personalize-ranking"]
    assert personalize.questions == [
        {"campaignArn": CAMPAIGN + "ranked", "userId": "ann", "inputList": ["a", "b"]}
    ]


def test_a_ranking_falls_back_to_popular_items_first_and_the_rest_as_they_came() -> None:
    _, body = rank(Service(Personalize()), '{"item_ids": ["x", "p2", "y", "p1", "x"]}')
    assert (ids(body), body["source"]) == (["p1", "p2", "x", "y"], "popular")


@pytest.mark.parametrize(
    "body",
    [None, "", "{", "[]", "7", "{}", '{"item_ids": []}', '{"item_ids": [7]}', '{"item_ids": [""]}',
     '{"item_ids": "ab"}', json.dumps({"item_ids": ["i" * 257]}), json.dumps({"item_ids": ["i"] * 501})],
)  # fmt: skip
def test_a_body_that_cannot_be_ranked_is_refused(body: str | None) -> None:
    status, told = rank(Service(Personalize()), body)
    assert status == 400
    assert [error["parameter"] for error in told["errors"]] == ["item_ids"]


def test_a_filter_is_the_colours_own() -> None:
    personalize = Personalize(maize=recommends("a"))
    Service(personalize).get(filter="not-bought")
    assert personalize.questions[0]["filterArn"] == FILTER + "recommended-for-you-not-bought"
    assert "filterValues" not in personalize.questions[0]


def test_a_filters_values_are_quoted_for_personalize() -> None:
    personalize = Personalize(maize=recommends("a"))
    service = Service(personalize)
    query = {"placement": "recommended-for-you", "filter": "of-brands", "filter.BRANDS": "bolt, inc"}
    several = {name: [value] for name, value in query.items()} | {"filter.BRANDS": ["aero", "bolt, inc"]}
    service.call(
        "GET",
        "/recommendations/{user_id}",
        {"user_id": "ann"},
        query,
        multiValueQueryStringParameters=several,
    )
    assert personalize.questions[0]["filterValues"] == {"BRANDS": '"aero","bolt, inc"'}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"filter": "of-brands"}, "filter.BRANDS"),
        ({"filter": "of-brands", "filter.BRANDS": 'a","b'}, "filter.BRANDS"),
        ({"filter": "of-brands", "filter.BRANDS": "a\\"}, "filter.BRANDS"),
        ({"filter": "of-brands", "filter.BRANDS": "a" * 1000}, "filter.BRANDS"),
        ({"filter": "of-brands", "filter.BRANDS": "a", "filter.X": "b"}, "filter.X"),
        ({"filter": "not-bought", "filter.BRANDS": "a"}, "filter.BRANDS"),
        ({"filter.BRANDS": "a"}, "filter.BRANDS"),
        ({"context.PLACE": "home"}, "context.PLACE"),
        ({"context.DEVICE": "a" * 1001}, "context.DEVICE"),
    ],
)
def test_values_that_nothing_takes_are_refused_by_name(query: dict[str, str], parameter: str) -> None:
    personalize = Personalize(maize=recommends("a"))
    status, body = Service(personalize).get(**query)
    assert (status, [error["parameter"] for error in body["errors"]]) == (400, [parameter])
    assert personalize.questions == []


@pytest.mark.parametrize(
    ("expression", "parameters", "required"),
    [
        ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")', (), False),
        ("EXCLUDE ItemID WHERE Items.BRAND IN ($BRANDS)", ("BRANDS",), False),
        ("INCLUDE ItemID WHERE Items.BRAND IN ($A) AND Items.PRICE < $B", ("A", "B"), True),
        ('INCLUDE ItemID WHERE Items.BRAND IN ("$NO") | EXCLUDE ItemID WHERE Items.X = $A', ("A",), True),
        ('EXCLUDE ItemID WHERE Items.X IN ("INCLUDE", $A)', ("A",), False),
    ],
)
def test_what_a_filter_leaves_open_is_read_from_its_expression(
    expression: str, parameters: tuple[str, ...], required: bool
) -> None:
    assert parameters_of(expression) == (parameters, required)


def test_context_is_handed_on() -> None:
    personalize = Personalize(maize=recommends("a"))
    Service(personalize).get(**{"context.DEVICE": "phone"})
    assert personalize.questions[0]["context"] == {"DEVICE": "phone"}


def test_metadata_come_with_the_items_of_a_placement_that_has_them() -> None:
    told = {"itemList": [{"itemId": "a", "metadata": {"brand": "aero"}}], "recommendationId": "R"}
    personalize = Personalize(maize=answers(told))
    service = Service(personalize)
    _, body = similar(service)
    assert body["items"] == [{"item_id": "a", "metadata": {"brand": "aero"}}]
    assert personalize.questions[0]["metadataColumns"] == {"ITEMS": ["BRAND"]}
    status, _ = similar(service, num_results="51")
    assert status == 400


def test_everything_that_is_asked_is_what_personalize_knows() -> None:
    model = ServiceModel(Loader().load_service_model("personalize-runtime", "service-2"))
    personalize = Personalize(maize=recommends("a"))
    service = Service(personalize)
    service.get(filter="of-brands", **{"filter.BRANDS": "a", "context.DEVICE": "tv"})
    similar(service, user_id="ann")
    rank(service, '{"item_ids": ["a"]}')
    paths = {
        f"POST {operation.http['requestUri']}": operation
        for operation in map(model.operation_model, ("GetRecommendations", "GetPersonalizedRanking"))
    }
    assert len(personalize.questions) == 3
    for path, question in zip(personalize.paths, personalize.questions, strict=True):
        report = ParamValidator().validate(question, paths[path].input_shape)
        assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize(
    ("method", "resource", "placement", "fitting"),
    [
        ("GET", "/recommendations/{user_id}", "ranked", "recommended-for-you, similar-items"),
        ("GET", "/similar/{item_id}", "recommended-for-you", "similar-items"),
        ("POST", "/rankings/{user_id}", "similar-items", "ranked"),
    ],
)
def test_a_route_answers_for_placements_of_its_kind(
    method: str, resource: str, placement: str, fitting: str
) -> None:
    path = {"user_id": "ann", "item_id": "i"}
    status, body = Service(Personalize()).call(method, resource, path, {"placement": placement})
    assert (status, body["errors"][0]["allowed"]) == (400, f"one of {fitting}")


@pytest.mark.parametrize(
    ("allowed", "origin", "told"),
    [
        ("", "https://shop.example", None),
        ("https://shop.example", "https://shop.example", "https://shop.example"),
        ("https://shop.example", "https://evil.example", None),
        ("*", "https://any.example", "*"),
    ],
)
def test_an_answer_names_the_page_that_may_read_it(allowed: str, origin: str, told: str | None) -> None:
    from recommendations import api

    service = Service(Personalize(), bucket=Bucket(recommended_for_you=POPULAR), ALLOWED_ORIGINS=allowed)
    for event in ({"headers": {"origin": origin}}, {"headers": {"Origin": origin}}):
        response = api.respond(event, service.recommender, service.settings, began=0.0)
        assert response["headers"].get("access-control-allow-origin") == told
