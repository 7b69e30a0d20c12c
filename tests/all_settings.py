"""The environments, and one that has all that a setting may add to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import aws_cdk as cdk

from stacks.environment import DEV, ENVIRONMENTS, Environment
from vocabulary.drops import Drop
from vocabulary.placements import Placement

_PLACEMENTS: Final = (Placement(name="recommended-for-you", min_provisioned_tps=2),)

EVERYTHING: Final = replace(
    DEV,
    placements=_PLACEMENTS,
    drops=tuple(Drop(placement=each.name, starts="FRI 09:00", hours=2, tps=400) for each in _PLACEMENTS),
    training_engine="glue",
    poll=cdk.Duration.minutes(1),
    canary=cdk.Duration.minutes(5),
    reserved_concurrency=100,
    allowed_origins=("https://shop.example",),
    requests_per_address=150_000,
    stream_shards=2,
    keep_events_days=400,
    recover_days=14,
    on_call_email="on-call@example.com",
    on_call_endpoint="https://events.example.com/integration/1/enqueue",
    notices_email="team@example.com",
)
"""Save `provisioned_concurrency`, which a canary excludes and PROD has."""

DEPLOYMENTS: Final[tuple[Environment, ...]] = (*ENVIRONMENTS.values(), EVERYTHING)
