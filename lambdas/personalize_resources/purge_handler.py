"""Clears a deployment out of Amazon Personalize when its stack is destroyed; see `purging`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3

from personalize_resources.answering import answer, client
from personalize_resources.purging import Deployment
from vocabulary.colours import Names


def handle(event: dict[str, Any], context: Any) -> None:
    """One request of the custom resource `Custom::Purge`; answers CloudFormation itself."""
    answer(event, context, lambda memory: _deployment(os.environ).step(event, memory))


def _deployment(environ: Mapping[str, str]) -> Deployment:
    return Deployment(
        aws=client,
        table=_table(environ["COORDINATION_TABLE"]),
        names=Names(environ["APP"], environ["ENVIRONMENT"]),
        partition=environ["PARTITION"],
        region=environ["AWS_REGION"],
        account=environ["ACCOUNT"],
        state_machines=tuple(environ["STATE_MACHINES"].split(",")),
        schedules=tuple(environ["SCHEDULES"].split(",")),
    )


@cache
def _table(name: str) -> Any:
    return boto3.resource("dynamodb").Table(name)
