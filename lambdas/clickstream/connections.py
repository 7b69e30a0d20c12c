"""How functions of the clickstream reach what they talk to."""

from __future__ import annotations

import os
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache
from typing import Any, Final

import boto3
from botocore.config import Config

from clickstream.open_colours import OpenColours
from vocabulary.colours import COLOURS, Colour

PROMPT: Final = Config(
    connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 3, "mode": "standard"}
)
"""For what answers in milliseconds or not at all."""

_CALLS_AT_ONCE: Final = 8
"""For each colour; a batch of 100 sessions then takes a dozen round trips' time rather than a hundred's."""


def events_client() -> Any:
    """PutEvents, one attempt a call: `Sender` tries again, as long as there is time."""
    once = Config(
        connect_timeout=1,
        read_timeout=3,
        retries={"total_max_attempts": 1},
        max_pool_connections=len(COLOURS) * _CALLS_AT_ONCE,
    )
    return boto3.client("personalize-events", config=once)


def open_colours() -> OpenColours:
    """What the coordination table says."""
    return OpenColours(
        boto3.resource("dynamodb", config=PROMPT).Table(os.environ["COORDINATION_TABLE"]),
        cache_seconds=float(os.environ["FORWARDER_CACHE_SECONDS"]),
        now=time.time,
    )


@cache
def pool_of(colour: Colour) -> Executor:
    """The threads that call for a colour."""
    return ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix=colour)
