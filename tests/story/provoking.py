"""How an alarm is tried: it goes off by its condition, tells whom it should, and goes out again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.story.deployment import until
from tests.story.watch import Told, Watch

Condition = Callable[[Any], AbstractContextManager[object]]
"""Of a deployment; there while it is entered."""

MINUTES = 0.02
"""Real seconds per second of an alarm's period: a minute is 1.2 seconds."""


@dataclass(frozen=True)
class Provocation:
    """How an alarm is set off.

    :param condition: brings it about, and is over when left.
    :param page: heading of the fault that pages for it; its own where it pages itself, None for a notice.
    :param scale: real seconds per second of its periods.
    :param colour: whose alarm it is, and `placement`, where there is one of each.
    :param after: goes on when it is over, where the alarm needs other data to see that.
    :param how: which condition it is, where there are several.
    """

    runbook: str
    condition: Condition
    page: str | None
    scale: float = MINUTES
    colour: str | None = None
    placement: str | None = None
    after: Condition | None = None
    by_hand: bool = False
    how: str | None = None

    @property
    def name(self) -> str:
        own = (self.runbook, self.colour, self.placement, self.how, "by hand" if self.by_hand else None)
        return " ".join(filter(None, own))

    def alarm_of(self, watch: Watch) -> dict[str, Any]:
        return watch.find(self.runbook, self.colour, self.placement)


def see_it_go_off_and_out(
    watch: Watch, provocation: Provocation, *, await_quiet: Callable[[], None]
) -> set[str]:
    """Provoke an alarm, and see that one fault pages once, or not at all.

    :param await_quiet: until no alarm is on.
    :return: the names of all alarms that were on with it.
    """
    watch.control.scale(provocation.scale)
    name = provocation.alarm_of(watch)["AlarmName"]
    page = watch.find(provocation.page)["AlarmName"] if provocation.page else None
    await_quiet()
    if watch.state(name) == "ALARM":  # hours as short as now make days of what has been put till here
        with (provocation.after or _nothing)(watch):
            until(lambda: watch.state(name) == "OK", f"{provocation.name} is out", within=90)
    watch.notices.heard(), watch.pages.heard()
    pages: list[Told] = []

    def is_paged() -> bool:
        pages.extend(watch.pages.heard())
        return Told(str(page), "ALARM") in pages

    with provocation.condition(watch):
        until(lambda: watch.state(name) == "ALARM", f"{provocation.name} goes off", within=120)
        # A worse fault, as the provocation before this one may be, holds it back for a while
        if page:
            until(is_paged, f"{provocation.page} pages for {provocation.name}", within=120)
        ringing = {alarm["AlarmName"] for alarm in watch.alarms().values() if alarm["StateValue"] == "ALARM"}
    with (provocation.after or _nothing)(watch):
        until(lambda: watch.state(name) == "OK", f"{provocation.name} goes out", within=90)
    await_quiet()

    notices = watch.notices.heard()
    pages += watch.pages.heard()
    mine = [each.state for each in (pages if page == name else notices) if each.alarm == name]
    assert mine[mine.index("ALARM") :][:2] == ["ALARM", "OK"], mine
    paged = [each.alarm for each in pages if each.state == "ALARM"]
    assert paged == ([page] if page else []), f"{provocation.name} paged for {paged}"
    return ringing


def data_of_something_else(watch: Watch) -> Callable[[], None]:
    """What puts the metrics of a deployment's alarms, far above each threshold: with one dimension more, or
    another environment, colour, function, API, ….
    """
    own = [alarm for alarm in watch.alarms().values() if alarm.get("MetricName")]
    assert own

    def put() -> None:
        for alarm in own:
            value = 1000 * (alarm["Threshold"] + 1)
            for dimensions in _others(alarm["Dimensions"]):
                watch.put({**alarm, "Dimensions": dimensions}, value)

    return put


def _others(dimensions: list[dict[str, str]]) -> list[list[dict[str, str]]]:
    *same, last = dimensions or [{"Name": "environment", "Value": "local"}]
    another = [*same, {**last, "Value": f"{last['Value']}-2"}]
    more = [*same, last, {"Name": "extra", "Value": "1"}]
    return [another, more]


@contextmanager
def _nothing(watch: Watch) -> Iterator[None]:
    yield
