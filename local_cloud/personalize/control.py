"""The control API: what a test or a person may do to the local Personalize that AWS does not offer.

    GET    /_colorway/personalize/faults            {"faults": [{"id", "met", "struck", …the fault}]}
    POST   /_colorway/personalize/faults            a fault; 201 {"id"}
    DELETE /_colorway/personalize/faults[/ID]       {"cleared": how many}
    GET    /_colorway/personalize/clock             {"now", "time"}
    POST   /_colorway/personalize/clock             {"advance": seconds}, {"time": "realistic"} or both
    GET    /_colorway/personalize/metrics           {"metrics": [{"region", "namespace", "name", "dimensions",
                                                     "unit", "points": [{"time", "count", "sum", …}]}]}
    GET    /_colorway/personalize/settings          {"throttling", "legacy_recipes"}
    POST   /_colorway/personalize/settings          {"throttling": true}

An error is a 400 or 404 with {"message"}. Bodies are JSON and say so, which no page in a browser can
without asking first; and only this machine reaches it. docs/personalize-local.md tells its use.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final

from local_cloud.personalize.faults import Fault, Faults
from local_cloud.personalize.lifecycle import Clock
from local_cloud.personalize.metrics import MetricLog
from local_cloud.personalize.wire import Response

PREFIX: Final = "/_colorway/personalize/"


@dataclass(kw_only=True)
class Settings:
    """
    :param throttling: whether requests beyond a campaign's capacity are throttled.
    :param legacy_recipes: whether the HRNN recipes are offered, which AWS no longer has.
    """

    throttling: bool = False
    legacy_recipes: bool = False


@dataclass(kw_only=True)
class Control:
    """What all accounts and Regions of one local cloud share.

    :param metrics: where metrics are kept that have no CloudWatch to go to.
    """

    clock: Clock
    faults: Faults = field(default_factory=Faults)
    settings: Settings = field(default_factory=Settings)
    metrics: MetricLog | None = None

    def answer(self, *, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """
        :param headers: with names in lower case.
        """
        what, _, name = path.removeprefix(PREFIX).strip("/").partition("/")
        try:
            if method == "DELETE" and what == "faults":
                return self._clear(name)
            if name or what not in _GETTERS:
                return _json(404, {"message": f"nothing is served at {path}"})
            if method == "GET":
                return _json(200, _GETTERS[what](self))
            if method == "POST" and what != "metrics":
                return self._post(what, _parsed(headers, body))
        except ValueError as error:
            return _json(400, {"message": str(error)})
        return _json(405, {"message": f"{method} is not allowed at {path}"})

    def _clear(self, fault_id: str) -> Response:
        cleared = self.faults.clear(fault_id or None)
        if fault_id and not cleared:
            return _json(404, {"message": f"there is no fault {fault_id}"})
        return _json(200, {"cleared": cleared})

    def _post(self, what: str, given: Mapping[str, Any]) -> Response:
        if what == "faults":
            return _json(201, {"id": self.faults.inject(Fault.of(given)).id})
        if what == "clock":
            self._set_clock(given)
        else:
            _only(given, *_SETTINGS)
            for name, value in given.items():
                if not isinstance(value, bool):
                    raise ValueError(f"{name} must be true or false, got {value!r}")
            self.settings = replace(self.settings, **given)
        return _json(200, _GETTERS[what](self))

    def _set_clock(self, given: Mapping[str, Any]) -> None:
        _only(given, "advance", "time")
        seconds = given.get("advance", 0)
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < 1e9:
            raise ValueError(f"advance must be a number of seconds, at least 0, got {seconds!r}")
        if "time" in given:
            self.clock.set_time(str(given["time"]))
        self.clock.advance(seconds)


_SETTINGS: Final = tuple(field.name for field in fields(Settings))


def _metrics_of(control: Control) -> MetricLog:
    if control.metrics is None:
        raise ValueError("metrics are in the CloudWatch of this cloud: aws cloudwatch get-metric-statistics")
    return control.metrics


def _only(given: Mapping[str, Any], *known: str) -> None:
    if not given or any(name not in known for name in given):
        raise ValueError(f"the body must hold {' or '.join(known)}, got {', '.join(given) or 'nothing'}")


def _parsed(headers: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
    if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise ValueError("the Content-Type must be application/json")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is not valid JSON") from None
    if not isinstance(value, dict):
        raise ValueError("the body must be a JSON object")
    return value


def _json(status: int, value: Mapping[str, Any]) -> Response:
    return Response(status, {"Content-Type": "application/json"}, json.dumps(value).encode())


_GETTERS: Final[Mapping[str, Callable[[Control], dict[str, Any]]]] = {
    "faults": lambda control: {"faults": [injected.to_json() for injected in control.faults.all()]},
    "clock": lambda control: {"now": control.clock.stamp(), "time": control.clock.time},
    "settings": lambda control: asdict(control.settings),
    "metrics": lambda control: {"metrics": _metrics_of(control).to_json()},
}
