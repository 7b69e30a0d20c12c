"""Operations on dataset export jobs: a dataset's records as CSV, for whoever wants to see them.

Developer guide, "Exporting the training data in a dataset to Amazon S3".
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from local_cloud.personalize.datasets import Dataset, Put
from local_cloud.personalize.errors import already_exists, in_use, invalid, limit_exceeded
from local_cloud.personalize.region import Job, Region
from local_cloud.personalize.store import Resource
from local_cloud.personalize.transfers import check_location, check_role, write_for

MOST_PENDING: Final = 5

Record = Mapping[str, Any]


def create_dataset_export_job(region: Region, request: Mapping[str, Any]) -> dict[str, Any]:
    store, destination = region.store, request["jobOutput"]["s3DataDestination"]["path"]
    check_location(destination)
    check_role(region, request["roleArn"])
    dataset = store.active("Dataset", request["datasetArn"])
    if dataset.members["datasetType"] in ("ACTIONS", "ACTION_INTERACTIONS"):
        raise invalid("The data of an Actions or Action interactions dataset cannot be exported")
    arn = region.arn(f"dataset-export-job/{request['jobName']}")
    if store.peek(arn) is not None:
        raise already_exists(arn)
    pending = [job for job in store.all("DatasetExportJob") if job.is_being_created]
    if busy := [job for job in pending if job.members["datasetArn"] == dataset.arn]:
        raise in_use(f"{dataset.arn} is being exported by {busy[0].arn}")
    if len(pending) >= MOST_PENDING:
        raise limit_exceeded(f"More than {MOST_PENDING} resources with PENDING or IN_PROGRESS status.")
    members = {key: value for key, value in request.items() if key != "tags"}
    region.create(
        "DatasetExportJob",
        arn,
        {"ingestionMode": "PUT", **members, "datasetExportJobArn": arn},
        tags=request.get("tags", ()),
        job=export_job,
    )
    return {"datasetExportJobArn": arn}


def export_job(region: Region, resource: Resource) -> Job:
    """The records as they were when the job began."""
    members = resource.members
    dataset = region.datasets[members["datasetArn"]]
    mode, columns = members["ingestionMode"], dataset.schema.columns
    # Only of ALL is one record for each item or user, the newest
    newest = mode == "ALL" and dataset.schema.dataset_type in ("ITEMS", "USERS")
    bulk = dataset.bulk.table.rows() if dataset.bulk and mode in ("BULK", "ALL") and not newest else ()
    records = list(dataset.records().values() if newest else _streamed(dataset)) if mode != "BULK" else []
    folder = members["jobOutput"]["s3DataDestination"]["path"].rstrip("/")

    def work() -> None:
        more = dict.fromkeys(tuple(_cell(record.get(name)) for name in columns) for record in records)
        content = io.BytesIO()
        text = io.TextIOWrapper(content, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n", escapechar="\\", doublequote=False)
        writer.writerow(columns)
        for row in bulk:
            cells = tuple(map(_cell, row))
            more.pop(cells, None)
            writer.writerow(cells)
        writer.writerows(more)
        text.flush()
        write_for(region, resource, f"{folder}/{members['jobName']}.csv", content.getvalue())

    return Job(work=work)


def _streamed(dataset: Dataset) -> Iterable[Record]:
    id_column = {"ITEMS": "ITEM_ID", "USERS": "USER_ID"}.get(dataset.schema.dataset_type, "")
    for entry in dataset.journal:
        if isinstance(entry, Put):
            yield {id_column: entry.record_id, **entry.values}
    for event in dataset.events.accepted:
        yield dataset.record_of(event)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "|".join(str(part) for part in value)
    return json.dumps(value) if isinstance(value, (bool, dict)) else str(value)
