"""Jobs that read from or write to Amazon S3: exports, data deletion, batch inference."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.local_cloud.personalize.harness import ROLE, Cloud, Shop, error_of, interactions_csv
from vocabulary.schemas import USERS_SCHEMA


def exported(cloud: Cloud, dataset: str, job: str, **options: Any) -> list[str]:
    arn = cloud.control.create_dataset_export_job(
        jobName=job,
        datasetArn=dataset,
        roleArn=ROLE,
        jobOutput={"s3DataDestination": {"path": "s3://bucket/out/"}},
        **options,
    )["datasetExportJobArn"]
    described = cloud.settled("dataset_export_job", arn)
    assert described["status"] == "ACTIVE", described
    return cloud.bucket.objects[f"out/{job}.csv"].decode().splitlines()


def test_an_export_writes_what_was_imported_and_streamed(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Exporting the training data in a dataset to Amazon S3"."""
    here.sends(shop.tracking_id, "session", ["hat-1", "hat-2"], userId="new")
    header, *bulk = exported(here, shop.interactions, "bulk", ingestionMode="BULK")
    put = exported(here, shop.interactions, "put")
    everything = exported(here, shop.interactions, "all", ingestionMode="ALL")
    assert header == "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE"
    assert sorted(bulk) == sorted(set(interactions_csv().splitlines()[1:]))
    assert put == [header, "new,hat-1,2000000000,view,", "new,hat-2,2000000001,view,"]
    assert everything == [header, *bulk, *put[1:]]


def test_an_export_of_all_has_the_newest_of_each_item(here: Cloud, shop: Shop) -> None:
    here.events.put_items(
        datasetArn=shop.items,
        items=[{"itemId": "hat-1", "properties": json.dumps({"brand": "other", "category": "caps"})}],
    )
    all_of_it = exported(here, shop.items, "all", ingestionMode="ALL")
    assert [row for row in all_of_it if row.startswith("hat-1,")] == ["hat-1,other,caps,,"]
    assert exported(here, shop.items, "put", ingestionMode="PUT")[1:] == ["hat-1,other,caps,,"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"roleArn": ROLE.replace("123456789012", "999999999999")}, "AccessDeniedException"),
        ({"jobOutput": {"s3DataDestination": {"path": "http://bucket/"}}}, "InvalidInputException"),
    ],
)
def test_an_export_that_cannot_be_written_is_refused(
    here: Cloud, shop: Shop, change: dict[str, Any], code: str
) -> None:
    output = {"s3DataDestination": {"path": "s3://bucket/out/"}}
    request = {"jobName": "j", "datasetArn": shop.items, "roleArn": ROLE, "jobOutput": output, **change}
    assert error_of(lambda: here.control.create_dataset_export_job(**request))["Code"] == code


def test_a_job_without_the_right_fails_and_says_so(here: Cloud, shop: Shop) -> None:
    arn = here.control.create_dataset_export_job(
        jobName="j",
        datasetArn=shop.items,
        roleArn=f"{ROLE}-of-nobody",
        jobOutput={"s3DataDestination": {"path": "s3://bucket/out/"}},
    )["datasetExportJobArn"]
    described = here.settled("dataset_export_job", arn)
    assert described["failureReason"] == "Insufficient privileges for accessing data in Amazon S3."


def deleted(cloud: Cloud, group: str, users: str, job: str = "erase") -> dict[str, Any]:
    cloud.bucket.objects[f"{job}/deep/users.csv"] = users.encode()
    cloud.bucket.objects[f"{job}/note.txt"] = b"not for the job"
    arn = cloud.control.create_data_deletion_job(
        jobName=job,
        datasetGroupArn=group,
        roleArn=ROLE,
        dataSource={"dataLocation": f"s3://bucket/{job}/"},
    )["dataDeletionJobArn"]
    return cloud.settled("data_deletion_job", arn)


