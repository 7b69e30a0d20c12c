"""Quotas, each from the developer guide, "Amazon Personalize endpoints and quotas"."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from local_cloud.personalize.csv_import import read_table
from local_cloud.personalize.lifecycle import Failed
from local_cloud.personalize.schemas import parse_schema
from tests.local_cloud.personalize.harness import ROLE, Cloud, Shop, error_of, interactions_csv
from vocabulary.schemas import INTERACTIONS_SCHEMA, ITEMS_SCHEMA, USERS_SCHEMA


def refused_after(quota: int, create: Callable[[int], Any]) -> None:
    for i in range(quota):
        create(i)
    assert error_of(lambda: create(quota))["Code"] == "LimitExceededException"


def test_a_region_has_five_hundred_schemas(here: Cloud) -> None:
    refused_after(500, lambda i: here.schema(name=f"s{i}"))


def test_a_dataset_group_has_ten_solutions(here: Cloud) -> None:
    group = here.group()
    refused_after(10, lambda i: here.solution(group, f"s{i}"))


def test_a_dataset_group_has_five_campaigns(here: Cloud, shop: Shop) -> None:
    refused_after(4, lambda i: here.campaign(shop.version, f"c{i}"))


def test_a_dataset_group_has_thirty_filters(here: Cloud) -> None:
    group = here.group()
    refused_after(30, lambda i: excluding(here, group, f"f{i}", ["EVENT_TYPE"], dataset="Interactions"))


def excluding(cloud: Cloud, group: str, name: str, fields: list[str], dataset: str = "Items") -> None:
    conditions = " AND ".join(f'{dataset}.{field} IN ("x")' for field in fields)
    cloud.control.create_filter(
        name=name, datasetGroupArn=group, filterExpression=f"EXCLUDE ItemID WHERE {conditions}"
    )


def test_a_filter_has_ten_distinct_fields_and_a_group_twenty(here: Cloud) -> None:
    group = here.group()
    eleven = [f"F{i}" for i in range(11)]
    assert error_of(lambda: excluding(here, group, "f", eleven))["Code"] == "LimitExceededException"
    excluding(here, group, "a", [f"A{i}" for i in range(10)])
    excluding(here, group, "b", [f"B{i}" for i in range(10)])
    excluding(here, group, "c", ["A1", "B1"])
    assert error_of(lambda: excluding(here, group, "d", ["C1"]))["Code"] == "LimitExceededException"


def test_a_region_has_five_pending_imports(here: Cloud) -> None:
    schema = here.schema()
    datasets = [here.dataset(here.group(f"g{i}"), schema) for i in range(3)]
    items = here.schema(ITEMS_SCHEMA, "items")
    groups = [f"arn:aws:personalize:us-east-1:123456789012:dataset-group/g{i}" for i in range(3)]
    datasets += [here.dataset(group, items, "Items") for group in groups]
    here.shared.clock.set_time("realistic")

    def start(i: int) -> None:
        here.control.create_dataset_import_job(
            jobName=f"j{i}",
            datasetArn=datasets[i],
            dataSource={"dataLocation": "s3://bucket/x/"},
            roleArn=ROLE,
        )

    refused_after(5, start)


def test_a_region_has_twenty_pending_solution_versions(here: Cloud, shop: Shop) -> None:
    here.shared.clock.set_time("realistic")
    refused_after(20, lambda _: here.control.create_solution_version(solutionArn=shop.solution))


def test_a_region_has_five_pending_batch_inference_jobs(here: Cloud, shop: Shop) -> None:
    here.shared.clock.set_time("realistic")

    def start(i: int) -> None:
        here.control.create_batch_inference_job(
            jobName=f"j{i}",
            solutionVersionArn=shop.version,
            roleArn=ROLE,
            jobInput={"s3DataSource": {"path": "s3://bucket/in/"}},
            jobOutput={"s3DataDestination": {"path": "s3://bucket/out/"}},
        )

    refused_after(5, start)


def wider(schema: str, count: int, **more: Any) -> str:
    document = json.loads(schema)
    document["fields"] += [{"name": f"EXTRA_{i}", "type": ["null", "string"], **more} for i in range(count)]
    return json.dumps(document)


@pytest.mark.parametrize(
    ("schema", "allowed"), [(INTERACTIONS_SCHEMA, 5), (ITEMS_SCHEMA, 97), (USERS_SCHEMA, 24)]
)
def test_a_schema_has_so_many_metadata_fields(here: Cloud, schema: str, allowed: int) -> None:
    here.schema(wider(schema, allowed, categorical=True))
    error = error_of(lambda: here.schema(wider(schema, allowed + 1, categorical=True), "more"))
    assert "metadata fields" in error["Message"]


def test_only_items_have_a_textual_field_and_one(here: Cloud) -> None:
    here.schema(wider(ITEMS_SCHEMA, 1, textual=True))
    for schema, count in ((ITEMS_SCHEMA, 2), (USERS_SCHEMA, 1)):
        error = error_of(partial(here.schema, wider(schema, count, textual=True), "wrong"))
        assert "textual field, and one" in error["Message"]


def test_event_types_and_metadata_columns_are_ten_at_most() -> None:
    schema = parse_schema(wider(INTERACTIONS_SCHEMA, 2, categorical=True))
    head, *lines = interactions_csv().splitlines()

    def rows(kinds: int) -> int:
        cells = [line.split(",") for line in lines]
        body = [f"{c[0]},{c[1]},{c[2]},kind-{n % kinds},,," for n, c in enumerate(cells)]
        text = "\n".join([f"{head},EXTRA_0,EXTRA_1", *body])
        return len(read_table([("a.csv", io.BytesIO(text.encode()))], schema))

    assert rows(8) == 1200
    with pytest.raises(Failed, match="10 at most, got 9 and 2"):
        rows(9)


def test_a_text_is_cut_off_after_20000_characters() -> None:
    """Developer guide, "Unstructured text metadata"; longer categories fail an import."""
    schema = parse_schema(wider(ITEMS_SCHEMA, 1, textual=True))
    head = ",".join(schema.columns)
    text = "w" * 20_000
    csv = f"{head}\na,,,,,{text}one\nb,,,,,{text}two\nc,,,,,\n"
    texts = [row[-1] for row in read_table([("a.csv", io.BytesIO(csv.encode()))], schema).rows()]
    assert texts == [text, text, None]


def test_an_id_has_256_characters() -> None:
    schema = parse_schema(INTERACTIONS_SCHEMA)
    long = interactions_csv().replace("user-1,", f"{'u' * 257},")
    with pytest.raises(Failed, match="cannot be more than 256 characters for USER_ID"):
        read_table([("a.csv", io.BytesIO(long.encode()))], schema)
