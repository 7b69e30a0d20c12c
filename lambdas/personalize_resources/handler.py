"""Creates, changes and deletes resources of Amazon Personalize for CloudFormation."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from personalize_resources.continuation import Continuation
from personalize_resources.lifecycle import step


def handle(event: dict[str, Any], context: Any) -> None:
    """One request of a custom resource `Custom::Personalize…`; answers CloudFormation itself."""
    Continuation.of(context, _client("lambda")).answer(
        event,
        lambda memory: step(_client("personalize"), event, memory),
        remaining=context.get_remaining_time_in_millis,
    )


@cache
def _client(service: str) -> Any:
    # Many custom resources at once meet Personalize's throttling: be patient
    return boto3.client(service, config=Config(retries={"mode": "standard", "total_max_attempts": 10}))
