"""Begins and ends a run: the lock, the plan, the age of the live model."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from retraining.plan import plan
from retraining.run_lock import LockHeldError, RunLock
from retraining.settings import Settings
from vocabulary.colours import COLOURS, NO_COLOUR, Colour, colour_of, live_colour_of
from vocabulary.coordination import TABLE_KEY, OpenColour, open_colour_key
from vocabulary.metrics import emit


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
            if "started" in event:
                _report_duration(settings, started=event["started"])
            return {}
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


def _report_duration(settings: Settings, *, started: int) -> None:
    emit({"environment": settings.names.environment}, {}, {"RetrainingDuration": _now() - started})


def _report_what_is_there(settings: Settings, table: Any, live: Colour | None) -> None:
    """Say every hour how old the live model is, whether there is none, how long a dormant colour is open."""
    environment = {"environment": settings.names.environment}
    emit(environment, {"NothingLive": int(live is None)})
    for colour in COLOURS:
        item = table.get_item(Key={TABLE_KEY: open_colour_key(colour)}).get("Item")
        if item is None:
            continue
        age = _now() - OpenColour.from_item(item).cutoff
        if colour == live:
            emit(environment, {}, {"ModelAge": age})
        else:
            emit(environment, {}, {"DormantColourAge": age})


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
