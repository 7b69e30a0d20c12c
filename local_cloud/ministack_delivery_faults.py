"""The fault of deliveries that is in force, and how it is set from outside (`delivery_faults`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from local_cloud.delivery_faults import NONE, PATH, DeliveryFault
from local_cloud.ministack_control import serve


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

    def change(fault: Any) -> None:
        _in_force.fault = DeliveryFault.from_json(fault)

    serve(PATH, change=change, tell=lambda: {"struck": _in_force.struck})
