"""What changes while it goes on serving: solutions, datasets, campaigns that follow, metric attributions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local_cloud.personalize.service import Personalize
from local_cloud.personalize.state import StateFolder
from tests.local_cloud.personalize.harness import (
    ACCOUNT,
    ROLE,
    Cloud,
    Shop,
    error_of,
    interactions_csv,
    items_csv,
)
from vocabulary.schemas import INTERACTIONS_SCHEMA, ITEMS_SCHEMA

HOUR, DAY = 3600, 24 * 3600


def trainings(cloud: Cloud, solution: str) -> list[tuple[str, str]]:
    """Mode and type of each version of a solution."""
    versions = cloud.control.list_solution_versions(solutionArn=solution)["solutionVersions"]
    return [(version["trainingMode"], version["trainingType"]) for version in versions]


AUTOMATIC, BY_HAND = ("AUTOTRAIN", "AUTOMATIC"), ("FULL", "MANUAL")


def automatic(cloud: Cloud, shop: Shop, name: str = "auto", **options: Any) -> str:
    arn = cloud.control.create_solution(
        name=name,
        datasetGroupArn=shop.group,
        recipeArn="arn:aws:personalize:::recipe/aws-user-personalization",
        **options,
    )["solutionArn"]
    cloud.settled("solution", arn)
    return str(arn)


def test_automatic_training_starts_within_the_hour_and_then_weekly_where_there_are_new_data(
    here: Cloud, shop: Shop
) -> None:
    """API reference, "CreateSolution", performAutoTraining; guide, "Configuring automatic training"."""
    solution = automatic(here, shop)
    assert trainings(here, solution) == []
    here.shared.clock.advance(HOUR + 1)
    assert trainings(here, solution) == [AUTOMATIC]
    version = here.control.list_solution_versions(solutionArn=solution)["solutionVersions"][0]
    assert here.settled("solution_version", version["solutionVersionArn"])["status"] == "ACTIVE"
    here.shared.clock.advance(7 * DAY + 1)
    assert trainings(here, solution) == [AUTOMATIC]  # Nothing new to learn
    here.events.put_items(datasetArn=shop.items, items=[{"itemId": "hat-new"}])
    here.shared.clock.advance(7 * DAY + 1)
    assert trainings(here, solution) == [AUTOMATIC]  # Only new interactions count
    here.sends(shop.tracking_id, "s", ["hat-1"], userId="user-1")
    here.shared.clock.advance(7 * DAY + 1)
    assert trainings(here, solution) == [AUTOMATIC] * 2


def test_a_training_by_hand_within_the_hour_takes_the_place_of_the_first_automatic_one(
    here: Cloud, shop: Shop
) -> None:
    solution = automatic(here, shop)
    here.version(solution)
    here.shared.clock.advance(HOUR + 1)
    assert trainings(here, solution) == [BY_HAND]
    here.sends(shop.tracking_id, "s", ["hat-1"], userId="user-1")
    here.shared.clock.advance(7 * DAY + 1)
    assert trainings(here, solution) == [BY_HAND, AUTOMATIC]


def test_without_automatic_training_the_clock_starts_nothing(here: Cloud, shop: Shop) -> None:
    here.sends(shop.tracking_id, "s", ["hat-1"], userId="user-1")
    here.shared.clock.advance(100 * DAY)
    assert trainings(here, shop.solution) == [BY_HAND]


def test_a_solution_update_turns_automatic_training_on(here: Cloud, shop: Shop) -> None:
    """API reference, "UpdateSolution"."""
    config = {"autoTrainingConfig": {"schedulingExpression": "rate(1 day)"}}
    here.control.update_solution(
        solutionArn=shop.solution, performAutoTraining=True, solutionUpdateConfig=config
    )
    described = here.settled("solution", shop.solution)
    assert described["latestSolutionUpdate"]["solutionUpdateConfig"] == config
    assert (described["status"], described["performAutoTraining"]) == ("ACTIVE", True)
    assert described["solutionConfig"]["autoTrainingConfig"] == config["autoTrainingConfig"]
    here.shared.clock.advance(HOUR + 1)
    trainings(here, shop.solution)
    here.sends(shop.tracking_id, "s", ["hat-1"], userId="user-1")
    here.shared.clock.advance(DAY + 1)
    assert trainings(here, shop.solution) == [BY_HAND, AUTOMATIC]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "must be given"),
        ({"performIncrementalUpdate": True}, "only for aws-semantic-similarity"),
        (
            {"solutionUpdateConfig": {"autoTrainingConfig": {"schedulingExpression": "rate(31 days)"}}},
            "rate(1 day) to rate(30 days)",
        ),
        (
            {"solutionUpdateConfig": {"autoTrainingConfig": {"schedulingExpression": "rate(1 days)"}}},
            "rate(1 day) to rate(30 days)",
        ),
        (
            {"solutionUpdateConfig": {"eventsConfig": {"eventParametersList": [{"weight": 0.5}]}}},
            "only for recipes of the second generation",
        ),
    ],
)
def test_a_solution_update_that_cannot_be_is_refused(
    here: Cloud, shop: Shop, change: dict[str, Any], said: str
) -> None:
    error = error_of(lambda: here.control.update_solution(solutionArn=shop.solution, **change))
    assert (error["Code"], said in error["Message"]) == ("InvalidInputException", True)


def test_a_campaign_follows_the_latest_version_and_serves_the_old_one_until_then(
    here: Cloud, shop: Shop
) -> None:
    """API reference, `CampaignConfig`, syncWithLatestSolutionVersion; "UpdateCampaign"."""
    here.control.update_campaign(
        campaignArn=shop.campaign,
        solutionVersionArn=f"{shop.solution}/$LATEST",
        campaignConfig={"syncWithLatestSolutionVersion": True},
    )
    here.settled("campaign", shop.campaign)
    before = here.control.describe_campaign(campaignArn=shop.campaign)["campaign"]["latestCampaignUpdate"]
    version = here.version(shop.solution)["solutionVersionArn"]
    here.recommended(shop.campaign, "user-1")
    described = here.settled("campaign", shop.campaign)
    assert described["solutionVersionArn"] == f"{shop.solution}/$LATEST"
    assert described["latestCampaignUpdate"]["creationDateTime"] > before["creationDateTime"]
    region = here.service.region
    assert region.store.get("Campaign", shop.campaign).members["served"] == version


def test_update_training_needs_a_recipe_that_has_it_and_a_full_one_first(here: Cloud, shop: Shop) -> None:
    """API reference, "CreateSolutionVersion", trainingMode."""
    updated = here.control.create_solution_version(solutionArn=shop.solution, trainingMode="UPDATE")
    described = here.settled("solution_version", updated["solutionVersionArn"])
    assert (described["status"], described["trainingMode"]) == ("ACTIVE", "UPDATE")
    untrained = here.solution(shop.group, "untrained")
    popular = here.solution(
        shop.group, "popular", recipeArn="arn:aws:personalize:::recipe/aws-popularity-count"
    )

    def refusal(solution: str, mode: str) -> str:
        return error_of(
            lambda: here.control.create_solution_version(solutionArn=solution, trainingMode=mode)
        )["Message"]

    assert "with trainingMode FULL before" in refusal(untrained, "UPDATE")
    assert "trainingMode UPDATE is for" in refusal(popular, "UPDATE")
    assert "must be FULL or UPDATE" in refusal(untrained, "AUTOTRAIN")


def items_schema(*more: dict[str, Any], without: str = "") -> str:
    schema = json.loads(ITEMS_SCHEMA)
    schema["fields"] = [field for field in schema["fields"] if field["name"] != without] + list(more)
    return json.dumps(schema)


COLOUR = {"name": "COLOUR", "type": ["null", "string"], "categorical": True}


def test_a_dataset_takes_a_schema_with_more_columns(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Replacing a dataset's schema to add new columns"."""
    schema = here.schema(items_schema(COLOUR), "wider")
    here.control.update_dataset(datasetArn=shop.items, schemaArn=schema)
    assert error_of(lambda: here.control.delete_schema(schemaArn=schema))["Code"] == "ResourceInUseException"
    described = here.settled("dataset", shop.items)
    assert (described["schemaArn"], described["status"]) == (schema, "ACTIVE")
    assert described["latestDatasetUpdate"]["status"] == "ACTIVE"
    here.events.put_items(
        datasetArn=shop.items, items=[{"itemId": "hat-1", "properties": json.dumps({"colour": "blue"})}]
    )
    filter_ = here.control.create_filter(
        name="blue", datasetGroupArn=shop.group, filterExpression='INCLUDE ItemID WHERE Items.COLOUR = "blue"'
    )["filterArn"]
    here.settled("filter", filter_)
    assert here.recommended(shop.campaign, "user-1", filterArn=filter_) == ["hat-1"]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (items_schema(without="BRAND"), "must keep every field as it is, got another or no BRAND"),
        (items_schema({**COLOUR, "type": "string"}), "a new field must support null: COLOUR"),
        (INTERACTIONS_SCHEMA, "The schema is of INTERACTIONS"),
    ],
)
def test_a_schema_that_loses_something_is_refused(here: Cloud, shop: Shop, schema: str, said: str) -> None:
    arn = here.schema(schema, "other")
    error = error_of(lambda: here.control.update_dataset(datasetArn=shop.items, schemaArn=arn))
    assert said.lower() in error["Message"].lower()


