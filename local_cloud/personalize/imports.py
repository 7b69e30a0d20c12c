"""Operations on dataset import jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_cloud.personalize.csv_import import read_rows
from local_cloud.personalize.datasets import Bulk
from local_cloud.personalize.errors import already_exists, in_use, invalid, limit_exceeded
from local_cloud.personalize.region import Job, Region
from local_cloud.personalize.store import Resource
from local_cloud.personalize.transfers import check_location, check_role, read_for

MOST_PENDING = 5


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

    def work() -> Bulk:
        objects = read_for(region, resource, members["dataSource"]["dataLocation"])
        rows = read_rows(objects, dataset.schema)
        if before is not None:
            rows = list(dict.fromkeys([*before.rows, *rows]))
        return Bulk(dataset.schema, rows)

    return Job(work=work, finish=dataset.load)


def _check_pending(region: Region, dataset_arn: str) -> None:
    pending = [job for job in region.store.all("DatasetImportJob") if job.is_being_created]
    for job in pending:
        if job.members["datasetArn"] == dataset_arn:
            raise in_use(f"{dataset_arn} is being imported into by {job.arn}")
    if len(pending) >= MOST_PENDING:
        raise limit_exceeded(f"More than {MOST_PENDING} resources with PENDING or IN_PROGRESS status.")
