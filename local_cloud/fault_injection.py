"""Sets faults in a running local cloud, and asks it which calls it has seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from local_cloud.connection import Connection
from local_cloud.control import ask
from local_cloud.faults import Call, Fault

PATH: Final = "/_colorway/faults"


@dataclass(frozen=True)
class FaultInjection:
    """The faults of one local cloud."""

    connection: Connection

    def set(self, *faults: Fault) -> None:
        """Put these in force in place of all others; none: everything works again. Forgets what was seen."""
        ask(self.connection, PATH, {"faults": [fault.to_json() for fault in faults]})

    def seen(self) -> list[Call]:
        """Every different call that a state machine, or a function for it, has made since `set`."""
        return [Call(**each) for each in ask(self.connection, PATH)["seen"]]

    def struck(self) -> list[Call]:
        """The calls at which a fault has acted since `set`."""
        return [Call(**each) for each in ask(self.connection, PATH)["struck"]]

    def at_work(self) -> int:
        """How many tasks are under way: those of executions that have ended too, as functions go on."""
        return int(ask(self.connection, PATH)["at_work"])
