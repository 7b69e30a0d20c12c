from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from tests.local_cloud.personalize.harness import Cloud, Shop, error_of, interactions_csv
from vocabulary.schemas import INTERACTIONS_SCHEMA

CSV = interactions_csv()
HEADER = CSV.partition("\n")[0]


def rows_of(cloud: Cloud, dataset: str) -> Sequence[Sequence[object]]:
    bulk = cloud.service.region.datasets[dataset].bulk
    assert bulk is not None
    return list(bulk.table.rows())


@pytest.mark.parametrize(
    ("csv", "reason"),
    [
        (CSV.replace("ITEM_ID", "ITEM"), "Input CSV is missing the following columns:[ITEM_ID]."),
        (CSV.replace("USER_ID", '"USER_ID"', 1), "Input CSV is missing the following columns:[USER_ID]."),
        (CSV.replace(HEADER, HEADER.lower()), "missing the following columns:[USER_ID, ITEM_ID, TIMESTAMP"),
        (CSV.replace(HEADER, HEADER + ",COLOUR"), "not in the schema or repeated: [COLOUR]"),
        (CSV.replace("1700000005", "2023-11-14"), "do not conform to the dataset schema"),
        (CSV.replace("1700000005", "9" * 30), "do not conform to the dataset schema"),
        (CSV.replace(",view,\n", ",,\n", 1), "do not conform to the dataset schema"),
        (CSV.replace("user-7,", ",", 1), "do not conform to the dataset schema"),
        (CSV.replace(",view,\n", ",view\n", 1), "do not conform to the dataset schema"),
        (CSV.replace("user-7,", f"{'u' * 257},", 1), "more than 256 characters for USER_ID"),
        (CSV.replace(",view,", f",{'v' * 1001},", 1), "more than 1000 characters for EVENT_TYPE"),
        (interactions_csv(999), "hold 999 interactions records, an import needs at least 1000"),
    ],
)
def test_an_import_fails_with_its_reason(here: Cloud, csv: str, reason: str) -> None:
    """Developer guide, "Bulk data format guidelines for all types of data"; texts as seen where known."""
    dataset = here.dataset(here.group(), here.schema())
    job = here.imported(dataset, csv, "job")
    assert job["status"] == "CREATE FAILED"
    assert reason in job["failureReason"]
    assert here.service.region.datasets[dataset].bulk is None


def test_every_event_has_a_type_where_there_are_types(here: Cloud) -> None:
    """Developer guide, "Preparing item interaction data for training": whatever the schema says of null."""
    document = json.loads(INTERACTIONS_SCHEMA)
    for field in document["fields"]:
        if field["name"] == "EVENT_TYPE":
            field["type"] = ["null", "string"]
    dataset = here.dataset(here.group(), here.schema(json.dumps(document)))
    job = here.imported(dataset, CSV.replace(",view,\n", ",,\n", 1), "job")
    assert "do not conform to the dataset schema" in job["failureReason"]
    assert here.imported(dataset, CSV, "again")["status"] == "ACTIVE"


def test_a_role_that_may_not_read_fails_the_import(here: Cloud) -> None:
    """Text as seen: aws-samples, retail-demo-store."""
    dataset = here.dataset(here.group(), here.schema())
    job = here.imported(dataset, CSV, "job", role="arn:aws:iam::123456789012:role/other")
    assert job["status"] == "CREATE FAILED"
    assert job["failureReason"] == "Insufficient privileges for accessing data in Amazon S3."


def test_a_folder_is_read_at_its_first_level_and_holds_only_csv(here: Cloud) -> None:
    """Developer guide, "Importing bulk data into Amazon Personalize with a dataset import job"."""
    dataset = here.dataset(here.group(), here.schema())
    lines = CSV.splitlines(keepends=True)
    here.bucket.objects["job/second.csv"] = "".join([lines[0], *lines[601:]]).encode()
    here.bucket.objects["job/deeper/manifest.json"] = b"{}"
    assert here.imported(dataset, "".join(lines[:601]), "job")["status"] == "ACTIVE"
    assert len(rows_of(here, dataset)) == 1200

    here.bucket.objects["next/manifest.json"] = b"{}"
    failed = here.imported(dataset, CSV, "next")
    assert (
        failed["failureReason"] == "The data location holds a file that is not a CSV file: next/manifest.json"
    )


def test_columns_come_in_the_order_of_the_schema(here: Cloud) -> None:
    """Developer guide, "Creating schema JSON files for Amazon Personalize schemas": fields "must match the
    order of the corresponding column headers"; the text is ours."""
    dataset = here.dataset(here.group(), here.schema())
    turned = "\n".join(",".join(reversed(line.split(","))) for line in CSV.splitlines())
    job = here.imported(dataset, turned, "job")
    assert (job["status"], job["failureReason"]) == (
        "CREATE FAILED",
        "Input CSV has its columns in another order than the schema, which has "
        "[USER_ID, ITEM_ID, TIMESTAMP, EVENT_TYPE, EVENT_VALUE].",
    )


def test_a_full_import_replaces_the_bulk_and_keeps_the_stream(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Import modes"."""
    here.sends(shop.tracking_id, "s", ["hat-1"], userId="streamed")
    moved = CSV.replace("user-", "member-")
    assert here.imported(shop.interactions, moved, "second")["status"] == "ACTIVE"
    assert {row[0] for row in rows_of(here, shop.interactions)} == {f"member-{i}" for i in range(60)}
    assert len(here.service.region.datasets[shop.interactions].events) == 1


def test_an_incremental_import_adds_to_a_full_one(here: Cloud) -> None:
    """Developer guide, "Import modes"."""
    dataset = here.dataset(here.group(), here.schema())
    first = error_of(lambda: here.imported(dataset, CSV, "early", importMode="INCREMENTAL"))
    assert first["Code"] == "InvalidInputException"
    here.imported(dataset, CSV, "full")
    here.imported(dataset, CSV + CSV.replace(HEADER + "\n", "").replace("user-", "member-"), "more",
                  importMode="INCREMENTAL")  # fmt: skip
    assert len(rows_of(here, dataset)) == 2400, "repeats are kept once"


def test_one_import_into_a_dataset_at_a_time_and_each_under_its_own_name(here: Cloud) -> None:
    """API reference, "CreateDatasetImportJob": ResourceInUseException, ResourceAlreadyExistsException."""
    dataset = here.dataset(here.group(), here.schema())
    create: Callable[[str], object] = lambda job: here.control.create_dataset_import_job(  # noqa: E731
        jobName=job, datasetArn=dataset, dataSource={"dataLocation": "s3://bucket/x/"}
    )
    create("a")
    assert error_of(lambda: create("b"))["Code"] == "ResourceInUseException"
    here.settled("dataset_import_job", dataset.replace("dataset/shop/INTERACTIONS", "dataset-import-job/a"))
    assert error_of(lambda: create("a"))["Code"] == "ResourceAlreadyExistsException"


def test_a_role_of_another_account_is_refused_at_once(here: Cloud) -> None:
    """Text as seen from the service: stored outputs of aws-samples notebooks."""
    dataset = here.dataset(here.group(), here.schema())
    error = error_of(lambda: here.imported(dataset, CSV, "job", role="arn:aws:iam::999999999999:role/import"))
    assert error == {"Code": "AccessDeniedException", "Message": "Cross-account pass role is not allowed."}
