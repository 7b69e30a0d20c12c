"""Rules of the service that no other module holds it to; each test names where the rule is written."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from local_cloud.personalize import deletions, imports
from local_cloud.personalize.capacity import MOST_EVENTS, MOST_RECORDS
from local_cloud.personalize.filters import LOOK_BACK
from local_cloud.personalize.streamed import Touch
from local_cloud.personalize.touches import Touches
from local_cloud.personalize.training import TrainingRun, chosen
from tests.local_cloud.personalize.harness import ROLE, Cloud, Shop, error_of, interactions_csv
from vocabulary.schemas import INTERACTIONS_SCHEMA

RECIPE = "arn:aws:personalize:::recipe/aws-user-personalization"


def code_of(call: Callable[[], Any]) -> str:
    return error_of(call)["Code"]


def test_names_are_unique_in_the_account_and_not_in_the_dataset_group(here: Cloud, shop: Shop) -> None:
    """Service authorization reference, "Resource types defined by Amazon Personalize": ARNs name no group."""
    other = here.group("other")
    expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")'
    here.control.create_filter(name="bought", datasetGroupArn=shop.group, filterExpression=expression)
    for again in (
        lambda: here.control.create_solution(name="row", datasetGroupArn=other, recipeArn=RECIPE),
        lambda: here.control.create_filter(name="bought", datasetGroupArn=other, filterExpression=expression),
        lambda: here.control.create_schema(name="interactions", schema=INTERACTIONS_SCHEMA),
        lambda: here.control.create_campaign(name="row", solutionVersionArn=shop.version),
    ):
        assert code_of(again) == "ResourceAlreadyExistsException"
    # Of another type it is free
    assert here.control.create_filter(name="row", datasetGroupArn=other, filterExpression=expression)


def test_a_named_version_is_the_only_one_of_its_name(here: Cloud, shop: Shop) -> None:
    """API reference, "CreateSolutionVersion": name, ResourceAlreadyExistsException."""
    create = partial(here.control.create_solution_version, solutionArn=shop.solution, name="first")
    arn = create()["solutionVersionArn"]
    assert here.settled("solution_version", arn)["name"] == "first"
    assert code_of(create) == "ResourceAlreadyExistsException"


def test_versions_of_a_solution_that_there_is_not_are_not_found(here: Cloud, shop: Shop) -> None:
    """API reference, "ListSolutionVersions": ResourceNotFoundException; other lists have none."""
    missing = f"{shop.solution}-of-nobody"
    assert code_of(lambda: here.control.list_solution_versions(solutionArn=missing)) == (
        "ResourceNotFoundException"
    )
    assert here.control.list_campaigns(solutionArn=missing)["campaigns"] == []


def test_a_solution_is_not_one_of_its_versions(here: Cloud, shop: Shop) -> None:
    """aws/aws-sdk-js-v3, issue 4982: the ARN of a solution without /$LATEST is not found."""
    for call in (
        lambda: here.control.update_campaign(campaignArn=shop.campaign, solutionVersionArn=shop.solution),
        lambda: here.control.create_campaign(name="other", solutionVersionArn=shop.solution),
    ):
        assert code_of(call) == "ResourceNotFoundException"


def test_what_is_not_active_yet_has_nothing_made_on_it(here: Cloud) -> None:
    """API reference, "CreateSolution", "CreateDatasetImportJob", "CreateSolutionVersion": ResourceInUse."""
    here.shared.clock.set_time("realistic")
    schema = here.schema()
    group = here.control.create_dataset_group(name="shop")["datasetGroupArn"]
    solution: dict[str, Any] = {"name": "row", "datasetGroupArn": group, "recipeArn": RECIPE}
    assert code_of(lambda: here.control.create_solution(**solution)) == "ResourceInUseException"
    here.shared.clock.advance(120)
    dataset = here.control.create_dataset(
        name="i", datasetGroupArn=group, schemaArn=schema, datasetType="Interactions"
    )["datasetArn"]
    source = {"dataLocation": "s3://bucket/x/"}
    assert code_of(
        lambda: here.control.create_dataset_import_job(
            jobName="j", datasetArn=dataset, dataSource=source, roleArn=ROLE
        )
    ) == ("ResourceInUseException")
    arn = here.control.create_solution(**solution)["solutionArn"]
    assert code_of(lambda: here.control.create_solution_version(solutionArn=arn)) == "ResourceInUseException"


def test_an_event_value_at_the_threshold_is_trained_on() -> None:
    """API reference, `SolutionConfig`, eventValueThreshold: "greater than or equal to"."""
    touches = [Touch("u", f"i{value}", 1, "buy", value) for value in (1.9, 2.0, 2.1)]
    without = [Touch("u", "i", 1, "buy", None), Touch("u", "i", 1, "view", 9.0)]
    run = TrainingRun(
        recipe="aws-user-personalization",
        imported=Touches.of([*touches, *without]),
        streamed=Touches.of(),
        items=None,
        hyperparameters={},
        event_type="Buy",
        threshold=2.0,
    )
    taken, weights = chosen(run)
    assert (taken.listed(), weights) == (touches[1:], None)


def test_a_file_is_in_utf_8(here: Cloud) -> None:
    """Developer guide, "Bulk data format guidelines for all types of data"."""
    dataset = here.dataset(here.group(), here.schema())
    here.bucket.objects["latin/data.csv"] = interactions_csv().replace("user-59", "Rübe").encode("latin-1")
    arn = here.control.create_dataset_import_job(
        jobName="latin", datasetArn=dataset, dataSource={"dataLocation": "s3://bucket/latin/"}, roleArn=ROLE
    )["datasetImportJobArn"]
    assert here.settled("dataset_import_job", arn)["failureReason"] == (
        "Input CSV latin/data.csv is not encoded in UTF-8."
    )


def test_a_filter_sees_the_hundred_newest_interactions_of_each_event_type(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Amazon Personalize endpoints and quotas": interactions considered by a filter."""
    arn = here.control.create_filter(
        name="seen",
        datasetGroupArn=shop.group,
        filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")',
    )["filterArn"]
    here.settled("filter", arn)
    here.sends(shop.tracking_id, "s", ["shoe-1"], userId="busy")
    for _ in range(LOOK_BACK // 10):
        here.sends(shop.tracking_id, "s", ["hat-1"] * 10, userId="busy")
    left = here.recommended(shop.campaign, "busy", numResults=100, filterArn=arn)
    assert ("hat-1" in left, "shoe-1" in left) == (False, True)


def test_a_metric_attribution_has_ten_metrics(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Amazon Personalize endpoints and quotas"."""
    metrics = [
        {"eventType": "buy", "metricName": f"m{number}", "expression": "SAMPLECOUNT()"}
        for number in range(11)
    ]
    create = partial(
        here.control.create_metric_attribution,
        name="effect",
        datasetGroupArn=shop.group,
        metricsOutputConfig={"roleArn": ROLE},
    )
    assert code_of(partial(create, metrics=metrics)) in ("LimitExceededException", "InvalidInputException")
    assert create(metrics=metrics[:10])


def test_events_and_records_have_rates(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Amazon Personalize endpoints and quotas": PutEvents, PutItems."""
    here.shared.clock._source = lambda: 2e9
    here.shared.settings.throttling = True
    once = here._client("personalize-events", attempts=1)
    record = [{"itemId": "hat-1"}]
    for _ in range(MOST_RECORDS):
        once.put_items(datasetArn=shop.items, items=record)
    assert code_of(lambda: once.put_items(datasetArn=shop.items, items=record)) == "ThrottlingException"
    region = here.service.region
    for _ in range(MOST_EVENTS):
        region.take(shop.tracker, least=MOST_EVENTS, most=MOST_EVENTS)
    event = {"eventType": "view", "itemId": "hat-1", "sentAt": 2e9}
    assert code_of(
        lambda: once.put_events(trackingId=shop.tracking_id, sessionId="s", eventList=[event])
    ) == ("ThrottlingException")


def test_a_list_of_users_to_delete_has_100_megabytes(
    here: Cloud, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Developer guide, "Amazon Personalize endpoints and quotas"."""
    assert deletions.MOST_BYTES == 100 * 1024**2
    monkeypatch.setattr(deletions, "MOST_BYTES", 20)
    here.bucket.objects["erase/users.csv"] = b"USER_ID\nuser-1\nuser-2\n"
    arn = here.control.create_data_deletion_job(
        jobName="erase",
        datasetGroupArn=shop.group,
        roleArn=ROLE,
        dataSource={"dataLocation": "s3://bucket/erase/"},
    )["dataDeletionJobArn"]
    assert "larger than 100 MB" in here.settled("data_deletion_job", arn)["failureReason"]


def test_an_event_has_ten_kilobytes(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Amazon Personalize endpoints and quotas"."""
    event = {"eventType": "view", "itemId": "hat-1", "sentAt": 2e9, "impression": ["i" * 250] * 20}
    send = partial(here.events.put_events, trackingId=shop.tracking_id, sessionId="s")
    send(eventList=[event, event, {**event, "itemId": "\ud800"}])
    error = error_of(lambda: send(eventList=[{**event, "impression": ["ü" * 250] * 25}]))
    assert error == {"Code": "InvalidInputException", "Message": "An event has at most 10,240 bytes"}


def test_an_import_has_so_many_bytes_by_its_mode(
    here: Cloud, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Developer guide, "Amazon Personalize endpoints and quotas"."""
    assert imports.MOST_BYTES == {"FULL": 100 * 1024**3, "INCREMENTAL": 1024**3}
    monkeypatch.setitem(imports.MOST_BYTES, "INCREMENTAL", 1000)
    assert here.imported(shop.interactions, interactions_csv(), "full")["status"] == "ACTIVE"
    job = here.imported(shop.interactions, interactions_csv(), "more", importMode="INCREMENTAL")
    assert job["failureReason"] == "The data of an import of mode INCREMENTAL have at most 1,000 bytes."


def test_a_bad_token_is_refused_by_name(here: Cloud) -> None:
    """API reference, "ListDatasetGroups": InvalidNextTokenException."""
    assert code_of(lambda: here.control.list_dataset_groups(nextToken="made up")) == (
        "InvalidNextTokenException"
    )


def test_datasets_are_listed_with_their_type_in_capitals(here: Cloud, shop: Shop) -> None:
    """As seen: stored outputs of list_datasets in notebooks of aws-samples."""
    listed = here.control.list_datasets(datasetGroupArn=shop.group)["datasets"]
    assert [each["datasetType"] for each in listed] == ["INTERACTIONS", "ITEMS"]
