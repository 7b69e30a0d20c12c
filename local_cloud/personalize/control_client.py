"""The control API from another process: for tests, and for the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from local_cloud.personalize.control import PREFIX
from local_cloud.personalize.faults import Fault


class ControlError(Exception):
    """What the control API refused; the message says why."""


@dataclass(frozen=True)
class ControlClient:
    """
    :param endpoint: of the local cloud, or of Personalize alone: e.g. `http://127.0.0.1:4566`.
    """

    endpoint: str

    def inject(self, fault: Fault) -> str:
        """Its id."""
        return str(self._call("POST", "faults", fault.to_json())["id"])

    def faults(self) -> list[dict[str, Any]]:
        """With `id`, and with `met` and `struck`: how often each could have struck, and did."""
        found: list[dict[str, Any]] = self._call("GET", "faults")["faults"]
        return found

    def clear(self, fault_id: str | None = None) -> int:
        """One, or all; how many there were."""
        return int(self._call("DELETE", f"faults/{fault_id}" if fault_id else "faults")["cleared"])

    @contextmanager
    def injected(self, fault: Fault) -> Iterator[str]:
        """A fault for as long as the block takes."""
        fault_id = self.inject(fault)
        try:
            yield fault_id
        finally:
            with suppress(ControlError):
                self.clear(fault_id)

    def struck(self, fault_id: str) -> int:
        """
        :raises ControlError: when it is cleared.
        """
        for fault in self.faults():
            if fault["id"] == fault_id:
                return int(fault["struck"])
        raise ControlError(f"there is no fault {fault_id}")

    def clock(self, **change: Any) -> dict[str, Any]:
        """`{now, time}`, after `advance` (seconds) and `time` (none, realistic, 60x, seconds per step)."""
        return self._call("POST", "clock", change) if change else self._call("GET", "clock")

    def metrics(self) -> list[dict[str, Any]]:
        """What went to CloudWatch, or would go there on AWS: `{region, namespace, name, dimensions, unit,
        points: [{time, count, sum, minimum, maximum}]}`.

        :raises ControlError: where there is a CloudWatch.
        """
        found: list[dict[str, Any]] = self._call("GET", "metrics")["metrics"]
        return found

    def settings(self, **change: Any) -> dict[str, Any]:
        """`{throttling, legacy_recipes}`, after this change."""
        return self._call("POST", "settings", change) if change else self._call("GET", "settings")

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = Request(
            f"{self.endpoint}{PREFIX}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urlopen(request, timeout=60) as answer:
                answered: dict[str, Any] = json.load(answer)
                return answered
        except HTTPError as error:
            with error:
                raise ControlError(json.load(error)["message"]) from None
