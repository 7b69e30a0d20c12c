"""Deletes the versions of a configuration whose stack is destroyed; see `hosted_versions`."""

from __future__ import annotations

import os
from typing import Any

from personalize_resources.answering import answer, client
from personalize_resources.hosted_versions import HostedVersions


def handle(event: dict[str, Any], context: Any) -> None:
    """One request of the custom resource `Custom::HostedVersions`; answers CloudFormation itself."""
    versions = HostedVersions(aws=client, experiment=os.environ["EXPERIMENT"])
    answer(event, context, lambda memory: versions.step(event, memory))
