"""`python -m local_cloud faults`, or `python -m local_cloud.personalize faults`: the control API."""

from __future__ import annotations

import argparse
import json
import os
import sys
from fnmatch import fnmatchcase
from typing import Any

from local_cloud.personalize.control_client import ControlClient, ControlError
from local_cloud.personalize.faults import Fault


def add_commands(parser: argparse.ArgumentParser) -> None:
    """inject, list, clear, clock, settings and metrics; the caller says where: `run(parsed, endpoint)`."""
    actions = parser.add_subparsers(title="actions", required=True, metavar="action")
    inject = actions.add_parser("inject", help="let an operation of Personalize fail, wait or get stuck")
    inject.add_argument("operation", help="e.g. CreateCampaign, or a pattern: 'Create*'")
    inject.add_argument("--resource", help="pattern of an ARN or a name in the request (default: any)")
    inject.add_argument("--error", help="e.g. ThrottlingException, AccessDeniedException, InternalFailure")
    inject.add_argument("--message", help="with the error, or the failureReason")
    inject.add_argument("--when", choices=("before", "after"), help="before its effect (default) or after")
    inject.add_argument("--latency", type=float, help="seconds that the answer is held back")
    inject.add_argument("--outcome", choices=("failed", "stuck"), help="of what the operation begins")
    inject.add_argument("--rate", type=float, help="how often, above 0 to 1 (default: always)")
    inject.add_argument("--skip", type=int, help="how many times it lets pass first")
    inject.add_argument("--count", type=int, help="how many times it strikes (default: until cleared)")
    inject.set_defaults(act=_inject)
    actions.add_parser("list", help="the faults at work, and how often each has struck").set_defaults(
        act=_list
    )
    clear = actions.add_parser("clear", help="end one fault, or all; what was stuck goes on")
    clear.add_argument("id", nargs="?", help="as inject and list print it")
    clear.set_defaults(act=_clear)
    clock = actions.add_parser("clock", help="show the clock, put it forward, or change how long things take")
    clock.add_argument("--advance", type=float, metavar="SECONDS")
    clock.add_argument("--time", help='"none", "realistic", a speed like "60x", or seconds per step')
    clock.set_defaults(act=_clock)
    settings = actions.add_parser("settings", help="show or change the settings")
    settings.add_argument("--throttling", choices=("on", "off"), help="beyond a campaign's capacity")
    settings.add_argument("--legacy-recipes", choices=("on", "off"), help="the HRNN recipes of old")
    settings.set_defaults(act=_settings)
    metrics = actions.add_parser("metrics", help="what CloudWatch was told, where there is none")
    metrics.add_argument("name", nargs="?", default="*", help="a pattern, e.g. 'GetRecommendations*'")
    metrics.set_defaults(act=_metrics)


def run(parsed: argparse.Namespace, endpoint: str) -> int:
    """What the user can mend is said in a line."""
    try:
        answer = parsed.act(ControlClient(endpoint), parsed)
    except (ControlError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: nothing answers at {endpoint}: {error}", file=sys.stderr)
        return 1
    try:
        print(json.dumps(answer, indent=2), flush=True)
    except BrokenPipeError:  # As behind `| head`: what has been done is done, and nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _inject(client: ControlClient, parsed: argparse.Namespace) -> Any:
    names = (
        "operation",
        "resource",
        "error",
        "message",
        "when",
        "latency",
        "outcome",
        "rate",
        "skip",
        "count",
    )
    given = {name: value for name in names if (value := getattr(parsed, name)) is not None}
    return {"id": client.inject(Fault.of(given))}


def _list(client: ControlClient, parsed: argparse.Namespace) -> Any:
    return client.faults()


def _clear(client: ControlClient, parsed: argparse.Namespace) -> Any:
    return {"cleared": client.clear(parsed.id)}


def _clock(client: ControlClient, parsed: argparse.Namespace) -> Any:
    change = {name: value for name in ("advance", "time") if (value := getattr(parsed, name)) is not None}
    return client.clock(**change)


def _metrics(client: ControlClient, parsed: argparse.Namespace) -> Any:
    return [metric for metric in client.metrics() if fnmatchcase(metric["name"], parsed.name)]


def _settings(client: ControlClient, parsed: argparse.Namespace) -> Any:
    names = ("throttling", "legacy_recipes")
    change = {name: value == "on" for name in names if (value := getattr(parsed, name)) is not None}
    return client.settings(**change)
