"""Tears a colour down, a step at a time, and never one that is in use."""

from __future__ import annotations

import os
from datetime import timedelta
from functools import cache
from typing import Any

import boto3

from personalize_resources.retirement import retire_step, sweep_schemas
from retraining.live_colour import LiveColour
from retraining.projection import close_colour
from retraining.settings import Settings
from vocabulary.colours import live_colour_of
from vocabulary.schemas import ExtraColumns, schema_name, schemas

_A_DEPLOY = timedelta(hours=1)
"""A younger schema may be that of a deploy under way, which this code is too old to know of."""


class ColourInUse(Exception):
    """The alias or the pointer names the colour; nothing of it was touched from here on."""


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """One step of retiring `colour`; answers whether it is gone, and otherwise what is being waited for.

    With `only_ask` nothing is touched: it answers, or raises ColourInUse.
    """
    settings = Settings.from_environ(os.environ)
    colour = live_colour_of(event["colour"])
    if colour is None:  # before the first training there is no old colour
        return {"gone": True, "waiting_for": []}
    live = LiveColour.of(settings, _client)

    def guard() -> None:
        if colour in live.in_use():
            raise ColourInUse(
                f"{colour} is in use: the pointer says {live.pointed()}, the alias serves {live.served()}"
            )

    if not event.get("only_ask") and colour in live.in_use() - live.named():
        # An alias with provisioned concurrency leaves its traffic with the version that it had until the new
        # one's containers are ready (hashicorp/terraform-provider-aws#48116)
        return {"gone": False, "waiting_for": ["the alias, which still sends it traffic"]}
    guard()
    if event.get("only_ask"):
        return {"gone": False, "waiting_for": []}
    table = _table(settings.coordination_table)
    closed = close_colour(table, colour)
    try:
        guard()
    except ColourInUse:  # somebody went back to it since the look before
        if closed is not None:
            table.put_item(Item=closed.to_item())
        raise
    step = retire_step(
        _client("personalize"),
        settings.names,
        colour,
        partition=settings.partition,
        region=settings.region,
        account=settings.account,
        guard=guard,
    )
    if step.gone:
        extra = ExtraColumns.from_json(os.environ.get("EXTRA_COLUMNS", "{}"))
        current = {schema_name(settings.names.prefix, kind, text) for kind, text in schemas(extra).items()}
        sweep_schemas(_client("personalize"), settings.names.prefix, keep=current, older_than=_A_DEPLOY)
    return {"gone": step.gone, "waiting_for": list(step.waiting_for)}


@cache
def _client(service: str) -> Any:
    return boto3.client(service)


@cache
def _table(name: str) -> Any:
    return boto3.resource("dynamodb").Table(name)
