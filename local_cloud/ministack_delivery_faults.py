"""The fault of deliveries that is in force, and how it is set from outside (`delivery_faults`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from ministack import app

from local_cloud.delivery_faults import NONE, PATH, DeliveryFault


@dataclass
class _InForce:
    """
    :param struck: how many deliveries have met a fault.
    """

    fault: DeliveryFault = NONE
    struck: int = 0


_in_force: Final = _InForce()


def fault_of(stream: str) -> DeliveryFault:
    """What goes wrong with the next delivery of a delivery stream."""
    fault = _in_force.fault
    if fault == NONE or not fault.matches(stream):
        return NONE
    _in_force.struck += 1
    return fault


def register() -> None:
    """From now on `PUT /_colorway/deliveries` makes deliveries go wrong."""
    other = app._handle_post_body_shortcuts

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], request_id: str
    ) -> Any:
        if path != PATH:
            return await other(method, path, headers, body, query, request_id)
        if method == "PUT":
            try:
                _in_force.fault = DeliveryFault.from_json(json.loads(body))
            except (ValueError, TypeError) as error:
                return 400, _json(), json.dumps({"message": str(error)}).encode()
        return 200, _json(), json.dumps({"struck": _in_force.struck}).encode()

    app._handle_post_body_shortcuts = handle


def _json() -> dict[str, str]:
    return {"Content-Type": "application/json"}  # MiniStack adds to what it is given
