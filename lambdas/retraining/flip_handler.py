"""The steps of the flip, and the two that undo or repair it; see `live_colour`."""

from __future__ import annotations

import csv
import io
import logging
import os
from functools import cache
from typing import Any

import boto3

from retraining.live_colour import LiveColour
from retraining.settings import Settings
from vocabulary.colours import Colour, colour_of, live_colour_of
from vocabulary.lake import dataset_folder, popular_key
from vocabulary.placements import Placement

_LOG = logging.getLogger(__name__)
_LOG.setLevel(logging.INFO)

_HEAD_BYTES = 65_536
_SAMPLED = 20
_NEWCOMER = "colorway-heartbeat"


class AlarmDuringBake(Exception):
    """An alarm of the new colour rang while the old one was still there; the flip was taken back."""


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer `prove`, `move`, `bake` and `reconcile`."""
    settings = Settings.from_environ(os.environ)
    live = LiveColour.of(settings, _client)
    match event.get("action", "reconcile"):  # EventBridge sends its own event, which has no action
        case "prove":
            return _prove(settings, live, colour_of(event["colour"]), event["run_id"])
        case "move":
            live.move(colour_of(event["colour"]), event["version"])
            _publish_popular(settings, event["run_id"])
            return {}
        case "bake":
            return _bake(settings, live, event)
        case "reconcile":
            repaired = live.reconcile()
            _LOG.info("reconciled: %s", repaired or "nothing to repair")
            return {"repaired": repaired}
        case action:
            raise ValueError(f"action must be prove, move, bake or reconcile, got {action!r}")


def _prove(settings: Settings, live: LiveColour, colour: Colour, run_id: str) -> dict[str, Any]:
    """Publish a version for the colour and have it answer known users and a new one, per placement."""
    before = live.version()
    version = live.prepare(colour)
    users, items = _sample(settings, run_id)
    try:
        for placement in settings.placements:
            live.beat(version, colour, _heartbeat(placement, users, items))
    except Exception:
        live.forget_preparation()
        raise
    return {"version": version, "previous_version": before}


def _heartbeat(placement: Placement, users: list[str], items: list[str]) -> dict[str, Any]:
    request: dict[str, Any] = {"placement": placement.name, "user_ids": [*users, _NEWCOMER]}
    if placement.needs == "item":
        request["item_ids"] = items[: len(request["user_ids"])]
    return request


def _sample(settings: Settings, run_id: str) -> tuple[list[str], list[str]]:
    """Some users and items of the run's training data."""
    s3, prefix = _client("s3"), dataset_folder(run_id, "interactions")
    key = s3.list_objects_v2(Bucket=settings.training_bucket, Prefix=prefix)["Contents"][0]["Key"]
    head = s3.get_object(Bucket=settings.training_bucket, Key=key, Range=f"bytes=0-{_HEAD_BYTES - 1}")
    lines = head["Body"].read().decode("utf-8", errors="ignore").splitlines()
    whole = io.StringIO("\n".join(lines[:-1] if len(lines) > 2 else lines))
    rows = list(csv.DictReader(whole, escapechar="\\", doublequote=False))
    users = list(dict.fromkeys(row["USER_ID"] for row in rows))[:_SAMPLED]
    items = list(dict.fromkeys(row["ITEM_ID"] for row in rows))[: _SAMPLED + 1]
    return users, items


def _publish_popular(settings: Settings, run_id: str) -> None:
    """Let serving fall back to the popular items of the run that has just gone live."""
    bucket = settings.training_bucket
    for placement in settings.placements:
        _client("s3").copy_object(
            Bucket=bucket,
            Key=popular_key(placement.name),
            CopySource={"Bucket": bucket, "Key": popular_key(placement.name, run_id)},
        )


def _bake(settings: Settings, live: LiveColour, event: dict[str, Any]) -> dict[str, Any]:
    """Look at the alarms of the new colour; if one rings, take the flip back and say which."""
    names = settings.bake_alarms[event["colour"]]
    alarms = _client("cloudwatch").describe_alarms(AlarmNames=names, StateValue="ALARM") if names else {}
    ringing = sorted(alarm["AlarmName"] for alarm in alarms.get("MetricAlarms", ()))
    if ringing:
        live.restore(live_colour_of(event["previous"]), event["previous_version"])
        raise AlarmDuringBake(f"{', '.join(ringing)} rang; {event['previous']} is live again")
    return {"quiet": True}


@cache
def _client(service: str) -> Any:
    return boto3.client(service)
