"""Operations on dataset import jobs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from local_cloud.personalize.csv_import import read_rows
from local_cloud.personalize.datasets import Bulk
from local_cloud.personalize.errors import Refused, already_exists, in_use, invalid, limit_exceeded
from local_cloud.personalize.lifecycle import Failed
from local_cloud.personalize.region import AccessRefused, Region

MOST_PENDING = 5

_NO_ACCESS = "Insufficient privileges for accessing data in Amazon S3."
_LOCATION = re.compile(r"s3://[^/]+(/.*)?")


def create_dataset_import_job(region: Region, request: Mapping[str, Any]) -> dict[str, Any]:
    """Read CSV on another thread; the data count once the job is ACTIVE."""
    dataset_arn, role_arn = request["datasetArn"], request.get("roleArn")
    location = request["dataSource"].get("dataLocation", "")
    if not _LOCATION.fullmatch(location):
        raise invalid("Invalid Data location.")
    if role_arn is not None and role_arn.split(":")[4] != region.account:
        raise Refused("AccessDeniedException", "Cross-account pass role is not allowed.")
    region.store.active("Dataset", dataset_arn)
    arn = region.arn(f"dataset-import-job/{request['jobName']}")
    if region.store.peek(arn) is not None:
        raise already_exists(arn)
    dataset = region.datasets[dataset_arn]
    incremental = request.get("importMode") == "INCREMENTAL"
    before = dataset.bulk
    if incremental and before is None:
        raise invalid(f"The first import into {dataset_arn} must be FULL, got INCREMENTAL")
    _check_pending(region, dataset_arn)

    def work() -> Bulk:
        try:
            if role_arn is None:
                raise AccessRefused
            objects = region.storage.read(location, role_arn=role_arn, job_arn=arn)
        except AccessRefused:
            raise Failed(_NO_ACCESS) from None
        rows = read_rows(objects, dataset.schema)
        if incremental and before is not None:
            rows = list(dict.fromkeys([*before.rows, *rows]))
        return Bulk(dataset.schema, rows)

    def finish(bulk: Bulk) -> None:
        """A full import replaces what was imported before; what was streamed stays."""
        dataset.bulk = bulk

    members = {key: value for key, value in request.items() if key != "tags"}
    region.create(
        "DatasetImportJob",
        arn,
        {"importMode": "FULL", **members, "datasetImportJobArn": arn},
        tags=request.get("tags", ()),
        work=work,
        finish=finish,
    )
    return {"datasetImportJobArn": arn}


def _check_pending(region: Region, dataset_arn: str) -> None:
    pending = [job for job in region.store.all("DatasetImportJob") if job.is_being_created]
    for job in pending:
        if job.members["datasetArn"] == dataset_arn:
            raise in_use(f"{dataset_arn} is being imported into by {job.arn}")
    if len(pending) >= MOST_PENDING:
        raise limit_exceeded(f"More than {MOST_PENDING} resources with PENDING or IN_PROGRESS status.")
