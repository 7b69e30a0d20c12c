"""What a run says: how many campaigns are not where they should be, and what each provides above its due."""

from __future__ import annotations

import json
from typing import Any

import pytest

from campaign_floors import handler
from campaign_floors.floors import Floor
from vocabulary.drops import to_json as drops_json
from vocabulary.placements import Placement
from vocabulary.placements import to_json as placements_json

ENVIRONMENT = {
    "APP": "colorway",
    "ENVIRONMENT": "test",
    "PARTITION": "aws",
    "AWS_REGION": "eu-west-1",
    "ACCOUNT": "123456789012",
    "PLACEMENTS": placements_json([Placement(name="row")]),
    "DROPS": drops_json([]),
}
METRICS = ("FloorsNotMet", "ProvisionedFloor", "FloorAboveDue")


@pytest.mark.parametrize(
    ("floor", "said"),
    [
        (Floor("row", "maize", 9, 2, "failed", "denied"), [(1, None, None), (None, 9, 7)]),
        (Floor("row", "maize", 2, 9, "on its way"), [(0, None, None), (None, 2, 0)]),
        (Floor("row", "maize", None, 2, "failed", "no answer"), [(1, None, None)]),
    ],
)
def test_what_is_provided_above_what_is_due_is_said_also_where_it_cannot_be_taken_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], floor: Floor, said: list[Any]
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(handler, "_personalize", lambda: None)
    monkeypatch.setattr(handler, "bring_about", lambda *_, **__: [floor])
    handler.handle({}, None)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [tuple(line.get(metric) for metric in METRICS) for line in lines] == said
