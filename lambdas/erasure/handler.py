"""Erases a user, a step at a time; `make erase` invokes it."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import Any, Final

import boto3

from erasure.colours import Deployment, delete_from_colours
from erasure.lake_rewriting import LakeRewriting, Person
from erasure.training_data import delete_exports
from erasure.units import salts_of, units_of
from vocabulary.colours import Names
from vocabulary.lake import EVENTS_FOLDER, EXPOSURES_FOLDER, USERS_FOLDER

_A_STEP: Final = 30.0
"""Seconds after which a step answers how far it got, so that whoever waits sees it go on."""


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer a step.

    `folders`: `{folders}`, all that may hold users. `units`: `{units, experiments}`, who a `user_id` with
    their `sessions` is in the exposures of so many experiments. `look` and `remove` in `folders`, of a
    `user_id` with their `sessions` and `units`, from `after` on: `Progress`. `colours`: `{colours}`.
    `training-data`: `{objects}`.
    """
    ends = time.monotonic() + _A_STEP
    lake = LakeRewriting(
        _client("s3"), bucket=os.environ["LAKE_BUCKET"], has_time=lambda: time.monotonic() < ends
    )
    match event["action"]:
        case "folders":
            parents = (EVENTS_FOLDER, USERS_FOLDER, EXPOSURES_FOLDER)
            return {"folders": [folder for parent in parents for folder in lake.folders(parent)]}
        case "units":
            salts = salts_of(_client("appconfig"), os.environ["EXPERIMENT"])
            people = {event["user_id"], *event["sessions"]}
            return {"units": units_of(salts, people), "experiments": len(salts)}
        case "look" | "remove" as action:
            person = Person.of(event["user_id"], event["sessions"], event["units"])
            step = lake.look if action == "look" else lake.remove
            return step(event["folders"], person, after=event.get("after")).to_json()
        case "colours":
            return {
                "colours": delete_from_colours(
                    _client("personalize"),
                    _client("s3"),
                    _deployment(),
                    event["user_id"],
                    event["erasure_id"],
                )
            }
        case "training-data":
            return {"objects": delete_exports(_client("s3"), os.environ["TRAINING_BUCKET"])}
        case action:
            raise ValueError(
                f"action must be folders, units, look, remove, colours or training-data, got {action!r}"
            )


def _deployment() -> Deployment:
    return Deployment(
        names=Names(os.environ["APP"], os.environ["ENVIRONMENT"]),
        partition=os.environ["PARTITION"],
        region=os.environ["AWS_REGION"],
        account=os.environ["ACCOUNT"],
        role_arn=os.environ["IMPORT_ROLE"],
        bucket=os.environ["TRAINING_BUCKET"],
    )


@cache
def _client(service: str) -> Any:
    return boto3.client(service)
