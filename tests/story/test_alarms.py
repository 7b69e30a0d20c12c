"""Every alarm goes off by its condition, tells whom it should, goes out again, and minds nobody else's data.

Where the local cloud cannot bring the condition about, the metric is put by hand, with the alarm's own
dimensions: those say so in their name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from local_cloud.delivery_faults import DeliveryFault, DeliveryFaults
from tests.story.deployment import until
from tests.story.watched import HOUR_MS, Told, Watched

pytestmark = [pytest.mark.story, pytest.mark.prove]

Condition = Callable[[Watched], AbstractContextManager[object]]

MINUTES = 0.02
"""A minute is 1.2 seconds."""
HOURS = 0.002
"""An hour is 7.2 seconds."""
DAYS = 0.00005
"""A day is 4.3 seconds."""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with Watched(tmp_path_factory.mktemp("watched")) as watched:
        yield watched


@dataclass(frozen=True)
class Provocation:
    """How an alarm is set off.

    :param condition: brings it about, and is over when left.
    :param page: heading of the fault that pages for it; its own where it pages itself, None for a notice.
    :param scale: real seconds per second of its periods.
    :param after: goes on when it is over, where the alarm needs other data to see that.
    """

    runbook: str
    condition: Condition
    page: str | None
    scale: float = MINUTES
    colour: str | None = None
    after: Condition | None = None
    by_hand: bool = False

    @property
    def name(self) -> str:
        return " ".join(filter(None, (self.runbook, self.colour, "by hand" if self.by_hand else "")))


@contextmanager
def _requests(watched: Watched, *, at_once: int = 2) -> Iterator[None]:
    with watched.again_and_again(watched.ask, at_once=at_once):
        yield


@contextmanager
def _without_campaigns(watched: Watched, colour: str) -> Iterator[None]:
    with watched.serving(variables={"LIVE_COLOUR": colour}), _requests(watched):
        yield


@contextmanager
def _failing(watched: Watched) -> Iterator[None]:
    with watched.serving(Handler="nothing.handle"), _requests(watched):
        yield


@contextmanager
def _slow(watched: Watched) -> Iterator[None]:
    with watched.slow_serving(), _requests(watched, at_once=6):
        yield


@contextmanager
def _without_experiment(watched: Watched) -> Iterator[None]:
    with watched.serving(variables={"EXPERIMENT": "no/such/experiment"}), _requests(watched):
        yield


@contextmanager
def _narrow(watched: Watched) -> Iterator[None]:
    with watched.narrow_api(), _requests(watched, at_once=4):
        yield


@contextmanager
def _without_room(watched: Watched) -> Iterator[None]:
    with watched.without_room(), _requests(watched):
        yield


@contextmanager
def _broken_collector(watched: Watched) -> Iterator[None]:
    with watched.broken("PUT_BUDGET_MS"), watched.again_and_again(watched.send):
        yield


@contextmanager
def _message_in_failure_queue(watched: Watched) -> Iterator[None]:
    sqs, url = watched.connection.client("sqs"), watched.story.output("FailureQueueUrl")
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"reason": "a trial"}))
    yield
    sqs.purge_queue(QueueUrl=url)


@contextmanager
def _records_that_are_no_events(watched: Watched) -> Iterator[None]:
    kinesis, stream = watched.connection.client("kinesis"), watched.story.output("StreamName")
    with watched.again_and_again(
        lambda: kinesis.put_record(StreamName=stream, Data=b'{"sent_at": "noon"}', PartitionKey="a"), pause=1
    ):
        yield


@contextmanager
def _lake_away(watched: Watched) -> Iterator[None]:
    away = DeliveryFaults(watched.connection).injected(DeliveryFault(failing=True))
    with away, watched.again_and_again(watched.send, pause=1):
        yield


@contextmanager
def _exposures(watched: Watched, **fields: Any) -> Iterator[None]:
    with watched.again_and_again(lambda: watched.expose(**fields), pause=1):
        yield


@contextmanager
def _exposures_without_a_right(watched: Watched) -> Iterator[None]:
    iam, role = watched.connection.client("iam"), watched.subscription()["roleArn"].rpartition("/")[2]
    deny = {"Statement": {"Effect": "Deny", "Action": "firehose:*", "Resource": "*"}}
    iam.put_role_policy(RoleName=role, PolicyName="trial", PolicyDocument=json.dumps(deny))
    with _exposures(watched):
        yield
    iam.delete_role_policy(RoleName=role, PolicyName="trial")


@contextmanager
def _exposures_not_delivered(watched: Watched) -> Iterator[None]:
    stream = watched.subscription()["destinationArn"].rpartition("/")[2]
    fault = DeliveryFault(stream=stream, failing=True)
    with DeliveryFaults(watched.connection).injected(fault), _exposures(watched):
        yield


@contextmanager
def _hourly_looks(watched: Watched) -> Iterator[None]:
    with watched.again_and_again(watched.hourly_look, at_once=3, pause=0.5):
        yield


@contextmanager
def _old_model(watched: Watched) -> Iterator[None]:
    with watched.colour("maize", age_ms=37 * HOUR_MS, live=True), _hourly_looks(watched):
        yield


@contextmanager
def _new_model(watched: Watched) -> Iterator[None]:
    with watched.colour("maize", age_ms=HOUR_MS, live=True), _hourly_looks(watched):
        yield


@contextmanager
def _old_dormant_colour(watched: Watched) -> Iterator[None]:
    with (
        watched.colour("blue", age_ms=15 * HOUR_MS, live=False),
        watched.colour("maize", age_ms=HOUR_MS, live=True),
        _hourly_looks(watched),
    ):
        yield


@contextmanager
def _retraining_with_no_data(watched: Watched) -> Iterator[None]:
    story = watched.story
    execution = story.start()
    states = story.connection.client("stepfunctions")
    until(
        lambda: states.describe_execution(executionArn=execution)["status"] == "FAILED",
        "the retraining is refused",
    )
    yield
    until(lambda: story.groups() == [], "what it left is cleared away")


@contextmanager
def _value(watched: Watched, runbook: str, value: float) -> Iterator[None]:
    alarm = watched.find(runbook)
    with watched.again_and_again(lambda: watched.put(alarm, value), pause=0.2):
        yield


@contextmanager
def _answers(watched: Watched, count: float) -> Iterator[None]:
    """So many answers for the placement that has more than the least capacity, every while."""
    alarm = watched.find("campaign-idle")
    metric = alarm["Metrics"][0]["MetricStat"]["Metric"] if "MetricStat" in alarm["Metrics"][0] else None
    metric = metric or alarm["Metrics"][1]["MetricStat"]["Metric"]
    with watched.again_and_again(lambda: watched.put(metric, count), pause=0.2):
        yield


OUT, DEGRADED = "recommendations-out", "recommendations-degraded"
REFUSED, LATE = "events-refused", "events-late"

PROVOCATIONS = (
    Provocation("recommendations-failing", _failing, OUT),
    Provocation("recommendations-starved", _without_room, OUT),
    Provocation("recommendations-falling-back", partial(_without_campaigns, colour="maize"), DEGRADED),
    Provocation("recommendations-slow", _slow, DEGRADED),
    Provocation("colour-erring", partial(_without_campaigns, colour="maize"), DEGRADED, colour="maize"),
    Provocation("colour-erring", partial(_without_campaigns, colour="blue"), DEGRADED, colour="blue"),
    Provocation("colour-falling-back", partial(_without_campaigns, colour="maize"), DEGRADED, colour="maize"),
    Provocation("colour-falling-back", partial(_without_campaigns, colour="blue"), DEGRADED, colour="blue"),
    Provocation("experiment-unknown", _without_experiment, None),
    Provocation("recommendations-refused", _narrow, None),
    Provocation("events-failing", _broken_collector, REFUSED),
    Provocation(
        "events-throttled", partial(_value, runbook="events-throttled", value=1), REFUSED, by_hand=True
    ),
    Provocation("events-behind", partial(_value, runbook="events-behind", value=61_000), LATE, by_hand=True),
    Provocation("events-undelivered", _message_in_failure_queue, LATE),
    Provocation("lake-delivery-stalled", _lake_away, "lake-delivery-stalled"),
    Provocation("lake-delivery-refusing", _records_that_are_no_events, None),
    Provocation("exposures-unsent", _exposures_without_a_right, None),
    Provocation("exposures-stalled", _exposures_not_delivered, None),
    Provocation("exposures-refusing", partial(_exposures, items="many"), None),
    Provocation("retraining-overdue", _old_model, "retraining-overdue", scale=HOURS, after=_new_model),
    Provocation("gate-refused", _retraining_with_no_data, None),
    Provocation(
        "first-training-missing",
        _hourly_looks,
        None,
        scale=HOURS / 4,
        after=_new_model,
    ),
    Provocation("dormant-colour-lingering", _old_dormant_colour, None, scale=HOURS),
    Provocation(
        "campaign-idle",
        partial(_answers, count=1),
        None,
        scale=DAYS,
        after=partial(_answers, count=20_000),
        by_hand=True,
    ),
)


def test_every_alarm_is_provoked(watched: Watched) -> None:
    metric_alarms = [alarm for alarm in watched.alarms().values() if "AlarmRule" not in alarm]
    provoked = {watched.find(each.runbook, each.colour)["AlarmName"]: each.name for each in PROVOCATIONS}
    assert set(provoked) == {alarm["AlarmName"] for alarm in metric_alarms}


def test_data_of_something_else_set_nothing_off(watched: Watched) -> None:
    """Another environment, colour, function, API, …: the same metric, and one dimension more or another.

    Before all provocations, whose data would still be looked at when hours last longer again.
    """
    watched.control.scale(MINUTES)
    _await_quiet(watched)
    watched.notices.heard(), watched.pages.heard()
    own = [alarm for alarm in watched.alarms().values() if alarm.get("MetricName")]
    assert len(own) >= 19

    def put() -> None:
        for alarm in own:
            value = 1000 * (alarm["Threshold"] + 1)
            for dimensions in _others(alarm["Dimensions"]):
                watched.put({**alarm, "Dimensions": dimensions}, value)

    with watched.again_and_again(put):
        watched.evaluate(12)
    ringing = {
        each.alarm for each in (*watched.notices.heard(), *watched.pages.heard()) if each.state == "ALARM"
    }
    assert ringing == set()


@pytest.mark.parametrize("provocation", PROVOCATIONS, ids=lambda each: each.name)
def test_an_alarm_goes_off_tells_of_it_and_goes_out_again(watched: Watched, provocation: Provocation) -> None:
    watched.control.scale(provocation.scale)
    alarm = watched.find(provocation.runbook, provocation.colour)
    name = alarm["AlarmName"]
    pages_for = watched.find(provocation.page)["AlarmName"] if provocation.page else None
    _await_quiet(watched)
    if watched.state(name) == "ALARM":  # hours as short as now make days of what has been put till here
        with (provocation.after or _nothing)(watched):
            until(lambda: watched.state(name) == "OK", f"{provocation.name} is out", within=90)
    watched.notices.heard(), watched.pages.heard()

    with provocation.condition(watched):
        until(lambda: watched.state(name) == "ALARM", f"{provocation.name} goes off", within=120)
        others = {alarm["AlarmName"] for alarm in watched.alarms().values() if alarm["StateValue"] == "ALARM"}
    with (provocation.after or _nothing)(watched):
        until(lambda: watched.state(name) == "OK", f"{provocation.name} goes out", within=90)
    _await_quiet(watched)

    notices, pages = watched.notices.heard(), watched.pages.heard()
    mine = [each.state for each in (pages if pages_for == name else notices) if each.alarm == name]
    assert mine[mine.index("ALARM") :][:2] == ["ALARM", "OK"]
    if pages_for is None:
        assert Told(name, "ALARM") not in pages
    else:
        assert [each for each in pages if each.state == "ALARM"] == [Told(pages_for, "ALARM")]
    other = {"maize": "blue", "blue": "maize"}.get(provocation.colour or "")
    if other is not None:
        assert watched.find(provocation.runbook, other)["AlarmName"] not in others


def _others(dimensions: list[dict[str, str]]) -> list[list[dict[str, str]]]:
    *same, last = dimensions or [{"Name": "environment", "Value": "local"}]
    another = [*same, {**last, "Value": f"{last['Value']}-2"}]
    more = [*same, last, {"Name": "extra", "Value": "1"}]
    return [another, more]


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


@contextmanager
def _nothing(watched: Watched) -> Iterator[None]:
    yield
