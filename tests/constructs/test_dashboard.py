"""The dashboard shows what is measured: every metric of ours on it is one that functions emit."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from app import define
from stacks.environment import PROD

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def resources() -> dict[str, dict[str, Any]]:
    """Of all stacks."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = cdk.App(context={**context, "aws:cdk:bundling-stacks": []})
    define(app, PROD)
    return {name: each for stack in app.synth().stacks for name, each in stack.template["Resources"].items()}


@pytest.fixture(scope="module")
def widgets(resources: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    (dashboard,) = [each for each in resources.values() if each["Type"] == "AWS::CloudWatch::Dashboard"]
    parts = dashboard["Properties"]["DashboardBody"]["Fn::Join"][1]
    body = "".join(part if isinstance(part, str) else "-" for part in parts)
    found: list[dict[str, Any]] = json.loads(body)["widgets"]
    return found


def _documented() -> dict[str, list[set[str]]]:
    """Metric to its sets of dimensions by docs/architecture.md, which another test holds to the code."""
    text = (ROOT / "docs" / "architecture.md").read_text().partition("### Metrics\n")[2].partition("\n#")[0]
    found: dict[str, list[set[str]]] = {}
    for name, dimensions in re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]*) \|", text, re.MULTILINE):
        if dimensions.strip() == "the same":
            found[name] = next(reversed(found.values()))
        else:
            found[name] = [{each.strip() for each in one.split(",")} for one in dimensions.split(";")]
    return found


def test_every_metric_of_ours_is_emitted_with_those_dimensions(widgets: list[dict[str, Any]]) -> None:
    documented, shown = _documented(), 0
    for widget in widgets:
        for metric in widget["properties"].get("metrics", ()):
            if metric[0] == "Colorway":
                dimensions = {
                    metric[at] for at in range(2, len(metric) - 1, 2) if isinstance(metric[at], str)
                }
                assert dimensions in documented[metric[1]], metric
                shown += 1
    assert shown > 15


def test_nothing_lies_over_another_and_rows_are_full(widgets: list[dict[str, Any]]) -> None:
    taken: set[tuple[int, int]] = set()
    for each in widgets:
        cells = {
            (x, y)
            for x in range(each["x"], each["x"] + each["width"])
            for y in range(each["y"], each["y"] + each["height"])
        }
        assert not cells & taken
        taken |= cells
    assert {x for x, _ in taken} == set(range(24))
    assert len(taken) == 24 * (max(y for _, y in taken) + 1)


def test_what_pages_is_on_top(widgets: list[dict[str, Any]]) -> None:
    (status,) = [each for each in widgets if each["type"] == "alarm"]
    assert len(status["properties"]["alarms"]) == 7
    assert status["y"] <= min(each["y"] for each in widgets if each["type"] == "metric")


def test_what_any_page_is_about_is_drawn(
    widgets: list[dict[str, Any]], resources: dict[str, dict[str, Any]]
) -> None:
    faults = json.dumps([each for each in resources.values() if each["Type"].endswith("::CompositeAlarm")])
    watched = {
        each["Properties"]["MetricName"]
        for name, each in resources.items()
        if each["Type"] == "AWS::CloudWatch::Alarm"
        and (name in faults or "Notices" not in str(each["Properties"]["AlarmActions"]))
    }
    drawn = [metric for each in widgets for metric in each["properties"].get("metrics", ())]
    shown = {metric[1] for metric in drawn if len(metric) > 1}  # a formula's metrics are listed beside it
    # That there is no model at all is in what answers: popular items, and no colour
    assert watched - shown == {"NothingLive"}


_QUERIED = {
    "Answers by source, of five minutes": ["recommendations/observation.py"],
    "Experiment: answers and customers by variant": ["recommendations/observation.py"],
    "Why Personalize did not answer": ["recommendations/observation.py"],
    "The last runs": ["retraining/plan_handler.py"],
    "What their gates refused": [
        "training_data/judgement.py",
        "retraining/training_handler.py",
        "retraining/proving.py",
    ],
}
"""Who writes the lines that a query looks for."""

_OF_THE_LANGUAGE = {
    *("filter", "stats", "sort", "limit", "display", "desc", "by", "as", "in", "ispresent", "bin", "m"),
    *("count", "count_distinct", "sum", "strcontains"),
}


def test_every_field_that_a_query_names_is_in_the_log_lines(widgets: list[dict[str, Any]]) -> None:
    queries = {
        each["properties"]["title"]: each["properties"]["query"] for each in widgets if each["type"] == "log"
    }
    assert queries.keys() == _QUERIED.keys()
    for title, query in queries.items():
        asked = query[query.index("| filter") :]
        named = set(re.findall(r" as (\w+)", asked))
        words = re.findall(r"[a-z_]+", re.sub(r'"[^"]*"|@\w+', "", asked))
        fields = {word for word in words if word not in _OF_THE_LANGUAGE} - named
        assert fields
        for source in _QUERIED[title]:
            written = (ROOT / "lambdas" / source).read_text()
            assert not [field for field in fields if f'"{field}"' not in written], (title, source)


def test_the_questions_of_a_person_on_call_are_all_answered(widgets: list[dict[str, Any]]) -> None:
    titles = " ".join(each["properties"].get("title", "") for each in widgets)
    for question in ("Requests", "takes", "by source", "Which colour", "Age of the live model", "last runs",
                     "gates", "Events that come in", "forwarded", "by variant"):  # fmt: skip
        assert question in titles
    shown = {
        metric[1]
        for each in widgets
        for metric in each["properties"].get("metrics", ())
        if metric[0] == "Colorway"
    }
    assert shown >= {
        *("Recommendations", "Fallbacks", "PersonalizeErrors", "PersonalizeLatency", "ModelAge"),
        *("RetrainingDuration", "DormantColourAge", "GateFailures", "EventsAccepted", "EventsRejected"),
        *("EventsQueued", "EventsForwarded", "ForwardLag", "FilesUnreadable", "FilesPutAside"),
    }
