"""Lets the minutes of a running local cloud's alarms pass faster, so that a test need not wait for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from local_cloud.connection import Connection
from local_cloud.control import ask

PATH: Final = "/_colorway/alarms"


@dataclass(frozen=True)
class AlarmControl:
    """The clock of one local cloud's alarms."""

    connection: Connection

    def scale(self, seconds: float) -> None:
        """
        :param seconds: real ones that a second of an alarm's period takes; 1 unless set.
        """
        ask(self.connection, PATH, {"scale": seconds})

    def evaluated(self) -> int:
        """How many times all alarms have been evaluated since the cloud was started."""
        return int(ask(self.connection, PATH)["evaluated"])
