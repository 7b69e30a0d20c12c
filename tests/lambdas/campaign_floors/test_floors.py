"""Campaigns provide what the calendar says, whatever comes between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_floors.floors import Floor, bring_about
from vocabulary.colours import Names
from vocabulary.drops import Drop, floor_at, from_json, to_json
from vocabulary.placements import Placement

ROW = Placement(name="row", min_provisioned_tps=2)
DROP = Drop(placement="row", starts="2026-12-04T09:00", hours=2, tps=400)
BEFORE = datetime(2026, 12, 4, 8, 29, tzinfo=UTC)
DURING = datetime(2026, 12, 4, 8, 30, tzinfo=UTC)
AFTER = datetime(2026, 12, 4, 11, 0, tzinfo=UTC)
MAIZE, BLUE = "colorway-test-maize-row", "colorway-test-blue-row"


class NotFound(Exception):
    pass


class FakePersonalize:
    """Campaigns by name; an update is under way until `settle`."""

    exceptions = SimpleNamespace(ResourceNotFoundException=NotFound)

    def __init__(self, **floors: int) -> None:
        self.campaigns: dict[str, dict[str, Any]] = {}
        self.updates: list[tuple[str, int]] = []
        for name, floor in floors.items():
            self.make(name.replace("_", "-"), floor)

    def make(self, name: str, floor: int, status: str = "ACTIVE") -> None:
        self.campaigns[name] = {"status": status, "minProvisionedTPS": floor}

    def describe_campaign(self, *, campaignArn: str) -> dict[str, Any]:
        if campaignArn not in self.campaigns:
            raise NotFound
        return {"campaign": self.campaigns[campaignArn]}

    def update_campaign(self, *, campaignArn: str, minProvisionedTPS: int) -> None:
        self.updates.append((campaignArn, minProvisionedTPS))
        update = {"status": "CREATE PENDING", "minProvisionedTPS": minProvisionedTPS}
        self.campaigns[campaignArn]["latestCampaignUpdate"] = update

    def settle(self, *, fails: bool = False) -> None:
        for campaign in self.campaigns.values():
            update = campaign.get("latestCampaignUpdate")
            if update and update["status"] == "CREATE PENDING":
                update |= {"status": "CREATE FAILED" if fails else "ACTIVE", "failureReason": "no room"}
                if not fails:
                    campaign["minProvisionedTPS"] = update["minProvisionedTPS"]


def bring(personalize: FakePersonalize, at: datetime) -> list[Floor]:
    return bring_about(
        personalize,
        names=Names("colorway", "test"),
        placements=[ROW],
        drops=[DROP],
        arn_of=lambda name: name,
        at=at,
    )


def test_a_drop_is_provided_for_from_its_lead_to_its_end_and_asked_for_once_each_way() -> None:
    personalize = FakePersonalize(colorway_test_maize_row=2)
    bring(personalize, BEFORE)
    assert personalize.updates == []
    assert [floor.state for floor in bring(personalize, DURING)] == ["asked for"]
    assert [floor.state for floor in bring(personalize, DURING)] == ["on its way"]
    personalize.settle()
    assert [floor.state for floor in bring(personalize, DURING)] == ["there"]
    bring(personalize, AFTER)
    personalize.settle()
    bring(personalize, AFTER)
    assert personalize.updates == [(MAIZE, 400), (MAIZE, 2)]


def test_a_colour_made_during_a_drop_gets_it_before_it_takes_over() -> None:
    personalize = FakePersonalize(colorway_test_maize_row=400)
    personalize.make(BLUE, 2, "CREATE IN_PROGRESS")
    assert [floor.colour for floor in bring(personalize, DURING)] == ["maize"]
    personalize.make(BLUE, 2)
    bring(personalize, DURING)
    assert personalize.updates == [(BLUE, 400)]


def test_a_missed_moment_is_made_up_for() -> None:
    personalize = FakePersonalize(colorway_test_maize_row=400)
    bring(personalize, AFTER + timedelta(days=3))
    assert personalize.updates == [(MAIZE, 2)]


def test_a_failed_update_is_told_and_tried_again() -> None:
    personalize = FakePersonalize(colorway_test_maize_row=2)
    bring(personalize, DURING)
    personalize.settle(fails=True)
    (floor,) = bring(personalize, DURING)
    assert floor.state == "failed" and "no room" in str(floor.problem)
    personalize.settle()
    assert [floor.state for floor in bring(personalize, DURING)] == ["there"]


def test_trouble_with_one_campaign_does_not_keep_the_other_waiting() -> None:
    personalize = FakePersonalize(colorway_test_maize_row=2, colorway_test_blue_row=2)
    update = personalize.update_campaign

    def refusing(*, campaignArn: str, minProvisionedTPS: int) -> None:
        if campaignArn == MAIZE:
            raise RuntimeError("LimitExceededException")
        update(campaignArn=campaignArn, minProvisionedTPS=minProvisionedTPS)

    personalize.update_campaign = refusing  # type: ignore[method-assign]
    refused, asked = bring(personalize, DURING)
    assert (refused.state, refused.provided, asked.state) == ("failed", 2, "asked for")


def test_before_the_first_training_there_is_nothing_to_do() -> None:
    assert bring(FakePersonalize(), DURING) == []


@given(st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)), st.integers(1, 1000))
def test_the_floor_is_never_under_what_is_configured(moment: datetime, configured: int) -> None:
    drops = [DROP, Drop(placement="row", starts="FRI 09:00", hours=5, tps=100)]
    at = moment.replace(tzinfo=UTC)
    assert floor_at(at, "row", configured, drops) >= configured
    assert floor_at(at, "another", configured, drops) == configured


@pytest.mark.parametrize(
    ("starts", "at", "holds"),
    [
        ("FRI 09:00", "2026-12-04T08:30", True),  # a Friday
        ("FRI 09:00", "2026-12-04T10:59", True),
        ("FRI 09:00", "2026-12-04T11:00", False),
        ("FRI 09:00", "2026-12-03T09:00", False),
        ("MON 00:10", "2026-12-06T23:45", True),  # its lead is on a Sunday
        ("23:00", "2026-12-05T00:30", True),
        ("23:00", "2026-12-05T01:00", False),
        ("2026-12-04T09:00", "2026-12-11T09:00", False),
    ],
)
def test_it_comes_once_every_week_or_every_day(starts: str, at: str, holds: bool) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    (drop,) = from_json(to_json([Drop(placement="row", starts=starts, hours=2, tps=9)]))
    assert drop.in_force(moment) is holds


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"starts": "friday"}, "starts must be like"),
        ({"starts": "2026-02-30T09:00"}, "starts must be like"),
        ({"starts": "09:00", "hours": 24}, "hours must be"),
        ({"hours": 0}, "hours must be"),
        ({"lead_minutes": -1}, "lead_minutes must be"),
    ],
)
def test_a_drop_that_cannot_be_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Drop(**{"placement": "row", "starts": "FRI 09:00", "hours": 2, "tps": 9, **change})
