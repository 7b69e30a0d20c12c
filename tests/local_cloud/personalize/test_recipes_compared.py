from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from inspector.compared import Compared
from local_cloud.connection import LocalCloudError
from local_cloud.recipes_compared.comparing import Comparison, table
from tests.local_cloud.personalize.harness import Bucket, Cloud, interactions_csv, items_csv
from vocabulary.schemas import ITEMS_SCHEMA


class NoSuchKeyError(Exception):
    pass


class S3:
    """As much of a client as a comparison uses, over what import jobs read too."""

    exceptions = SimpleNamespace(NoSuchKey=NoSuchKeyError)

    def __init__(self, bucket: Bucket) -> None:
        self.objects = bucket.objects

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        if Key not in self.objects:
            raise NoSuchKeyError(Key)
        return {"Body": io.BytesIO(self.objects[Key])}

    def list_objects_v2(self, *, Bucket: str, Prefix: str, MaxKeys: int = 1000) -> dict[str, Any]:
        return {"Contents": [{"Key": key} for key in self.objects if key.startswith(Prefix)]}

    def get_paginator(self, operation: str) -> S3:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        yield self.list_objects_v2(**request)

    def download_file(self, bucket: str, key: str, path: str) -> None:
        Path(path).write_bytes(self.objects[key])


@pytest.fixture
def comparison(here: Cloud) -> Comparison:
    """A deployment after its first retraining, with a catalogue and no user attributes."""
    schema = here.schema(name="colorway-test-interactions-1")
    here.schema(ITEMS_SCHEMA, "colorway-test-items-1")
    group = here.group("colorway-test-maize")
    here.imported(here.dataset(group, schema), interactions_csv(), "colorway-test-maize-20261124T030000")
    report = {"run_id": "r", "interactions": {"rows_out": 1200}}
    here.bucket.objects |= {
        "last-good/report.json": json.dumps(report).encode(),
        "runs/r/interactions/interactions.csv": interactions_csv().encode(),
        "runs/r/items/items.csv": items_csv().encode(),
    }
    clients = {"s3": S3(here.bucket), "personalize": here.control, "personalize-runtime": here.runtime}
    return Comparison(
        client=clients.__getitem__,
        bucket="bucket",
        prefix="colorway-test",
        poll=0.01,
        progress=lambda text: None,
    )


def forget(compared: dict[str, Any]) -> None:
    pass


def group_names(here: Cloud) -> list[str]:
    return sorted(group["name"] for group in here.control.list_dataset_groups()["datasetGroups"])


def test_every_variant_is_trained_listed_and_taken_away_again(
    here: Cloud, comparison: Comparison, tmp_path: Path
) -> None:
    saved = tmp_path / "compared-local.json"

    def save(compared: dict[str, Any]) -> None:
        assert len(group_names(here)) == 3
        saved.write_text(json.dumps(compared))

    compared = comparison.run(save)
    names = ["popularity", "interactions-only", "items-and-users", "exploration", "v2"]
    assert [each["name"] for each in compared["variants"]] == names
    metrics = {each["name"]: each["metrics"] for each in compared["variants"]}
    ndcg = "normalized_discounted_cumulative_gain_at_10"
    assert metrics["interactions-only"][ndcg] > metrics["popularity"][ndcg] > 0
    # One model under two campaigns
    assert metrics["exploration"] == metrics["items-and-users"]

    assert len(compared["customers"]) == 20
    customer = compared["customers"][0]
    assert set(customer["lists"]) == set(names)
    assert all(len(items) == 10 for items in customer["lists"].values())
    assert len(customer["touched"]) == 10
    popular = {tuple(each["lists"]["popularity"]) for each in compared["customers"]}
    personal = {tuple(each["lists"]["interactions-only"]) for each in compared["customers"]}
    assert len(popular) == 1 < len(personal)
    read = Compared.read(saved)  # by the inspector, as `make compare` leaves it
    assert read is not None
    assert read.lists[customer["user_id"]] == customer["lists"]
    assert [each.name for each in read.variants] == [each["name"] for each in compared["variants"]]

    assert group_names(here) == ["colorway-test-maize"]
    assert here.control.list_campaigns()["campaigns"] == []
    assert here.control.list_solutions()["solutions"] == []
    text = "\n".join(table(compared))
    assert all(name in text for name in names)
    assert comparison.run(save)["customers"][0]["user_id"] == customer["user_id"]


def test_a_training_that_fails_is_named_and_leaves_nothing_behind(
    here: Cloud, comparison: Comparison
) -> None:
    here.bucket.objects["runs/r/items/items.csv"] = b"ITEM_ID,NONSENSE\na,b\n"
    with pytest.raises(LocalCloudError, match=r"dataset-import-job/.*CREATE FAILED"):
        comparison.run(forget)
    assert group_names(here) == ["colorway-test-maize"]


def test_before_a_retraining_there_is_nothing_to_compare_on(here: Cloud, comparison: Comparison) -> None:
    del here.bucket.objects["last-good/report.json"]
    with pytest.raises(LocalCloudError, match="no retraining has come through yet"):
        comparison.run(forget)


def test_stopped_in_the_middle_of_an_import_it_leaves_nothing_behind(
    here: Cloud, comparison: Comparison
) -> None:
    def stop(text: str) -> None:
        if text.startswith("dataset-import-job/") and "create" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(comparison, progress=stop).run(forget)
    assert group_names(here) == ["colorway-test-maize"]


def test_what_another_hand_deletes_meanwhile_is_no_trouble(here: Cloud, comparison: Comparison) -> None:
    left = here.group("colorway-test-compare-plain")
    here.control.delete_dataset_group(datasetGroupArn=left)
    comparison.run(forget)
    assert group_names(here) == ["colorway-test-maize"]


def test_without_room_for_two_dataset_groups_it_says_so_and_leaves_nothing_behind(
    here: Cloud, comparison: Comparison
) -> None:
    others = [f"other-{number}" for number in range(3)]
    for name in others:
        here.group(name)
    with pytest.raises(LocalCloudError, match="two dataset groups beside those that are there"):
        comparison.run(forget)
    assert group_names(here) == ["colorway-test-maize", *others]
