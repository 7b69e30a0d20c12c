"""How long a colour that serves nobody has been there, open or half torn down."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from retraining import plan_handler
from tests.lambdas.personalize_resources.wire import Refusal, client
from tests.lambdas.retraining.fakes import Ssm, Table
from tests.lambdas.retraining.test_retiring_by_hand import ENVIRONMENT
from vocabulary.coordination import OpenColour

HOUR = 3_600_000


def told(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    groups: dict[str, float],
    opened: dict[str, float],
) -> dict[str, float]:
    """The ages that a look tells, in hours, of groups and open colours as many hours old; maize is live."""
    now = datetime.now(UTC)

    def answer(operation: str, given: dict[str, Any]) -> dict[str, Any]:
        colour = given["datasetGroupArn"].rpartition("-")[2]
        if colour not in groups:
            raise Refusal("ResourceNotFoundException")
        created = now - timedelta(hours=groups[colour])
        return {"datasetGroup": {"datasetGroupArn": given["datasetGroupArn"], "creationDateTime": created}}

    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    table = Table()
    for colour, hours in opened.items():
        cutoff = int(now.timestamp() * 1000 - hours * HOUR)
        table.put_item(Item=OpenColour(colour, "t", "arn", cutoff, "run").to_item())  # type: ignore[arg-type]
    clients = {"ssm": Ssm("maize"), "personalize": client("personalize", answer)}
    monkeypatch.setattr(plan_handler, "_table", lambda _: table)
    monkeypatch.setattr(plan_handler, "_client", clients.__getitem__)
    looked = plan_handler.handle({"action": "begin", "execution": "look", "first_only": True}, None)
    assert looked["outcome"] == "nothing-to-do"
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {
        name: round(line[name] / HOUR, 2)
        for line in lines
        for name in ("ModelAge", "DormantColourAge")
        if name in line
    }


def test_an_open_one_is_as_old_as_its_older_part(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ages = told(monkeypatch, capsys, groups={"maize": 9, "blue": 3}, opened={"maize": 8, "blue": 2})
    assert ages == {"ModelAge": 8, "DormantColourAge": 3}


def test_one_that_is_closed_and_not_gone_is_told_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ages = told(monkeypatch, capsys, groups={"maize": 9, "blue": 15}, opened={"maize": 8})
    assert ages == {"ModelAge": 8, "DormantColourAge": 15}


def test_the_live_one_grows_old_though_its_retirement_had_begun_when_it_became_live_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, capsys, groups={"maize": 40}, opened={}) == {"ModelAge": 40}


def test_one_that_is_gone_is_not_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, capsys, groups={"maize": 9}, opened={"maize": 8}) == {"ModelAge": 8}
