"""Deletes the versions of a configuration whose stack is destroyed; see `hosted_versions`."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from personalize_resources.continuation import Continuation
from personalize_resources.hosted_versions import HostedVersions


def handle(event: dict[str, Any], context: Any) -> None:
    """One request of the custom resource `Custom::HostedVersions`; answers CloudFormation itself."""
    versions = HostedVersions(aws=_client, experiment=os.environ["EXPERIMENT"])
    Continuation.of(context, _client("lambda")).answer(
        event,
        lambda memory: versions.step(event, memory),
        remaining=context.get_remaining_time_in_millis,
    )


@cache
def _client(service: str) -> Any:
    return boto3.client(service, config=Config(retries={"mode": "standard", "total_max_attempts": 10}))
