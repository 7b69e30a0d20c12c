"""When a composite alarm with a suppressor takes its actions, and no I/O.

As the Amazon CloudWatch user guide says under "Suppressing composite alarm actions".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from local_cloud.alarm_evaluation import State


@dataclass
class Suppression:
    """What becomes of the actions of one composite alarm; asked again and again.

    :param told: the state that actions were last taken for.
    """

    told: State

    def __post_init__(self) -> None:
        self._seen: State = self.told
        self._suppressed = False
        self._quiet_until = -math.inf

    def due(
        self, now: float, state: State, *, suppressed: bool, wait: float, extension: float
    ) -> State | None:
        """The state to take actions for now, or None.

        :param now: seconds, as are `wait` and `extension`.
        :param state: of the composite alarm.
        :param suppressed: its suppressor is in ALARM.
        :param wait: how long an alarm that goes off waits for its suppressor.
        :param extension: how long after the suppressor has left ALARM nothing is done.
        """
        if self._suppressed and not suppressed:
            self._quiet_until = now + extension
        elif state == "ALARM" != self._seen:
            self._quiet_until = max(self._quiet_until, now + wait)
        self._suppressed, self._seen = suppressed, state
        if suppressed or now < self._quiet_until or state == self.told:
            return None
        self.told = state
        return state
