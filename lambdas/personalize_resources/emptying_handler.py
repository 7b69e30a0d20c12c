"""Empties the buckets of a stack that is destroyed; see `emptying`."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from personalize_resources.continuation import Continuation
from personalize_resources.emptying import Emptying


def handle(event: dict[str, Any], context: Any) -> None:
    """One request of the custom resource `Custom::BucketEmptying`; answers CloudFormation itself."""
    emptying = Emptying(aws=_client, buckets=os.environ["BUCKETS"].split(","))
    Continuation.of(context, _client("lambda")).answer(
        event,
        lambda memory: emptying.step(event, memory),
        remaining=context.get_remaining_time_in_millis,
    )


@cache
def _client(service: str) -> Any:
    return boto3.client(service, config=Config(retries={"mode": "standard", "total_max_attempts": 10}))
