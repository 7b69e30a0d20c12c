"""The alarms of campaign floors go off, page once, go out, and mind no other placement's data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.story.deployment import until
from tests.story.provoking import Provocation, data_of_something_else, see_it_go_off_and_out
from tests.story.serving.floor_provocations import FIVE_MINUTES, PROVOCATIONS, Floors
from tests.story.serving.served import Served

pytestmark = [pytest.mark.story, pytest.mark.prove]

HEADINGS = {each.runbook for each in PROVOCATIONS}


@pytest.fixture
def floors(served: Served) -> Iterator[Floors]:
    floors = Floors(served)
    yield floors
    floors.control.scale(1)  # the cloud is other tests' too


def test_each_of_them_is_provoked(floors: Floors) -> None:
    provoked = {each.alarm_of(floors)["AlarmName"] for each in PROVOCATIONS}
    assert provoked == {alarm["AlarmName"] for alarm in floors.alarms().values() if _is_of_floors(alarm)}


def test_data_of_something_else_set_nothing_off(floors: Floors) -> None:
    floors.control.scale(FIVE_MINUTES)
    _await_quiet(floors)
    floors.notices.heard(), floors.pages.heard()
    with floors.called(), floors.again_and_again(data_of_something_else(floors)):
        floors.evaluate(5 * 15)
    heard = [*floors.notices.heard(), *floors.pages.heard()]
    assert [each for each in heard if each.state == "ALARM"] == []


@pytest.mark.parametrize("provocation", PROVOCATIONS, ids=lambda each: each.name)
def test_it_goes_off_pages_once_and_goes_out_again(floors: Floors, provocation: Provocation) -> None:
    ringing = see_it_go_off_and_out(floors, provocation, await_quiet=lambda: _await_quiet(floors))
    others = {
        each.alarm_of(floors)["AlarmName"]
        for each in PROVOCATIONS
        if each.placement and provocation.placement and each.placement != provocation.placement
    }
    assert not others & ringing


def _await_quiet(floors: Floors) -> None:
    with floors.called():
        floors.evaluate(2)
        until(
            lambda: all(each["StateValue"] == "OK" for each in floors.alarms().values()),
            "all is well",
            within=90,
        )


def _is_of_floors(alarm: dict[str, Any]) -> bool:
    return alarm["AlarmDescription"].rpartition("#")[2] in HEADINGS
