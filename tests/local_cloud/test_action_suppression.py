"""Suppressed actions, as the Amazon CloudWatch user guide and the example of Lambda's event have them."""

from __future__ import annotations

from local_cloud.action_suppression import Suppression
from local_cloud.alarm_evaluation import State

WAIT, EXTENSION = 120.0, 180.0


class Composite:
    """A composite alarm, looked at every minute, and for which states it took actions when."""

    def __init__(self) -> None:
        self._actions = Suppression("OK")
        self.minute = 0
        self.acted: list[tuple[int, State]] = []

    def is_for(self, minutes: int, state: State, *, suppressor: State = "OK") -> None:
        for _ in range(minutes):
            acted = self._actions.due(
                60.0 * self.minute,
                state,
                suppressed=suppressor == "ALARM",
                wait=WAIT,
                extension=EXTENSION,
            )
            if acted is not None:
                self.acted.append((self.minute, acted))
            self.minute += 1


def test_an_alarm_whose_suppressor_stays_quiet_acts_when_it_has_waited() -> None:
    # The event that Lambda documents: in ALARM at 12:54:46, two minutes to wait, acted upon at 12:56:46
    alarm = Composite()
    alarm.is_for(1, "OK")
    alarm.is_for(4, "ALARM")
    assert alarm.acted == [(3, "ALARM")]


def test_an_alarm_whose_suppressor_goes_off_while_it_waits_does_not_act() -> None:
    alarm = Composite()
    alarm.is_for(1, "ALARM")
    alarm.is_for(10, "ALARM", suppressor="ALARM")
    assert alarm.acted == []


def test_an_alarm_that_is_over_soon_after_its_suppressor_never_acts() -> None:
    alarm = Composite()
    alarm.is_for(5, "ALARM", suppressor="ALARM")
    alarm.is_for(2, "ALARM")
    alarm.is_for(10, "OK")
    assert alarm.acted == []


def test_an_alarm_that_outlasts_the_extension_acts_then() -> None:
    alarm = Composite()
    alarm.is_for(5, "ALARM", suppressor="ALARM")
    alarm.is_for(5, "ALARM")
    alarm.is_for(1, "OK")
    assert alarm.acted == [(8, "ALARM"), (10, "OK")]


def test_an_alarm_that_goes_off_during_the_extension_waits_for_its_end() -> None:
    alarm = Composite()
    alarm.is_for(2, "OK", suppressor="ALARM")
    alarm.is_for(1, "OK")
    alarm.is_for(5, "ALARM")
    assert alarm.acted == [(5, "ALARM")]


def test_that_an_alarm_is_over_is_told_when_the_suppressor_that_came_after_it_is_gone() -> None:
    alarm = Composite()
    alarm.is_for(3, "ALARM")
    alarm.is_for(3, "OK", suppressor="ALARM")
    alarm.is_for(5, "OK")
    assert alarm.acted == [(2, "ALARM"), (9, "OK")]
