"""Empties the buckets of a stack that is destroyed; see `emptying`."""

from __future__ import annotations

import os
from typing import Any

from personalize_resources.answering import answer, client
from personalize_resources.emptying import Emptying


def handle(event: dict[str, Any], context: Any) -> None:
    """One request of the custom resource `Custom::BucketEmptying`; answers CloudFormation itself."""
    emptying = Emptying(aws=client, buckets=os.environ["BUCKETS"].split(","))
    answer(event, context, lambda memory: emptying.step(event, memory))
