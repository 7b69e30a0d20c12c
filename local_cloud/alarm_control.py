"""Lets the minutes of a running local cloud's alarms pass faster, so that a test need not wait for them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.request import Request, urlopen

from local_cloud.connection import Connection

PATH: Final = "/_colorway/alarms"


@dataclass(frozen=True)
class AlarmControl:
    """The clock of one local cloud's alarms."""

    connection: Connection

    def scale(self, seconds: float) -> None:
        """
        :param seconds: real ones that a second of an alarm's period takes; 1 unless set.
        """
        self._ask("PUT", {"scale": seconds})

    def evaluated(self) -> int:
        """How many times all alarms have been evaluated since the cloud was started."""
        return int(self._ask("GET")["evaluated"])

    def _ask(self, method: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.connection.endpoint + PATH, data=data, method=method)
        with urlopen(request, timeout=30) as answer:
            answered: dict[str, Any] = json.load(answer)
        return answered
