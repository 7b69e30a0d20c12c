"""Operations on data deletion jobs: users and their data leave datasets and models.

Developer guide, "Deleting users and their data with a data deletion job".
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, BinaryIO, Final

from local_cloud.personalize.automatic_updates import restore_items
from local_cloud.personalize.errors import already_exists, in_use, invalid, limit_exceeded
from local_cloud.personalize.lifecycle import Failed
from local_cloud.personalize.recommenders import Model
from local_cloud.personalize.region import Job, Region
from local_cloud.personalize.store import Resource
from local_cloud.personalize.training import TrainingRun, fit, without
from local_cloud.personalize.transfers import check_location, check_role, read_for

MOST_PENDING: Final = 5
"""Of one dataset group."""

MOST_BYTES: Final = 100 * 1024**2

Forgotten = tuple[frozenset[str], dict[str, tuple[TrainingRun, Model]]]


def create_data_deletion_job(region: Region, request: Mapping[str, Any]) -> dict[str, Any]:
    store = region.store
    check_location(request["dataSource"].get("dataLocation", ""))
    check_role(region, request["roleArn"])
    group = store.get("DatasetGroup", request["datasetGroupArn"])
    if not group.is_active:
        raise in_use(f"{group.arn} must be ACTIVE for this, its status is {group.status}")
    if not store.all("Dataset", datasetGroupArn=group.arn):
        raise invalid(f"{group.arn} has no dataset to delete users from")
    arn = region.arn(f"data-deletion-job/{request['jobName']}")
    if store.peek(arn) is not None:
        raise already_exists(arn)
    jobs = store.all("DataDeletionJob", datasetGroupArn=group.arn)
    if sum(job.is_being_created for job in jobs) >= MOST_PENDING:
        raise limit_exceeded(f"More than {MOST_PENDING} resources with PENDING or IN_PROGRESS status.")
    members = {key: value for key, value in request.items() if key != "tags"}
    region.create(
        "DataDeletionJob",
        arn,
        {**members, "dataDeletionJobArn": arn},
        tags=request.get("tags", ()),
        job=deletion_job,
    )
    return {"dataDeletionJobArn": arn}


def deletion_job(region: Region, resource: Resource) -> Job:
    """Models are trained again as if the users had never been there."""
    members = resource.members
    group = members["datasetGroupArn"]
    runs = {each.arn: region.trained[each.arn].run for each in region.learned(group)}

    def work() -> Forgotten:
        objects = read_for(region, resource, members["dataSource"]["dataLocation"], recursive=True)
        user_ids = frozenset(_user_ids(objects))
        left = {arn: without(run, user_ids) for arn, run in runs.items()}
        for arn, run in left.items():
            if not len(run.imported) + len(run.streamed):
                raise Failed(f"Without these users there is nothing left that {arn} was trained on.")
        return user_ids, {arn: (run, fit(run)) for arn, run in left.items()}

    def finish(forgotten: Forgotten) -> None:
        user_ids, models = forgotten
        members["numDeleted"] = len(user_ids)
        for dataset in region.store.all("Dataset", datasetGroupArn=group):
            region.datasets[dataset.arn].forget(user_ids)
        interactions = region.dataset(group, "INTERACTIONS")
        for resource in region.learned(group):
            if resource.arn not in models:
                continue
            run, model = models[resource.arn]
            trained = region.trained[resource.arn] = replace(
                region.trained[resource.arn], run=run, model=model
            )
            restore_items(region, resource)
            for touch in interactions.events.told_after(trained.heard) if interactions else ():
                model.record(touch.user_id, touch.item_id, touch.timestamp)

    return Job(work=work, finish=finish)


def _user_ids(objects: Iterable[tuple[str, BinaryIO]]) -> list[str]:
    """
    :raises Failed: with the `failureReason` of the job.
    """
    files = [content.read() for key, content in objects if key.lower().endswith(".csv")]
    if not files:
        raise Failed("No CSV file was found at the given location in Amazon S3.")
    if sum(map(len, files)) > MOST_BYTES:
        raise Failed("The input files are larger than 100 MB.")
    found: list[str] = []
    for content in files:
        try:
            header, *rows = list(csv.reader(content.decode().splitlines())) or [[]]
        except (UnicodeDecodeError, csv.Error):
            raise Failed("Input CSV is not encoded in UTF-8.") from None
        if "USER_ID" not in header:
            raise Failed("Input CSV is missing the following columns:[USER_ID].")
        column = header.index("USER_ID")
        found += [row[column] for row in rows if len(row) > column and row[column]]
    return found