def test_interactions_keep_their_schema(here: Cloud, shop: Shop) -> None:
    error = error_of(lambda: here.control.update_dataset(datasetArn=shop.interactions, schemaArn=shop.schema))
    assert "INTERACTIONS cannot be replaced" in error["Message"]


def explored(cloud: Cloud, campaign: str, user: str = "user-1") -> list[str]:
    """Everything that is recommended, with all places but those of known items for new ones."""
    return cloud.recommended(campaign, user, numResults=100)


def test_every_two_hours_new_items_come_among_what_is_explored(here: Cloud, shop: Shop) -> None:
    """Developer guide, "User-Personalization recipe", automatic updates."""
    here.events.put_items(datasetArn=shop.items, items=[{"itemId": "hat-new"}])
    here.sends(shop.tracking_id, "s", ["hat-unheard"], userId="user-3")
    new = {"hat-new", "hat-unheard"}
    assert not new & set(explored(here, shop.campaign))
    here.shared.clock.advance(2 * HOUR + 1)
    assert new <= set(explored(here, shop.campaign))
    # An event on one of them counts from now on
    bought = here.control.create_filter(
        name="seen",
        datasetGroupArn=shop.group,
        filterExpression="EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)",
    )["filterArn"]
    here.settled("filter", bought)
    here.sends(shop.tracking_id, "t", ["hat-new"], userId="user-1")
    assert new & set(here.recommended(shop.campaign, "user-1", numResults=100, filterArn=bought)) == {
        "hat-unheard"
    }


