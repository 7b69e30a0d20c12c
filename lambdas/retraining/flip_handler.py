"""The steps of the flip, and those that undo or repair it; see `live_colour` and `proving`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

import boto3

from retraining.live_colour import LiveColour
from retraining.proving import Proof
from retraining.reports import Reports
from retraining.rollback import roll_back
from retraining.run_lock import RunLock
from retraining.sampling import NothingToSample, sample, sample_of_strangers
from retraining.settings import Settings
from vocabulary.colours import NO_COLOUR, Colour, colour_of, live_colour_of
from vocabulary.coordination import TABLE_KEY, OpenColour, open_colour_key

_LOG = logging.getLogger(__name__)
_LOG.setLevel(logging.INFO)


class AlarmDuringBake(Exception):
    """An alarm of the new colour rang while the old one was still there; the flip was taken back."""


class FlipTakenBack(Exception):
    """Somebody has moved the pointer back to the old colour while the new one was on trial."""


class WayBackNeeded(Exception):
    """An alarm of the live colour rings, and what was to be torn down is the last good colour."""


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer an action: `ask`, `prove`, `share`, `move`, `watch`, `keep`, `recover`, `reconcile`, `spare`
    or `roll-back`.
    """
    settings = Settings.from_environ(os.environ)
    live = LiveColour.of(settings, _client)
    reports = Reports(_client("s3"), settings.training_bucket)
    match event.get("action", "reconcile"):  # EventBridge sends its own event, which has no action
        case "ask":
            _proof(settings, reports, event["run_id"]).ask_campaigns(colour_of(event["colour"]))
            return {}
        case "prove":
            proof = _proof(settings, reports, event["run_id"])
            return prove(live, proof, colour_of(event["colour"]))
        case "share":
            live.share(event["version"], event["weight"], guard=_guard(settings, event))
            return {}
        case "move":
            live.move(colour_of(event["colour"]), event["version"], guard=_guard(settings, event))
            placements = _of_run(settings, reports, event["run_id"]).placement_names
            reports.publish_popular(event["run_id"], placements)
            return {}
        case "watch":
            return _watch(settings, live, event)
        case "keep":
            _recover(settings, live)
            require_pointer(live, event["colour"])
            reports.keep(event["run_id"])
            reports.forget_popular_except(settings.placement_names)
            return {}
        case "recover":
            recovered = _recover(settings, live)
            _LOG.info("recovered: %s", recovered or "nothing to recover")
            return {"repaired": recovered}
        case "reconcile":
            recovered = _recover(settings, live)
            repaired = "; ".join(each for each in (recovered, live.reconcile()) if each) or None
            _LOG.info("reconciled: %s", repaired or "nothing to repair")
            return {"repaired": repaired}
        case "spare":
            _spare_way_back(settings, live, reports, colour_of(event["colour"]))
            return {}
        case "roll-back":
            return roll_back(
                live,
                lambda run_id: _proof_of_old(settings, reports, run_id),
                reports,
                takes_events=partial(_takes_events, settings),
                apply=event["apply"] is True,
            )
        case action:
            raise ValueError(
                "action must be ask, prove, share, move, watch, keep, recover, reconcile, spare or "
                f"roll-back, got {action!r}"
            )


def prove(live: LiveColour, proof: Proof, colour: Colour) -> dict[str, Any]:
    """Publish a version for the colour and have it answer; traffic stays where it is.

    :raises HeartbeatFailed: naming placement, check, figure and limit.
    """
    before = live.version()
    version = live.prepare(colour)
    proof.ask_version(live, version, colour)
    return {"version": version, "previous_version": before}


def _recover(settings: Settings, live: LiveColour) -> str | None:
    """Also in the middle of a trial: a deploy that resets the pointer is not on-call going back."""
    return live.recover_pointer(takes_events=partial(_takes_events, settings))


