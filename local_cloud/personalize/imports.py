"""Operations on dataset import jobs."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any, BinaryIO, Final, NamedTuple

from local_cloud.personalize import attribution_metrics, attribution_reports
from local_cloud.personalize.attribution_results import Attribution, Result
from local_cloud.personalize.csv_import import read_table
from local_cloud.personalize.datasets import Bulk
from local_cloud.personalize.errors import already_exists, in_use, invalid, limit_exceeded
from local_cloud.personalize.lifecycle import Failed
from local_cloud.personalize.region import Job, Region
from local_cloud.personalize.store import Resource
from local_cloud.personalize.transfers import check_location, check_role, read_for

MOST_PENDING = 5
MOST_BYTES: Final = {"FULL": 100 * 1024**3, "INCREMENTAL": 1024**3}
"""Of all files together: developer guide, "Amazon Personalize endpoints and quotas"."""


def create_dataset_import_job(region: Region, request: Mapping[str, Any]) -> dict[str, Any]:
    """Read CSV on another thread; the data count once the job is ACTIVE."""
    dataset_arn, role_arn = request["datasetArn"], request.get("roleArn")
    check_location(request["dataSource"].get("dataLocation", ""))
    check_role(region, role_arn)
    region.store.active("Dataset", dataset_arn)
    arn = region.arn(f"dataset-import-job/{request['jobName']}")
    if region.store.peek(arn) is not None:
        raise already_exists(arn)
    if request.get("importMode") == "INCREMENTAL" and region.datasets[dataset_arn].bulk is None:
        raise invalid(f"The first import into {dataset_arn} must be FULL, got INCREMENTAL")
    _check_pending(region, dataset_arn)
    members = {key: value for key, value in request.items() if key != "tags"}
    region.create(
        "DatasetImportJob",
        arn,
        {"importMode": "FULL", **members, "datasetImportJobArn": arn},
        tags=request.get("tags", ()),
        job=import_job,
    )
    return {"datasetImportJobArn": arn}


def import_job(region: Region, resource: Resource) -> Job:
    """Read and check; a full import replaces what was imported before, what was streamed stays."""
    members = resource.members
    dataset = region.datasets[members["datasetArn"]]
    before = dataset.bulk if members["importMode"] == "INCREMENTAL" else None
    attribution = _attribution(region, resource)

    def work() -> _Read:
        files = _Files(members["importMode"])
        with closing(read_for(region, resource, members["dataSource"]["dataLocation"])) as objects:
            table = read_table(files.within_limits(objects), dataset.schema)
        results: list[Result] = []
        if attribution is not None:
            results = attribution.results(table)
            attribution_reports.publish(region, resource, attribution, results)
        if before is not None:
            table = before.table.joined(table).distinct()
        return _Read(Bulk(dataset.schema, table), files.size, results)

    def finish(read: _Read) -> None:
        dataset.load(read.bulk)
        members["bytes"] = read.size
        if attribution is not None and before is not None:
            attribution_metrics.tell(region, attribution, read.results)

    return Job(work=work, finish=finish)


def _attribution(region: Region, resource: Resource) -> Attribution | None:
    """What the import's interactions count for, if for anything."""
    members = resource.members
    dataset = region.store.get("Dataset", members["datasetArn"]).members
    told = members["importMode"] == "INCREMENTAL" or members.get("publishAttributionMetricsToS3")
    if dataset["datasetType"] != "INTERACTIONS" or not told:
        return None
    return Attribution.of_group(region, dataset["datasetGroupArn"])


class _Read(NamedTuple):
    """
    :param size: of the files, in bytes.
    """

    bulk: Bulk
    size: int
    results: list[Result]


class _Files:
    """
    :ivar size: of those read so far, in bytes.
    """

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self.size = 0

    def within_limits(self, objects: Iterable[tuple[str, BinaryIO]]) -> Iterator[tuple[str, BinaryIO]]:
        """
        :raises Failed: for more bytes than an import of this mode may have.
        """
        most = MOST_BYTES[self._mode]
        for key, content in objects:
            self.size += content.seek(0, io.SEEK_END)
            content.seek(0)
            if self.size > most:
                raise Failed(f"The data of an import of mode {self._mode} have at most {most:,} bytes.")
            yield key, content


def _check_pending(region: Region, dataset_arn: str) -> None:
    pending = [job for job in region.store.all("DatasetImportJob") if job.is_being_created]
    for job in pending:
        if job.members["datasetArn"] == dataset_arn:
            raise in_use(f"{dataset_arn} is being imported into by {job.arn}")
    if len(pending) >= MOST_PENDING:
        raise limit_exceeded(f"More than {MOST_PENDING} resources with PENDING or IN_PROGRESS status.")
