"""A colour that becomes live again while its retirement begins is left as it was."""

from __future__ import annotations

from typing import Any

import pytest

from retraining import retire_handler
from tests.lambdas.personalize_resources.fake_personalize import FakePersonalize
from tests.lambdas.retraining.fakes import Table
from tests.lambdas.retraining.test_live_colour import Cloud
from tests.lambdas.retraining.test_retiring_by_hand import ENVIRONMENT
from vocabulary.coordination import OpenColour, open_colour_key

BLUE = OpenColour("blue", "tracker", "group", 1_780_000_000_000, "run")


class Retirement:
    """Maize is live; blue is there, and takes events."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_REGION", "us-east-1")  # where the fake has its resources
        monkeypatch.setenv("ACCOUNT", "111122223333")
        self.cloud, self.table, self.personalize = Cloud("maize"), Table(), FakePersonalize()
        self.table.put_item(Item=BLUE.to_item())
        self.personalize.client.create_dataset_group(name="colorway-dev-blue")
        self.personalize.tick(2)
        clients: dict[str, Any] = {"lambda": self.cloud.lambda_, "ssm": self.cloud.ssm}
        monkeypatch.setattr(
            retire_handler, "_client", {**clients, "personalize": self.personalize.client}.__getitem__
        )
        monkeypatch.setattr(retire_handler, "_table", lambda _: self.table)

    def step(self) -> dict[str, Any]:
        return retire_handler.handle({"colour": "blue"}, None)


def test_a_colour_that_retires_takes_no_more_events_before_anything_of_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    retirement = Retirement(monkeypatch)
    assert retirement.step()["gone"] is False
    assert retirement.table.items == {}
    assert retirement.personalize.operations("Delete") == ["DeleteDatasetGroup"]


def test_one_that_on_call_goes_back_to_meanwhile_keeps_everything_and_its_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    retirement = Retirement(monkeypatch)
    retirement.table.before_write = lambda: setattr(retirement.cloud.ssm, "value", "blue")
    with pytest.raises(retire_handler.ColourInUse, match="the pointer says blue"):
        retirement.step()
    assert retirement.personalize.operations("Delete") == []
    assert retirement.table.items == {open_colour_key("blue"): BLUE.to_item()}


def test_one_that_the_alias_still_sends_traffic_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    retirement = Retirement(monkeypatch)
    live = retirement.cloud.live
    live.share(live.prepare("blue"), 1.0)
    assert retirement.step() == {"gone": False, "waiting_for": ["the alias, which still sends it traffic"]}
    assert retirement.personalize.operations("Delete") == []
    assert retirement.table.items != {}
    retirement.cloud.lambda_.weights = {}
    retirement.step()
    assert retirement.personalize.operations("Delete") == ["DeleteDatasetGroup"]
