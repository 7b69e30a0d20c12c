"""Many cases of one promise, each tried, and all that went wrong told together."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from local_cloud.faults import Call, Fault
from tests.story.crashes import Crashes, Ending
from tests.story.deployment import until

_LOG: Final = logging.getLogger(__name__)


class Proof:
    """What is tried of one promise; each case is logged as it ends (`--log-cli-level=INFO` shows it)."""

    def __init__(self, crashes: Crashes) -> None:
        self.crashes, self.cases = crashes, 0
        self.wrong: list[str] = []

    def fails(self, what: str, *faults: Fault, **how: Any) -> None:
        """The run fails, and all is as it should be; if the clearing failed too, then after the next run."""

        def case() -> tuple[str, list[str]]:
            ending = self.crashes.crash(*faults, **how)
            found = [] if ending.struck else ["nothing was struck"]
            if ending.status == "SUCCEEDED":
                found.append("it succeeded")
            if ending.cleared == "SUCCEEDED":
                return str(ending), found + self.crashes.wrong(ending)
            found += self.crashes.wrong_meanwhile(ending)
            return str(ending), found + self.crashes.wrong(self.crashes.crash(**how))

        self._try(what, case)

    def succeeds(self, what: str, *faults: Fault, **how: Any) -> None:
        """The run goes through, and everything is as it should be."""

        def case() -> tuple[str, list[str]]:
            ending = self.crashes.crash(*faults, **how)
            found = ["nothing was struck"] if faults and not ending.struck else []
            return str(ending), found + self._wrong_with_success(ending)

        self._try(what, case)

    def has_succeeded(self, what: str, ending: Ending) -> None:
        """A run that has ended has gone through, and everything is as it should be."""
        self._try(what, lambda: (str(ending), self._wrong_with_success(ending)))

    def comes_late(self, call: Call) -> None:
        """A request has its effect only when its run is stopped and cleared, as functions go on."""
        crashes = self.crashes
        held = crashes.fault(
            "retraining", call.state, operation=call.operation, nth=call.nth, how="hold", times=1
        )

        def case() -> tuple[str, list[str]]:
            was = crashes.story.pointer()
            crashes.faults.set(held)
            execution = crashes.start()
            until(lambda: crashes.faults.struck() != [], "it is about to be made", within=120)
            crashes.stop(execution)
            crashes.await_clearing(execution)
            crashes.faults.set()
            until(crashes.nothing_runs, "it has had its effect", within=120)
            live, found = crashes.story.pointer(), crashes.left_behind()
            if live != was and not call.state.startswith(("flip", "bake", "retire", "end")):
                found.append(f"{live} is live")
            return f"{was} was live, {live} is", found

        self._try(f"{call.state}, {call.operation} {call.nth}, late", case)

    def _wrong_with_success(self, ending: Ending) -> list[str]:
        found = self.crashes.wrong(ending)
        if ending.status != "SUCCEEDED" or '"outcome": "already-running"' in ending.says:
            found.append("it did not go through")
        return found

    def _try(self, what: str, case: Callable[[], tuple[str, list[str]]]) -> None:
        """
        :param case: tries it; answers what happened, and what was wrong with that.
        """
        since = time.monotonic()
        self.cases += 1
        try:
            ended, found = case()
        except AssertionError as endless:
            ended, found = "does not end", [str(endless)]
            self.crashes.faults.set()
            until(self.crashes.nothing_runs, f"after {what}, all ends without faults", within=300)
        took = time.monotonic() - since
        _LOG.info("%3d %5.1f s %s %s: %s", self.cases, took, "WRONG" if found else "ok", what, ended)
        for each in found:
            _LOG.error("%s", each)
            self.wrong.append(f"{what}: {ended}: {each}")

    def is_given(self) -> None:
        assert not self.wrong, "\n".join([f"of {self.cases} cases:", *self.wrong])