def test_a_restart_keeps_the_new_items_that_were_taken_in(here: Cloud, shop: Shop, tmp_path: Path) -> None:
    here.events.put_items(datasetArn=shop.items, items=[{"itemId": "hat-new"}])
    here.shared.clock.advance(2 * HOUR + 1)
    before = explored(here, shop.campaign)
    with here.service.region.store.turn():
        StateFolder(tmp_path).keep(here.service.region)
    service = Personalize(
        account=ACCOUNT,
        region="us-east-1",
        control=here.shared,
        storage=here.bucket,
        state=StateFolder(tmp_path),
    )
    after = explored(Cloud(service=service, shared=here.shared, bucket=here.bucket), shop.campaign)
    service.close()
    assert "hat-new" in before
    assert after == before


def test_a_version_of_mode_update_ends_automatic_updates(here: Cloud, shop: Shop) -> None:
    """API reference, "CreateSolutionVersion", trainingMode."""
    update = here.control.create_solution_version(solutionArn=shop.solution, trainingMode="UPDATE")
    here.settled("solution_version", update["solutionVersionArn"])
    here.events.put_items(datasetArn=shop.items, items=[{"itemId": "hat-new"}])
    here.shared.clock.advance(2 * HOUR + 1)
    assert "hat-new" not in explored(here, shop.campaign)


