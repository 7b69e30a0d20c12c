"""Begins and ends a run: the lock, the plan, the age of the live model."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from retraining.plan import plan
from retraining.reports import Reports
from retraining.run_cost import cost, training_hours, used
from retraining.run_lock import LockHeldError, RunLock
from retraining.settings import Settings
from vocabulary.colours import COLOURS, NO_COLOUR, Colour, colour_of, live_colour_of
from vocabulary.coordination import TABLE_KEY, OpenColour, open_colour_key
from vocabulary.metrics import emit

_LOG = logging.getLogger(__name__)


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer `begin`, `clear` and `end`; each names the execution that asks."""
    settings = Settings.from_environ(os.environ)
    lock = RunLock(_table(settings.coordination_table), _is_running)
    execution = event["execution"]
    match event["action"]:
        case "begin":
            return _begin(settings, lock, execution, only_when_nothing_is_live=event["first_only"])
        case "clear":
            if event.get("colour"):
                return _retire_by_hand(settings, lock, execution, colour=colour_of(event["colour"]))
            return _take_over(settings, lock, execution, failed=event["failed"])
        case "end":
            lock.release(execution)
            return _conclude(settings, event)
        case action:
            raise ValueError(f"action must be begin, clear or end, got {action!r}")


def _begin(
    settings: Settings, lock: RunLock, execution: str, *, only_when_nothing_is_live: bool
) -> dict[str, Any]:
    live = live_colour_of(_pointer(settings))
    _report_what_is_there(settings, lock.table, live)
    if only_when_nothing_is_live and live is not None:
        return {"outcome": "nothing-to-do", "says": f"{live} is live"}
    run = plan(settings, live, datetime.now(UTC))
    try:
        lock.acquire(execution, run_id=run["run_id"], now=_now())
    except LockHeldError as held:
        return {"outcome": "already-running", "says": str(held)}
    return {"outcome": "go", "run": run, "look_first": only_when_nothing_is_live}


def _take_over(settings: Settings, lock: RunLock, execution: str, *, failed: str) -> dict[str, Any]:
    """After a run has failed: take its lock, so that no other begins while its colour is cleared."""
    if lock.holder() not in (failed, execution):
        return {"outcome": "nothing-to-do", "says": f"{failed} held nothing"}
    lock.acquire(execution, run_id="clearing", now=_now())
    live = live_colour_of(_pointer(settings))
    return {"outcome": "go", "run": plan(settings, live, datetime.now(UTC))}


def _retire_by_hand(settings: Settings, lock: RunLock, execution: str, *, colour: Colour) -> dict[str, Any]:
    """On-call wants a colour gone: not while it is live, nor while a retraining runs that may be building it.

    :raises LockHeldError: while a retraining runs.
    """
    if live_colour_of(_pointer(settings)) == colour:
        return {"outcome": "nothing-to-do", "says": f"{colour} is live"}
    lock.acquire(execution, run_id="retiring", now=_now())
    return {"outcome": "go", "run": {"colour": colour}}


def _conclude(settings: Settings, event: dict[str, Any]) -> dict[str, Any]:
    """Say how a run ended, how long it took and what it cost; a line each, which the dashboard lists.

    A run that went through says so itself (`started`, `colour`), one that failed has its clearing say it
    (`failed`); others have begun nothing.
    """
    if "started" in event:
        run_id, cost = _tell_cost(settings, event["execution"], event.get("prices"))
        took = _now() - event["started"]
        # A run that began before an upgrade does not tell its colour
        line = {"outcome": "done", "colour": event.get("colour"), "run_id": run_id, "cost": cost["total"]}
        emit(
            {"environment": settings.names.environment},
            {},
            {"RetrainingDuration": took},
            properties={"run": {**line, "minutes": round(took / 60_000, 1)}},
        )
        return {"cost": cost}
    if failed := event.get("failed"):
        run_id, cost = _tell_cost(settings, failed, event.get("prices"))
        line = {"outcome": "failed", "run_id": run_id, "cost": cost["total"]}
        sys.stdout.write(json.dumps({"run": line}) + "\n")
        return {"cost": cost}
    return {}


def _tell_cost(
    settings: Settings, execution: str, prices: dict[str, Any] | None
) -> tuple[str | None, dict[str, Any]]:
    """A run's id, and what it has cost so far, which its report says too.

    A run never fails for its bookkeeping.
    """
    try:
        pages = _client("stepfunctions").get_paginator("get_execution_history")
        # Of 25,000 events at most; by a hundred, as unless told, they could take longer than the function may
        history = pages.paginate(executionArn=execution, includeExecutionData=True, maxResults=1000)
        of = used(event for page in history for event in page["events"])
        reports = Reports(_client("s3"), settings.training_bucket)
        hours = training_hours(None if of.run_id is None else reports.of(of.run_id))
        told = cost(of, hours, prices, settings.placements, datetime.now(UTC).date())
        if of.run_id is not None:
            reports.note(of.run_id, "cost", told)
    except Exception as error:
        _LOG.exception("what %s cost cannot be told", execution)
        return None, {"total": None, "says": f"cannot be told: {error}"}
    return of.run_id, told


def _report_what_is_there(settings: Settings, table: Any, live: Colour | None) -> None:
    """Say every hour how old the live model is, whether there is none, how long a dormant colour is open."""
    environment = {"environment": settings.names.environment}
    emit(environment, {"NothingLive": int(live is None)})
    for colour in COLOURS:
        item = table.get_item(Key={TABLE_KEY: open_colour_key(colour)}).get("Item")
        opened = None if item is None else OpenColour.from_item(item).cutoff
        if colour == live:
            # One whose retirement was stopped when it became live again may be closed
            trained = _created(settings.dataset_group_arn(colour)) if opened is None else opened
            if trained is not None:
                emit(environment, {}, {"ModelAge": _now() - trained})
            continue
        # Half torn down it is open no more, and costs as much while its campaigns are there
        since = [each for each in (opened, _created(settings.dataset_group_arn(colour))) if each is not None]
        if since:
            emit(environment, {}, {"DormantColourAge": _now() - min(since)})


def _created(dataset_group: str) -> int | None:
    """When a colour's dataset group was created, unix milliseconds; None where none is told of.

    Asked before the lock is taken, since every look asks, whether or not it goes on: it changes nothing, and
    a look that finds Personalize busy must neither fail nor page for it.
    """
    personalize = _client("personalize")
    try:
        found = personalize.describe_dataset_group(datasetGroupArn=dataset_group)["datasetGroup"]
    except personalize.exceptions.ResourceNotFoundException:
        return None
    except Exception:
        _LOG.exception("whether there is a %s cannot be told", dataset_group)
        return None
    return int(found["creationDateTime"].timestamp() * 1000)


def _pointer(settings: Settings) -> str:
    value = _client("ssm").get_parameter(Name=settings.names.live_pointer)["Parameter"]["Value"]
    return str(value or NO_COLOUR)


def _is_running(execution: str) -> bool:
    states = _client("stepfunctions")
    try:
        return bool(states.describe_execution(executionArn=execution)["status"] == "RUNNING")
    except states.exceptions.ExecutionDoesNotExist:
        return False


def _now() -> int:
    return int(time.time() * 1000)


@cache
def _client(service: str) -> Any:
    return boto3.client(service)


@cache
def _table(name: str) -> Any:
    return boto3.resource("dynamodb").Table(name)
