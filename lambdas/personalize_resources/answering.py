"""How the functions behind custom resources answer a request, and the clients that they do it with."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from personalize_resources.continuation import Continuation, Step


def answer(event: dict[str, Any], context: Any, step: Step) -> None:
    """Take steps until the request is answered, in this invocation of the function and in those after it."""
    Continuation.of(context, client("lambda")).answer(
        event, step, remaining=context.get_remaining_time_in_millis
    )


@cache
def client(service: str) -> Any:
    # Many custom resources at once meet Personalize's throttling: be patient
    return boto3.client(service, config=Config(retries={"mode": "standard", "total_max_attempts": 10}))
