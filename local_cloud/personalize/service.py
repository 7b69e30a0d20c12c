"""Amazon Personalize for one account in one Region: a request in, a response out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from local_cloud.personalize import campaigns, events, groups, imports, runtime, solutions, tags, wire
from local_cloud.personalize.errors import Refused, not_here
from local_cloud.personalize.lifecycle import Clock
from local_cloud.personalize.models import error_statuses
from local_cloud.personalize.region import Region, Storage
from local_cloud.personalize.views import (
    KINDS,
    Operation,
    describe_of,
    describe_recipe,
    list_of,
    list_recipes,
)

_WORKERS: Final = 2
"""Imports and trainings at a time."""

_log = logging.getLogger(__name__)

CONTROL_PLANE: Final[Mapping[str, Operation]] = {
    **{f"Describe{kind}": describe_of(kind) for kind in KINDS},
    **{f"List{kind}s": list_of(kind) for kind in KINDS},
    "DescribeRecipe": describe_recipe,
    "ListRecipes": list_recipes,
    "CreateSchema": groups.create_schema,
    "DeleteSchema": groups.delete_schema,
    "CreateDatasetGroup": groups.create_dataset_group,
    "DeleteDatasetGroup": groups.delete_dataset_group,
    "CreateDataset": groups.create_dataset,
    "DeleteDataset": groups.delete_dataset,
    "CreateEventTracker": groups.create_event_tracker,
    "DeleteEventTracker": groups.delete_event_tracker,
    "CreateDatasetImportJob": imports.create_dataset_import_job,
    "CreateSolution": solutions.create_solution,
    "DeleteSolution": solutions.delete_solution,
    "CreateSolutionVersion": solutions.create_solution_version,
    "StopSolutionVersionCreation": solutions.stop_solution_version_creation,
    "GetSolutionMetrics": solutions.get_solution_metrics,
    "CreateCampaign": campaigns.create_campaign,
    "UpdateCampaign": campaigns.update_campaign,
    "DeleteCampaign": campaigns.delete_campaign,
    "CreateFilter": campaigns.create_filter,
    "DeleteFilter": campaigns.delete_filter,
    "ListTagsForResource": tags.list_tags_for_resource,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
}
"""Each is one turn at the store."""

DATA_PLANE: Final[Mapping[str, Operation]] = {
    "GetRecommendations": runtime.get_recommendations,
    "GetPersonalizedRanking": runtime.get_personalized_ranking,
    "PutEvents": events.put_events,
    "PutItems": events.put_items,
    "PutUsers": events.put_users,
}
"""These hold the store only as long as they must."""


class Personalize:
    """
    :param account: 12 digits.
    :param storage: where import jobs read.
    """

    def __init__(
        self, *, account: str, region: str, clock: Clock, storage: Storage, partition: str = "aws"
    ) -> None:
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix=f"personalize-{region}")
        self.region = Region(
            account=account,
            name=region,
            clock=clock,
            storage=storage,
            workers=self._workers,
            partition=partition,
        )

    def answer(self, *, path: str, headers: Mapping[str, str], body: bytes) -> wire.Response:
        """
        :param headers: with names in lower case.
        """
        address = None
        try:
            address = wire.address_of(path, headers)
            return wire.answer(address, self._run(address, body))
        except Refused as error:
            modelled = error.as_modelled(frozenset(error_statuses(*address))) if address else error
            _log.info("%s: %s: %s", address.operation if address else path, modelled.code, modelled.message)
            return wire.refusal(address, modelled)

    def _run(self, address: wire.Address, body: bytes) -> dict[str, object]:
        request = wire.read(address, body)
        if address.operation in DATA_PLANE:
            return DATA_PLANE[address.operation](self.region, request)
        if address.operation not in CONTROL_PLANE:
            raise not_here(address.operation)
        with self.region.store.turn():
            return CONTROL_PLANE[address.operation](self.region, request)

    def close(self) -> None:
        self._workers.shutdown(cancel_futures=True)
