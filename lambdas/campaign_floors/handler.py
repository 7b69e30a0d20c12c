"""Runs every few minutes: campaigns provide what the calendar of drops says."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from campaign_floors.floors import bring_about
from vocabulary import drops, placements
from vocabulary.colours import Names, personalize_arn
from vocabulary.metrics import emit


def handle(event: object, context: object) -> dict[str, Any]:
    """Bring every campaign to the floor that is due now; answers what was found of each."""
    told = os.environ
    found = bring_about(
        _personalize(),
        names=Names(told["APP"], told["ENVIRONMENT"]),
        placements=placements.from_json(told["PLACEMENTS"]),
        drops=drops.from_json(told["DROPS"]),
        arn_of=lambda name: personalize_arn(
            told["PARTITION"], told["AWS_REGION"], told["ACCOUNT"], "campaign", name
        ),
        at=datetime.now(UTC),
    )
    floors = [floor._asdict() for floor in found]
    emit(
        {"environment": told["ENVIRONMENT"]},
        {"FloorsNotMet": sum(floor.state == "failed" for floor in found)},
        properties={"floors": floors},
    )
    for floor in found:
        if floor.provided is not None:
            dimensions = {"environment": told["ENVIRONMENT"], "placement": floor.placement}
            above = max(0, floor.provided - floor.due)
            emit(dimensions, {"ProvisionedFloor": floor.provided, "FloorAboveDue": above})
    return {"floors": floors}


@cache
def _personalize() -> Any:
    return boto3.client("personalize")
