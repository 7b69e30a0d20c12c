from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from local_cloud.personalize.control import Control
from local_cloud.personalize.lifecycle import Clock
from local_cloud.personalize.service import Personalize
from tests.local_cloud.personalize.harness import (
    ACCOUNT,
    Bucket,
    Cloud,
    Shop,
    interactions_csv,
    items_csv,
)
from vocabulary.schemas import ITEMS_SCHEMA


@pytest.fixture
def cloud_of() -> Iterator[Callable[..., Cloud]]:
    made: list[Cloud] = []

    def make(clock: Clock | None = None) -> Cloud:
        bucket, control = Bucket(), Control(clock=clock or Clock())
        service = Personalize(account=ACCOUNT, region="us-east-1", control=control, storage=bucket)
        made.append(Cloud(service=service, shared=control, bucket=bucket))
        return made[-1]

    yield make
    for cloud in made:
        cloud.shared.faults.clear()
        cloud.service.close()


@pytest.fixture
def here(cloud_of: Callable[..., Cloud]) -> Cloud:
    return cloud_of()


@pytest.fixture
def shop(here: Cloud) -> Shop:
    schema, group = here.schema(), here.group()
    interactions = here.dataset(group, schema)
    items = here.dataset(group, here.schema(ITEMS_SCHEMA, "items"), "Items")
    assert here.imported(interactions, interactions_csv(), "first")["status"] == "ACTIVE"
    assert here.imported(items, items_csv(), "catalogue")["status"] == "ACTIVE"
    tracker, tracking_id = here.tracker(group)
    solution = here.solution(group)
    version = here.version(solution)
    assert version["status"] == "ACTIVE", version
    campaign = here.campaign(version["solutionVersionArn"])
    return Shop(
        group=group,
        schema=schema,
        interactions=interactions,
        items=items,
        tracker=tracker,
        tracking_id=tracking_id,
        solution=solution,
        version=version["solutionVersionArn"],
        campaign=campaign,
    )
