"""What every look says of the colours costs no look, whatever Personalize answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from retraining import plan_handler
from tests.lambdas.retraining.fakes import Ssm, Table
from tests.lambdas.retraining.test_retiring_by_hand import ENVIRONMENT
from vocabulary.coordination import OpenColour

CREATED = datetime(2026, 11, 24, tzinfo=UTC)


class NotFound(Exception):
    pass


class Throttled(Exception):
    pass


class Personalize:
    """Describes a dataset group, or cannot."""

    exceptions = SimpleNamespace(ResourceNotFoundException=NotFound)

    def __init__(self, answer: Exception | datetime) -> None:
        self._answer = answer

    def describe_dataset_group(self, *, datasetGroupArn: str) -> dict[str, Any]:
        if isinstance(self._answer, Exception):
            raise self._answer
        return {"datasetGroup": {"creationDateTime": self._answer}}


Look = Callable[[Exception | datetime], tuple[dict[str, Any], set[str]]]


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Look:
    """An hourly look while blue is live and Personalize answers so: its outcome, and the metrics it said."""
    table = Table()
    table.put_item(Item=OpenColour("blue", "t", "arn", 1, "run").to_item())
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(plan_handler, "_table", lambda _: table)

    def ask(answer: Exception | datetime) -> tuple[dict[str, Any], set[str]]:
        clients = {"ssm": Ssm("blue"), "personalize": Personalize(answer)}
        monkeypatch.setattr(plan_handler, "_client", clients.__getitem__)
        outcome = plan_handler.handle({"action": "begin", "execution": "e", "first_only": True}, None)
        assert "run-lock" not in table.items
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return outcome, {metric for line in lines for metric in line if metric[0].isupper()}

    return ask


def test_a_colour_that_was_left_is_told_of(look: Look) -> None:
    outcome, said = look(CREATED)
    assert outcome["outcome"] == "nothing-to-do"
    assert said == {"NothingLive", "ModelAge", "DormantColourAge"}


@pytest.mark.parametrize("answer", [NotFound(), Throttled()])
def test_a_look_goes_on_whatever_personalize_answers(look: Look, answer: Exception) -> None:
    outcome, said = look(answer)
    assert outcome["outcome"] == "nothing-to-do"
    assert said == {"NothingLive", "ModelAge"}
