"""Sets faults in a running local cloud, and asks it which calls it has seen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.request import Request, urlopen

from local_cloud.connection import Connection
from local_cloud.faults import Call, Fault

PATH: Final = "/_colorway/faults"


@dataclass(frozen=True)
class FaultInjection:
    """The faults of one local cloud."""

    connection: Connection

    def set(self, *faults: Fault) -> None:
        """Put these in force in place of all others; none: everything works again. Forgets what was seen."""
        self._ask("PUT", {"faults": [fault.to_json() for fault in faults]})

    def seen(self) -> list[Call]:
        """Every different call that a state machine, or a function for it, has made since `set`."""
        return [Call(**each) for each in self._ask("GET")["seen"]]

    def struck(self) -> list[Call]:
        """The calls at which a fault has acted since `set`."""
        return [Call(**each) for each in self._ask("GET")["struck"]]

    def at_work(self) -> int:
        """How many tasks are under way: those of executions that have ended too, as functions go on."""
        return int(self._ask("GET")["at_work"])

    def _ask(self, method: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(
            Request(self.connection.endpoint + PATH, data=data, method=method), timeout=30
        ) as answer:
            answered: dict[str, Any] = json.load(answer)
        return answered
