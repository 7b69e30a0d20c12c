"""The deployed APIs do what their OpenAPI documents say: schemathesis makes requests of them, and judges.

Invalid requests are made of the document as it is, and must be refused. Valid ones must be
answered, and are made of one that is narrowed where OpenAPI cannot say what is allowed: what depends on
another parameter, on another event, or on the time.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import pytest

from clickstream import openapi as of_events
from recommendations import openapi as of_recommendations
from tests.story.serving.app import ENVIRONMENT
from tests.story.serving.served import Served

pytestmark = [
    pytest.mark.story,
    pytest.mark.skipif(
        find_spec("schemathesis") is None,
        reason="NOT RUN: `make openapi` installs schemathesis, which this needs",
    ),
]

Document = dict[str, Any]

ROW, SIMILAR, RANKED = ENVIRONMENT.placements


def events_for_valid_requests() -> Document:
    document = copy.deepcopy(of_events.document())
    operation = document["paths"]["/events"]["post"]
    events = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]["events"]
    events["maxItems"] = 1  # an event id comes once in a request
    moment = events["items"]["properties"]["sent_at"]["anyOf"][0]
    moment["anyOf"] = [{**moment["anyOf"][0], "maximum": int(time.time() * 1000)}]
    return document


def filtered() -> Document:
    """A filter needs its value, and a value its filter."""
    brands = replace(ROW, filters={"of-brands": ROW.filters["of-brands"]})
    document = copy.deepcopy(of_recommendations.document([brands]))
    for parameter in document["paths"]["/recommendations/{user_id}"]["get"]["parameters"]:
        if parameter["name"].startswith("filter"):
            parameter["required"] = True
        if parameter["name"] == "filter.BRANDS":
            parameter["schema"] |= {"minItems": 1, "maxItems": 3}
            parameter["schema"]["items"] = parameter["schema"]["items"] | {"maxLength": 300}
    return document


VALID = {
    "rows and rankings": lambda: of_recommendations.document([replace(ROW, filters={}), RANKED]),
    "a filter": filtered,
    "similar items": lambda: of_recommendations.document([SIMILAR]),
    "events": events_for_valid_requests,
}
INVALID = {
    "recommendations": lambda: of_recommendations.document(ENVIRONMENT.placements),
    "events": of_events.document,
}


def judged(
    served: Served, document: Document, mode: Literal["positive", "negative"], folder: Path, examples: int
) -> subprocess.CompletedProcess[str]:
    """What `schemathesis run` says of the deployed API that the document is of."""
    path = folder / "openapi.json"
    path.write_text(json.dumps(document))
    url = served.events_url if "/events" in document["paths"] else served.url
    return subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", str(path), "--url", url.rstrip("/"),
            "--header", f"x-api-key: {served.key}", "--mode", mode, "--phases", "coverage,fuzzing",
            "--max-examples", str(examples), "--seed", "20260601", "--workers", "1",
            "--warnings", "off", "--no-color",
            # Where nothing can be made invalid, schemathesis sends what is valid: that is the other run's
            *(["--exclude-checks", "positive_data_acceptance"] if mode == "negative" else []),
        ],
        cwd=folder, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip


@pytest.mark.parametrize("kind", VALID)
def test_what_the_document_allows_is_answered_as_it_says(kind: str, served: Served, tmp_path: Path) -> None:
    run = judged(served, VALID[kind](), "positive", tmp_path, examples=10)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("kind", INVALID)
def test_what_the_document_does_not_allow_is_refused(kind: str, served: Served, tmp_path: Path) -> None:
    run = judged(served, INVALID[kind](), "negative", tmp_path, examples=5)
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_document_that_promises_too_much_is_found_out(served: Served, tmp_path: Path) -> None:
    document = copy.deepcopy(of_recommendations.document([SIMILAR]))
    document["paths"].pop("/recommendations/{user_id}")
    (results,) = (
        each
        for each in document["paths"]["/similar/{item_id}"]["get"]["parameters"]
        if each["name"] == "num_results"
    )
    results["schema"]["maximum"] += 1
    run = judged(served, document, "positive", tmp_path, examples=1)
    assert run.returncode == 1, run.stdout + run.stderr
    assert f"num_results={results['schema']['maximum']}" in run.stdout


@pytest.mark.prove
@pytest.mark.parametrize("kind", VALID)
def test_it_is_answered_however_often_one_tries(kind: str, served: Served, tmp_path: Path) -> None:
    run = judged(served, VALID[kind](), "positive", tmp_path, examples=500)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.prove
@pytest.mark.parametrize("kind", INVALID)
def test_it_is_refused_however_often_one_tries(kind: str, served: Served, tmp_path: Path) -> None:
    run = judged(served, INVALID[kind](), "negative", tmp_path, examples=500)
    assert run.returncode == 0, run.stdout + run.stderr
