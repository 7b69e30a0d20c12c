"""Every alarm goes off by its condition, tells whom it should, goes out again, and minds nobody else's data.

Alarms that need campaigns are provoked in tests/story/serving/test_floor_alarms.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.story.deployment import until
from tests.story.provocations import DEGRADED, LATE, PROVOCATIONS, value, without_campaigns
from tests.story.provoking import MINUTES, Provocation, data_of_something_else, see_it_go_off_and_out
from tests.story.watch import Told
from tests.story.watched import Watched, under_watch

pytestmark = [pytest.mark.story, pytest.mark.prove]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with under_watch(tmp_path_factory.mktemp("watched")) as watched:
        yield watched


def test_every_alarm_is_provoked(watched: Watched) -> None:
    metric_alarms = [alarm for alarm in watched.alarms().values() if "AlarmRule" not in alarm]
    provoked = {each.alarm_of(watched)["AlarmName"] for each in PROVOCATIONS}
    assert provoked == {alarm["AlarmName"] for alarm in metric_alarms}


def test_data_of_something_else_set_nothing_off(watched: Watched) -> None:
    """Before all provocations, whose data would still be looked at when hours last longer again."""
    watched.control.scale(MINUTES)
    _await_quiet(watched)
    watched.notices.heard(), watched.pages.heard()
    with watched.again_and_again(data_of_something_else(watched)):
        watched.evaluate(12)
    ringing = {
        each.alarm for each in (*watched.notices.heard(), *watched.pages.heard()) if each.state == "ALARM"
    }
    assert ringing == set()


def test_what_makes_recommendations_worse_and_events_late_pages_once(watched: Watched) -> None:
    """As Personalize does when it is away."""
    watched.control.scale(MINUTES)
    _await_quiet(watched)
    watched.notices.heard(), watched.pages.heard()
    degraded, late = (watched.find(heading)["AlarmName"] for heading in (DEGRADED, LATE))
    worse, behind = without_campaigns(watched, "maize"), value(watched, "events-behind", 61_000)
    with worse, behind:
        until(lambda: watched.state(degraded) == watched.state(late) == "ALARM", "both are on", within=120)
        watched.evaluate(5)
    _await_quiet(watched)
    assert [each for each in watched.pages.heard() if each.state == "ALARM"] == [Told(degraded, "ALARM")]
    notices = {each.alarm for each in watched.notices.heard() if each.state == "ALARM"}
    assert watched.find("events-behind")["AlarmName"] in notices


@pytest.mark.parametrize("provocation", PROVOCATIONS, ids=lambda each: each.name)
def test_an_alarm_goes_off_tells_of_it_and_goes_out_again(watched: Watched, provocation: Provocation) -> None:
    ringing = see_it_go_off_and_out(watched, provocation, await_quiet=partial(_await_quiet, watched))
    other = {"maize": "blue", "blue": "maize"}.get(provocation.colour or "")
    if other is not None:
        assert watched.find(provocation.runbook, other)["AlarmName"] not in ringing


def _await_quiet(watched: Watched) -> None:
    """Until no alarm is on; the forwarder may still be putting into its queue what it failed on."""
    sqs, url = watched.connection.client("sqs"), watched.story.output("FailureQueueUrl")
    with watched.again_and_again(lambda: sqs.purge_queue(QueueUrl=url), pause=1):
        watched.evaluate(2)  # by the clock that was just set
        until(
            lambda: all(each["StateValue"] == "OK" for each in watched.alarms().values() if _ever(each)),
            "all is well",
            within=90,
        )


def _ever(alarm: dict[str, Any]) -> bool:
    """The clock is too fast for what is measured by days, save in its own test."""
    return not alarm["AlarmDescription"].endswith(("#campaign-idle", "#first-training-missing"))