def test_a_deleted_user_is_in_no_dataset_and_no_model(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Deleting users and their data with a data deletion job"."""
    users = here.dataset(shop.group, here.schema(USERS_SCHEMA, "users"), "Users")
    here.events.put_users(datasetArn=users, users=[{"userId": u} for u in ("user-1", "user-3")])
    here.sends(shop.tracking_id, "anonymous", ["shoe-5"])
    here.sends(shop.tracking_id, "anonymous", ["shoe-6"], userId="user-1")
    here.sends(shop.tracking_id, "other", ["hat-6"], userId="user-3")
    plain = {"itemExplorationConfig": {"explorationWeight": "0"}}
    here.control.update_campaign(campaignArn=shop.campaign, campaignConfig=plain)
    here.settled("campaign", shop.campaign)
    others = here.recommended(shop.campaign, "user-3")
    described = deleted(here, shop.group, "USER_ID\nuser-1\nnever-heard-of\n")
    assert (described["status"], described["numDeleted"]) == ("COMPLETED", 2)
    for dataset in (shop.interactions, users):
        rows = exported(here, dataset, dataset.rpartition("/")[2], ingestionMode="ALL")
        assert not [row for row in rows if row.startswith(("user-1,", "anonymous,")) or row == "user-1"]
        assert [row for row in rows if row.startswith("user-3")]
    unknown = here.recommended(shop.campaign, "nobody-has-heard-of")
    assert here.recommended(shop.campaign, "user-1") == unknown
    assert set(here.recommended(shop.campaign, "user-3", numResults=5)) & set(others[:8])


@pytest.mark.parametrize(
    ("users", "reason"),
    [("ID\nuser-1\n", "missing the following columns:[USER_ID]"), ("", "missing the following columns")],
)
def test_a_deletion_job_without_a_list_fails(here: Cloud, shop: Shop, users: str, reason: str) -> None:
    described = deleted(here, shop.group, users)
    assert described["status"] == "FAILED"
    assert reason in described["failureReason"]


def test_a_dataset_group_has_five_pending_deletion_jobs(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Amazon Personalize endpoints and quotas"."""
    here.shared.clock.set_time("realistic")

    def create(job: str) -> None:
        here.control.create_data_deletion_job(
            jobName=job,
            datasetGroupArn=shop.group,
            roleArn=ROLE,
            dataSource={"dataLocation": "s3://bucket/none/"},
        )

    for i in range(5):
        create(f"j{i}")
    assert error_of(lambda: create("j5"))["Code"] == "LimitExceededException"


def inferred(cloud: Cloud, version: str, lines: str, **options: Any) -> list[dict[str, Any]]:
    cloud.bucket.objects["ask/users.json"] = lines.encode()
    arn = cloud.control.create_batch_inference_job(
        jobName=options.pop("jobName", "batch"),
        solutionVersionArn=version,
        roleArn=ROLE,
        jobInput={"s3DataSource": {"path": "s3://bucket/ask/users.json"}},
        jobOutput={"s3DataDestination": {"path": "s3://bucket/told/"}},
        **options,
    )["batchInferenceJobArn"]
    described = cloud.settled("batch_inference_job", arn)
    assert described["status"] == "ACTIVE", described
    return [json.loads(line) for line in cloud.bucket.objects["told/users.json.out"].splitlines()]


def test_batch_inference_answers_line_by_line(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Batch inference job input and output JSON examples"."""
    lines = '{"userId": "user-1"}\n\n{"userId": "user-2"}\nnot json\n{"itemId": "hat-1"}\n'
    first, second, third, fourth = inferred(
        here,
        shop.version,
        lines,
        numResults=7,
        batchInferenceJobConfig={"itemExplorationConfig": {"explorationWeight": "0"}},
    )
    assert first["input"] == {"userId": "user-1"}
    assert first["error"] is None
    assert len(first["output"]["recommendedItems"]) == len(first["output"]["scores"]) == 7
    assert first["output"]["recommendedItems"] != second["output"]["recommendedItems"]
    assert third["error"] == "The line is not a JSON object"
    assert "userId is required" in fourth["error"]


def test_batch_inference_has_a_place_for_each_score(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Batch inference job output examples"; null where v2 has no score is our choice."""
    v2 = here.solution(shop.group, "v2", recipeArn="arn:aws:personalize:::recipe/aws-user-personalization-v2")
    version = here.version(v2)["solutionVersionArn"]
    (answer,) = inferred(here, version, '{"userId": "user-1"}\n', numResults=40)
    items, scores = answer["output"]["recommendedItems"], answer["output"]["scores"]
    assert len(items) == len(scores) == 40
    told = [score for score in scores if score is not None]
    assert 0 < len(told) < 40
    assert told == sorted(told, reverse=True)
    assert scores[-1] is None


def test_batch_inference_filters_with_the_values_of_the_line(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Providing filter values in your input JSON"."""
    filter_ = here.control.create_filter(
        name="f",
        datasetGroupArn=shop.group,
        filterExpression="INCLUDE ItemID WHERE Items.CATEGORY IN ($KIND)",
    )["filterArn"]
    here.settled("filter", filter_)
    lines = '{"userId": "user-1", "filterValues": {"KIND": "\\"shoes\\""}}\n{"userId": "user-1"}\n'
    shoes, missing = inferred(here, shop.version, lines, filterArn=filter_)
    assert {item.partition("-")[0] for item in shoes["output"]["recommendedItems"]} == {"shoe"}
    assert "needs a value for the parameter KIND" in missing["error"]


def test_ranking_and_related_items_have_their_own_lines(here: Cloud, shop: Shop) -> None:
    def trained(recipe: str) -> str:
        arn = f"arn:aws:personalize:::recipe/aws-{recipe}"
        return str(here.version(here.solution(shop.group, recipe, recipeArn=arn))["solutionVersionArn"])

    line = '{"userId": "user-1", "itemList": ["shoe-5", "hat-5", "nothing"]}'
    (ranked,) = inferred(here, trained("personalized-ranking"), line, jobName="r")
    assert ranked["output"]["recommendedItems"] == ["hat-5", "shoe-5", "nothing"]
    (related,) = inferred(here, trained("similar-items"), '{"itemId": "hat-1"}', jobName="i")
    assert "scores" not in related["output"]
    trending = trained("trending-now")
    error = error_of(lambda: inferred(here, trending, "{}", jobName="t"))
    assert "not available with aws-trending-now" in error["Message"]