def test_a_recipe_that_does_not_explore_knows_what_it_was_trained_on(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Popularity-Count recipe"."""
    recipe = "arn:aws:personalize:::recipe/aws-popularity-count"
    version = here.version(here.solution(shop.group, "popular", recipeArn=recipe))["solutionVersionArn"]
    campaign = here.campaign(version, "popular")
    here.events.put_items(datasetArn=shop.items, items=[{"itemId": "hat-new"}])
    here.shared.clock.advance(2 * HOUR + 1)
    assert "hat-new" not in explored(here, campaign)


CLICKS = {"eventType": "click", "metricName": "clicks", "expression": "SAMPLECOUNT()"}
REVENUE = {"eventType": "buy", "metricName": "revenue", "expression": "SUM(Items.PRICE)"}
OUTPUT = {"roleArn": ROLE, "s3DataDestination": {"path": "s3://bucket/reports/"}}


def attributed(cloud: Cloud, shop: Shop) -> str:
    arn = cloud.control.create_metric_attribution(
        name="effect", datasetGroupArn=shop.group, metrics=[CLICKS], metricsOutputConfig=OUTPUT
    )["metricAttributionArn"]
    cloud.settled("metric_attribution", arn)
    return str(arn)


def test_a_metric_attribution_is_created_changed_listed_and_deleted(here: Cloud, shop: Shop) -> None:
    """API reference, "CreateMetricAttribution" and its neighbours."""
    arn = attributed(here, shop)
    here.control.update_metric_attribution(metricAttributionArn=arn, addMetrics=[REVENUE])
    for _ in range(2):
        here.control.describe_metric_attribution(metricAttributionArn=arn)
    pages = list(
        here.control.get_paginator("list_metric_attribution_metrics").paginate(
            metricAttributionArn=arn, PaginationConfig={"PageSize": 1}
        )
    )
    assert [page["metrics"] for page in pages] == [[CLICKS], [REVENUE]]
    (listed,) = here.control.list_metric_attributions(datasetGroupArn=shop.group)["metricAttributions"]
    assert (listed["name"], listed["status"]) == ("effect", "ACTIVE")
    held = error_of(lambda: here.control.delete_dataset(datasetArn=shop.interactions))
    assert arn in held["Message"]
    here.control.delete_metric_attribution(metricAttributionArn=arn)
    here.gone("metric_attribution", arn)


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"addMetrics": [CLICKS]}, "ResourceAlreadyExistsException", "clicks already"),
        ({"removeMetrics": ["none"]}, "InvalidInputException", "has no metric none"),
        ({"addMetrics": [{**REVENUE, "expression": "MAX(Items.PRICE)"}]}, "InvalidInputException", "SUM("),
        ({"addMetrics": [{**REVENUE, "expression": "SUM(Items.SIZE)"}]}, "InvalidInputException", "SIZE"),
        ({}, "InvalidInputException", "must be given"),
    ],
)
def test_a_change_of_metrics_that_cannot_be_is_refused(
    here: Cloud, shop: Shop, change: dict[str, Any], code: str, said: str
) -> None:
    arn = attributed(here, shop)
    error = error_of(lambda: here.control.update_metric_attribution(metricAttributionArn=arn, **change))
    assert (error["Code"], said in error["Message"]) == (code, True)


