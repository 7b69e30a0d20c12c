"""docs/openapi.json is what the function reads requests by, and what it answers is in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from clickstream import openapi as events
from recommendations.openapi import document
from recommendations.request import ROUTES
from tests.lambdas.recommendations.fakes import AppConfig, Personalize, recommends
from tests.lambdas.recommendations.test_recommending import Service
from vocabulary import openapi
from vocabulary.placements import Placement

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "openapi.json"


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text() == openapi.text(document()), (
        "python -m recommendations.openapi > docs/openapi.json"
    )


def test_a_linter_finds_nothing_in_either_document() -> None:
    linter = pytest.importorskip("openapi_spec_validator", reason="NOT RUN: `make openapi` installs it")
    for whole in (document(), document([Placement(name="row")]), events.document()):
        linter.validate(whole)
    with pytest.raises(Exception, match="paths"):
        linter.validate({**document(), "paths": []})


def test_of_an_environment_it_names_what_its_placements_have_and_no_other_route() -> None:
    row = Placement(
        name="row",
        filters={"of-brands": "INCLUDE ItemID WHERE Items.BRAND IN ($BRANDS)"},
        context=("DEVICE",),
    )
    similar = Placement(name="similar", recipe="aws-similar-items", metadata=("TITLE",))
    of_both = document([row, similar])["paths"]
    assert set(of_both) == {"/recommendations/{user_id}", "/similar/{item_id}"}
    parameters = {each["name"]: each for each in of_both["/recommendations/{user_id}"]["get"]["parameters"]}
    assert parameters["placement"]["schema"]["enum"] == ["row", "similar"]
    assert {"filter.BRANDS", "context.DEVICE"} <= set(parameters)
    assert parameters["num_results"]["schema"]["maximum"] == 50
    assert not parameters["item_id"]["required"]
    (only,) = (
        each
        for each in document([similar])["paths"]["/recommendations/{user_id}"]["get"]["parameters"]
        if each["name"] == "item_id"
    )
    assert only["required"]


def test_every_route_is_in_it_with_the_parameters_of_its_path() -> None:
    paths = document()["paths"]
    assert {(method.upper(), path) for path, methods in paths.items() for method in methods} == set(ROUTES)
    for path, methods in paths.items():
        for operation in methods.values():
            named = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert named == set(re.findall(r"\{(\w+)\}", path))


def test_every_reference_leads_somewhere() -> None:
    whole = document()
    for reference in set(re.findall(r'"#/([^"]+)"', json.dumps(whole))):
        there: Any = whole
        for step in reference.split("/"):
            there = there[step]
        assert there


def test_answers_have_all_that_the_document_says_and_nothing_else() -> None:
    schemas = document()["components"]["schemas"]
    shares = {"exempt": 0, "control": 5000, "treatment": 5000}
    appconfig = AppConfig({"enabled": True, "salt": "s" * 16, "allocation": shares})
    for service in (
        Service(Personalize(maize=recommends("a"))),
        Service(Personalize()),
        Service(Personalize(maize=recommends("a")), appconfig=appconfig),
    ):
        for user in ("ann", "bob", "cy", "dora"):
            status, body = service.get(user)
            answer = schemas["Answer"]
            assert status == 200
            assert set(body) == set(answer["required"]) == set(answer["properties"])
            for name in ("variant", "source", "colour"):
                assert body[name] in answer["properties"][name]["enum"]
            item = answer["properties"]["items"]["items"]
            assert all(
                set(item["required"]) <= set(each) <= set(item["properties"]) for each in body["items"]
            )
    _, refused = Service(Personalize()).get(num_results="0")
    error = schemas["Refusal"]["properties"]["errors"]["items"]
    assert [set(each) for each in refused["errors"]] == [set(error["properties"])]
