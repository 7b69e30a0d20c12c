"""Amazon Personalize for one account in one Region: a request in, a response out."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from local_cloud.personalize import (
    attribution,
    automatic_updates,
    batch,
    campaigns,
    dataset_operations,
    deletions,
    events,
    exports,
    filter_operations,
    groups,
    imports,
    measures,
    recommender_operations,
    runtime,
    solutions,
    tags,
    versions,
    wire,
)
from local_cloud.personalize.control import Control
from local_cloud.personalize.errors import Refused, not_here
from local_cloud.personalize.faults import act
from local_cloud.personalize.metrics import LoggedMetrics, MetricLog, Metrics
from local_cloud.personalize.models import error_statuses
from local_cloud.personalize.region import Region, Storage
from local_cloud.personalize.state import StateFolder
from local_cloud.personalize.views import (
    KINDS,
    Operation,
    describe_algorithm,
    describe_feature_transformation,
    describe_of,
    describe_recipe,
    list_metric_attribution_metrics,
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
    "DescribeAlgorithm": describe_algorithm,
    "DescribeFeatureTransformation": describe_feature_transformation,
    "ListRecipes": list_recipes,
    "CreateSchema": groups.create_schema,
    "DeleteSchema": groups.delete_schema,
    "CreateDatasetGroup": groups.create_dataset_group,
    "DeleteDatasetGroup": groups.delete_dataset_group,
    "CreateDataset": dataset_operations.create_dataset,
    "UpdateDataset": dataset_operations.update_dataset,
    "DeleteDataset": dataset_operations.delete_dataset,
    "CreateEventTracker": groups.create_event_tracker,
    "DeleteEventTracker": groups.delete_event_tracker,
    "CreateDatasetImportJob": imports.create_dataset_import_job,
    "CreateDatasetExportJob": exports.create_dataset_export_job,
    "CreateDataDeletionJob": deletions.create_data_deletion_job,
    "CreateSolution": solutions.create_solution,
    "UpdateSolution": solutions.update_solution,
    "DeleteSolution": solutions.delete_solution,
    "CreateSolutionVersion": versions.create_solution_version,
    "StopSolutionVersionCreation": versions.stop_solution_version_creation,
    "GetSolutionMetrics": versions.get_solution_metrics,
    "CreateCampaign": campaigns.create_campaign,
    "UpdateCampaign": campaigns.update_campaign,
    "DeleteCampaign": campaigns.delete_campaign,
    "CreateRecommender": recommender_operations.create_recommender,
    "UpdateRecommender": recommender_operations.update_recommender,
    "StopRecommender": recommender_operations.stop_recommender,
    "StartRecommender": recommender_operations.start_recommender,
    "DeleteRecommender": recommender_operations.delete_recommender,
    "CreateBatchInferenceJob": batch.create_batch_inference_job,
    "CreateFilter": filter_operations.create_filter,
    "DeleteFilter": filter_operations.delete_filter,
    "CreateMetricAttribution": attribution.create_metric_attribution,
    "UpdateMetricAttribution": attribution.update_metric_attribution,
    "DeleteMetricAttribution": attribution.delete_metric_attribution,
    "ListMetricAttributionMetrics": list_metric_attribution_metrics,
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
    :param control: clock, faults and settings, which other accounts and Regions may share.
    :param storage: where jobs read and write.
    :param metrics: where metrics go; a log of its own unless given.
    :param state: a folder to go on from and to write to.
    """

    def __init__(
        self,
        *,
        account: str,
        region: str,
        control: Control,
        storage: Storage,
        metrics: Metrics | None = None,
        partition: str = "aws",
        state: StateFolder | None = None,
    ) -> None:
        self._control = control
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix=f"personalize-{region}")
        self.region = Region(
            account=account,
            name=region,
            control=control,
            storage=storage,
            metrics=metrics or LoggedMetrics(MetricLog(), region),
            workers=self._workers,
            partition=partition,
        )
        self.region.store.due = self._due
        self.region.store.ended = lambda resource: measures.of_job_end(self.region, resource)
        self._state = state
        if state is not None:
            with self.region.store.turn():
                state.restore(self.region)

    def _due(self) -> None:
        """What the clock, and not a request, begins."""
        versions.train_by_the_clock(self.region)
        campaigns.follow_latest(self.region)
        recommender_operations.retrain_by_the_clock(self.region)
        automatic_updates.update_by_the_clock(self.region)

    def answer(self, *, path: str, headers: Mapping[str, str], body: bytes) -> wire.Response:
        """
        :param headers: with names in lower case.
        """
        began = time.perf_counter()
        try:
            address = wire.address_of(path, headers)
        except Refused as error:
            _log.info("%s: %s: %s", path, error.code, error.message)
            return wire.refusal(None, error)
        request: Mapping[str, Any] = {}
        answer = None
        try:
            request = wire.read(address, body)
            answer = self._run(address.operation, request)
            response = wire.answer(address, answer)
        except Refused as error:
            modelled = error.as_modelled(frozenset(error_statuses(*address)))
            _log.info("%s: %s: %s", address.operation, modelled.code, modelled.message)
            response = wire.refusal(address, modelled)
        except Exception:
            _log.exception("%s failed", address.operation)
            failure = Refused("InternalFailure", "Internal error: see the log", status=500)
            response = wire.refusal(address, failure)
        took = time.perf_counter() - began
        call = measures.Call(address.operation, request, answer, response.status, took)
        measures.of_call(self.region, call)
        return response

    def _run(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        struck = self._control.faults.of_request(operation, request)
        act(struck, "before")
        answer = self._answer(operation, request)
        act(struck, "after")
        return answer

    def _answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation in DATA_PLANE:
            answer = DATA_PLANE[operation](self.region, request)
            if operation.startswith("Put"):
                with self.region.store.turn():
                    self._keep()
            return answer
        if operation not in CONTROL_PLANE:
            raise not_here(operation)
        with self.region.store.turn():
            answer = CONTROL_PLANE[operation](self.region, request)
            self._keep()
            return answer

    def _keep(self) -> None:
        if self._state is not None:
            self._state.keep(self.region)

    def close(self) -> None:
        self._workers.shutdown(cancel_futures=True)