def require_pointer(live: LiveColour, colour: str) -> None:
    """
    :raises FlipTakenBack: unless the pointer names the colour.
    """
    if (pointed := live.pointed() or NO_COLOUR) != colour:
        raise FlipTakenBack(f"the pointer says {pointed}, not {colour}: somebody went back")


def _proof(settings: Settings, reports: Reports, run_id: str) -> Proof:
    drawn = sample(_client("s3"), settings.training_bucket, run_id, users=settings.heartbeat_gate.known_users)
    return Proof(_of_run(settings, reports, run_id), _client, reports, run_id, drawn)


def _proof_of_old(settings: Settings, reports: Reports, run_id: str) -> Proof:
    """As `_proof`; by strangers and popular items where an erasure has deleted the training data."""
    try:
        return _proof(settings, reports, run_id)
    except NothingToSample:
        of_run = _of_run(settings, reports, run_id)
        items = reports.popular(run_id, of_run.placement_names[0])
        return Proof(of_run, _client, reports, run_id, sample_of_strangers(run_id, items))


def _of_run(settings: Settings, reports: Reports, run_id: str) -> Settings:
    """Without the placements that a deploy has brought since: the next run trains them, not this one."""
    trained = (reports.of(run_id) or {}).get("metrics") or {}
    placements = tuple(each for each in settings.placements if each.name in trained)
    return replace(settings, placements=placements or settings.placements)


def _watch(settings: Settings, live: LiveColour, event: dict[str, Any]) -> dict[str, Any]:
    """Look at the alarms of the new colour; if one rings, take the flip back and say which.

    `expected` is the colour that the pointer names as long as nobody has moved it.
    """
    _recover(settings, live)
    require_pointer(live, event["expected"])
    if ringing := _ringing(settings, colour_of(event["colour"])):
        live.restore(
            live_colour_of(event["previous"]), event["previous_version"], guard=_guard(settings, event)
        )
        raise AlarmDuringBake(f"{', '.join(ringing)} rang; {event['previous']} is live again")
    return {"quiet": True}


def _spare_way_back(settings: Settings, live: LiveColour, reports: Reports, colour: Colour) -> None:
    """Stop the clearing before it tears down the last good colour, if the live one is in trouble.

    So it is when a flip had to be taken back and could not be: the pointer still names the new colour, which
    makes the good one the dormant one.

    :raises WayBackNeeded: naming the alarms.
    """
    pointed, good, opened = live.pointed(), reports.last_good(), _opened(settings, colour)
    if pointed in (None, colour) or good is None or opened is None or opened.run_id != good["run_id"]:
        return
    if ringing := _ringing(settings, pointed):
        raise WayBackNeeded(f"{', '.join(ringing)} rings for {pointed}, and {colour} is the way back")


def _ringing(settings: Settings, colour: Colour) -> list[str]:
    """The names of the colour's own alarms that are on."""
    names = settings.bake_alarms[colour]
    alarms = _client("cloudwatch").describe_alarms(AlarmNames=names, StateValue="ALARM") if names else {}
    return sorted(alarm["AlarmName"] for alarm in alarms.get("MetricAlarms", ()))


def _guard(settings: Settings, event: dict[str, Any]) -> Callable[[], None]:
    """Lets traffic be moved for as long as the run that wants it holds the lock."""
    lock = RunLock(_table(settings.coordination_table))
    return lambda: lock.require(event["execution"])


def _takes_events(settings: Settings, colour: Colour) -> bool:
    return _opened(settings, colour) is not None


def _opened(settings: Settings, colour: Colour) -> OpenColour | None:
    """What is known of a colour that takes events; None of one that does not."""
    answer = _table(settings.coordination_table).get_item(
        Key={TABLE_KEY: open_colour_key(colour)}, ConsistentRead=True
    )
    return OpenColour.from_item(answer["Item"]) if "Item" in answer else None


@cache
def _table(name: str) -> Any:
    return boto3.resource("dynamodb").Table(name)


@cache
def _client(service: str) -> Any:
    return boto3.client(service)