def test_a_group_has_one_metric_attribution(here: Cloud, shop: Shop) -> None:
    attributed(here, shop)
    error = error_of(
        lambda: here.control.create_metric_attribution(
            name="second", datasetGroupArn=shop.group, metrics=[CLICKS], metricsOutputConfig=OUTPUT
        )
    )
    assert error["Code"] == "LimitExceededException"


def test_an_import_publishes_what_came_of_recommendations(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Publishing metric attribution reports to Amazon S3"."""
    group = here.group("told")
    document = json.loads(INTERACTIONS_SCHEMA)
    for name in ("RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE"):
        document["fields"].append({"name": name, "type": ["null", "string"]})
    dataset = here.dataset(group, here.schema(json.dumps(document), "told"))
    items = here.dataset(group, here.schema(ITEMS_SCHEMA, "told-items"), "Items")
    here.imported(items, items_csv(), "told-items")
    header, *lines = interactions_csv().splitlines()
    plain = "\n".join([f"{header},RECOMMENDATION_ID,EVENT_ATTRIBUTION_SOURCE", *(f"{x},," for x in lines)])
    here.imported(dataset, plain, "before")
    campaign = here.campaign(here.version(here.solution(group, "told"))["solutionVersionArn"], "told")
    recommendation = here.runtime.get_recommendations(campaignArn=campaign, userId="u")["recommendationId"]
    attribution = here.control.create_metric_attribution(
        name="told", datasetGroupArn=group, metrics=[CLICKS, REVENUE], metricsOutputConfig=OUTPUT
    )["metricAttributionArn"]
    here.settled("metric_attribution", attribution)
    quarter = 1_699_999_200
    sold = [
        f"u,hat-3,{quarter},buy,,{recommendation},",
        f"u,hat-4,{quarter + 899},Buy,,{recommendation},",
        f"u,hat-5,{quarter + 900},buy,,{recommendation},",
        f"u,hat-6,{quarter},buy,,{recommendation},newsletter",
        f"u,hat-7,{quarter},click,,,",
    ]
    job = here.imported(dataset, "\n".join([*plain.splitlines()[:1], *sold]) + "\n" + "\n".join(
        f"v,hat-1,{quarter},view,{n},," for n in range(1000)
    ), "told", publishAttributionMetricsToS3=True)  # fmt: skip
    assert job["status"] == "ACTIVE", job
    (key,) = [
        key for key in here.bucket.objects if key.startswith("reports/AggregatedAttributionMetrics - FULL - ")
    ]
    assert sorted(here.bucket.objects[key].decode().splitlines()[1:]) == sorted(
        [
            f"clicks,click,1.0,samplecount,SOURCE_NAME_UNDEFINED,{quarter}",
            f"revenue,buy,70.0,sum,{campaign},{quarter}",
            f"revenue,buy,50.0,sum,{campaign},{quarter + 900}",
            f"revenue,buy,60.0,sum,newsletter,{quarter}",
        ]
    )


def test_a_report_that_may_not_be_written_fails_the_import(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Giving Amazon Personalize access to Amazon S3 resources"."""
    output = {**OUTPUT, "roleArn": f"{ROLE}-of-nobody"}
    arn = here.control.create_metric_attribution(
        name="effect", datasetGroupArn=shop.group, metrics=[CLICKS], metricsOutputConfig=output
    )["metricAttributionArn"]
    here.settled("metric_attribution", arn)
    assert here.imported(shop.interactions, interactions_csv(), "quiet")["status"] == "ACTIVE"
    job = here.imported(shop.interactions, interactions_csv(), "loud", publishAttributionMetricsToS3=True)
    assert job["failureReason"] == "Insufficient privileges for accessing data in Amazon S3."
