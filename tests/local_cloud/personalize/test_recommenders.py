"""Operations on recommenders: from creation to deletion, and what keeps them up meanwhile."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local_cloud.personalize.faults import Fault
from local_cloud.personalize.service import Personalize
from local_cloud.personalize.state import StateFolder
from tests.local_cloud.personalize.domains import (
    DAY,
    ECOMMERCE,
    HOUR,
    INTERACTIONS,
    VIDEO_ON_DEMAND,
    DomainShop,
    avro,
    csv,
    domain_shop,
    shopping,
)
from tests.local_cloud.personalize.harness import ACCOUNT, ROLE, Cloud, error_of


@pytest.fixture
def shop(here: Cloud) -> DomainShop:
    return domain_shop(here, ECOMMERCE)


def statuses(shop: DomainShop, arn: str, number: int) -> list[str]:
    return [shop.described(arn)["status"] for _ in range(number)]


def code_of(call: Any) -> str:
    return error_of(call)["Code"]


def test_a_recommender_is_trained_and_tells_its_metrics(here: Cloud, shop: DomainShop) -> None:
    """API reference, "CreateRecommender", "DescribeRecommender"; guide, "Evaluating an Amazon Personalize
    domain recommender"."""
    arn = shop.creates("recommended-for-you")
    assert arn.endswith(":recommender/recommended-for-you")
    first = shop.described(arn)
    assert first["status"] == "CREATE IN_PROGRESS"
    assert "modelMetrics" not in first
    assert code_of(lambda: shop.answers(arn, userId="user-1")) == "ResourceNotFoundException"
    described = here.settled("recommender", arn)
    assert described["status"] == "ACTIVE"
    assert described["recommenderConfig"] == {}
    assert described["recipeArn"].endswith("aws-ecomm-recommended-for-you")
    assert {"coverage", "mean_reciprocal_rank_at_25", "precision_at_5"} <= described["modelMetrics"].keys()
    assert described["modelMetrics"]["normalized_discounted_cumulative_gain_at_25"] > 0.1
    assert "latestRecommenderUpdate" not in described
    (listed,) = here.control.list_recommenders(datasetGroupArn=shop.group)["recommenders"]
    assert listed == {name: described[name] for name in listed}
    assert set(listed) == {
        *("name", "recommenderArn", "datasetGroupArn", "recipeArn", "recommenderConfig"),
        *("status", "creationDateTime", "lastUpdatedDateTime"),
    }
    assert here.control.list_recommenders()["recommenders"] == [listed]


def few(kind: str, number: int) -> str:
    rows = [row for row in shopping() if str(row[3]).lower() != kind]
    kept = [row for row in shopping() if str(row[3]).lower() == kind][:number]
    return csv(INTERACTIONS, [*rows, *kept])


def test_a_use_case_needs_a_thousand_events_of_its_type(here: Cloud, shop: DomainShop) -> None:
    """Developer guide, "ECOMMERCE use cases": required event types; text as seen of solution versions."""
    here.imported(shop.interactions, few("purchase", 999), "few")
    failed = here.settled("recommender", shop.creates("popular-items-by-purchases"))
    assert failed["status"] == "CREATE FAILED"
    reason = "Dataset has fewer than 1000 interactions after filtering by event type: Purchase"
    assert failed["failureReason"] == reason
    assert "modelMetrics" not in failed
    # Those that do not ask for purchases are made
    assert shop.has("popular-items-by-views")
    assert shop.has("recommended-for-you")
    for row in range(1):
        shop.sends(f"user-{row}", "socks", "Purchase")
    assert shop.has("popular-items-by-purchases", "again")


def test_a_use_case_needs_25_users_with_two_interactions(here: Cloud, shop: DomainShop) -> None:
    """Developer guide, "Choosing a use case"."""
    rows = [row for row in shopping() if int(str(row[0]).removeprefix("user-")) < 24]
    here.imported(shop.interactions, csv(INTERACTIONS, rows), "few")
    failed = here.settled("recommender", shop.creates("recommended-for-you"))
    assert "fewer than 25 users with at least 2 interactions" in failed["failureReason"]


def test_more_like_x_needs_items(here: Cloud) -> None:
    """Developer guide, "VIDEO_ON_DEMAND use cases": More like X, datasets used when training."""
    video = domain_shop(here, VIDEO_ON_DEMAND)
    here.control.delete_dataset(datasetArn=video.items)
    here.gone("dataset", video.items)
    failed = here.settled("recommender", video.creates("more-like-x"))
    assert "needs an Items dataset" in failed["failureReason"]
    assert video.has("most-popular")


def test_nothing_is_made_of_data_that_are_still_coming(here: Cloud) -> None:
    """API reference, "CreateRecommender": ResourceInUseException."""
    here.shared.clock.set_time("realistic")
    group = here.control.create_dataset_group(name="shop", domain="ECOMMERCE")["datasetGroupArn"]
    create = partial(
        here.control.create_recommender,
        name="r",
        datasetGroupArn=group,
        recipeArn="arn:aws:personalize:::recipe/aws-ecomm-recommended-for-you",
    )
    assert code_of(create) == "ResourceInUseException"
    here.shared.clock.advance(120)
    schema = here.schema(avro("Interactions", INTERACTIONS), domain="ECOMMERCE")
    here.control.create_dataset(name="i", datasetGroupArn=group, schemaArn=schema, datasetType="Interactions")
    assert code_of(create) == "ResourceInUseException"
    missing = partial(create, datasetGroupArn=f"{group}-of-nobody")
    assert code_of(missing) == "ResourceNotFoundException"
    unknown = partial(create, recipeArn="arn:aws:personalize:::recipe/aws-ecomm-nothing")
    here.shared.clock.advance(120)
    assert code_of(unknown) == "ResourceNotFoundException"


def test_a_recommender_is_the_only_one_of_its_name_and_a_group_has_five(
    here: Cloud, shop: DomainShop
) -> None:
    """Developer guide, "Amazon Personalize endpoints and quotas": recommenders per dataset group."""
    shop.has("recommended-for-you", "r0")
    assert code_of(lambda: shop.creates("popular-items-by-views", "r0")) == "ResourceAlreadyExistsException"
    for number in range(1, 5):
        shop.has("popular-items-by-views", f"r{number}")
    assert code_of(lambda: shop.creates("popular-items-by-views", "r5")) == "LimitExceededException"


def test_a_region_has_fifteen_recommenders(here: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Developer guide, "Domain recommenders in Amazon Personalize": at most 15 per Region."""
    from local_cloud.personalize import recommender_operations

    assert recommender_operations.MOST_PER_REGION == 15
    monkeypatch.setattr(recommender_operations, "MOST_PER_REGION", 2)
    shop, video = domain_shop(here, ECOMMERCE), domain_shop(here, VIDEO_ON_DEMAND)
    shop.has("recommended-for-you")
    video.has("top-picks")
    assert code_of(lambda: shop.creates("popular-items-by-views")) == "LimitExceededException"


def test_a_stopped_recommender_is_neither_asked_nor_changed_and_starts_with_its_model(
    here: Cloud, shop: DomainShop
) -> None:
    """API reference, "StopRecommender", "StartRecommender"; guide, "Stopping a recommender"."""
    arn = shop.has("recommended-for-you")
    before = shop.answers(arn, userId="user-1")
    assert here.control.stop_recommender(recommenderArn=arn)["recommenderArn"] == arn
    assert code_of(lambda: here.control.stop_recommender(recommenderArn=arn)) == "ResourceInUseException"
    assert here.control.list_recommenders()["recommenders"][0]["status"] == "INACTIVE"
    assert code_of(lambda: shop.answers(arn, userId="user-1")) == "ResourceNotFoundException"
    for call in (
        partial(here.control.stop_recommender, recommenderArn=arn),
        partial(
            here.control.update_recommender,
            recommenderArn=arn,
            recommenderConfig={"minRecommendationRequestsPerSecond": 2},
        ),
    ):
        assert code_of(call) == "ResourceInUseException"
    assert shop.described(arn)["modelMetrics"]
    assert here.control.start_recommender(recommenderArn=arn)["recommenderArn"] == arn
    assert statuses(shop, arn, 2) == ["START IN_PROGRESS", "ACTIVE"]
    assert shop.answers(arn, userId="user-1") == before
    assert code_of(lambda: here.control.start_recommender(recommenderArn=arn)) == "ResourceInUseException"


def test_a_stop_takes_its_course(here: Cloud, shop: DomainShop) -> None:
    """API reference, "CreateRecommender", status."""
    arn = shop.has("recommended-for-you")
    here.shared.clock.set_time("realistic")
    here.control.stop_recommender(recommenderArn=arn)
    seen = []
    for _ in range(3):
        seen += statuses(shop, arn, 1)
        here.shared.clock.advance(31)
    assert seen == ["STOP PENDING", "STOP IN_PROGRESS", "INACTIVE"]
    here.control.start_recommender(recommenderArn=arn)
    assert statuses(shop, arn, 2) == ["START PENDING"] * 2


def test_an_update_is_told_beside_an_active_recommender_and_trains_only_for_other_columns(
    here: Cloud, shop: DomainShop
) -> None:
    """API reference, "UpdateRecommender", `RecommenderUpdateSummary`; guide, "Updating a recommender"."""
    arn = shop.has("recommended-for-you")
    update = partial(here.control.update_recommender, recommenderArn=arn)
    trained = here.service.region.trained[arn]
    assert update(recommenderConfig={"minRecommendationRequestsPerSecond": 3})["recommenderArn"] == arn
    assert code_of(lambda: update(recommenderConfig={})) == "ResourceInUseException"
    assert here.settled("recommender", arn)["recommenderConfig"] == {"minRecommendationRequestsPerSecond": 3}
    assert here.service.region.trained[arn] is trained
    columns = {"excludedDatasetColumns": {"ITEMS": ["CATEGORY_L1"]}}
    update(recommenderConfig={"trainingDataConfig": columns})
    described = shop.described(arn)
    assert (described["status"], "trainingDataConfig" in described["recommenderConfig"]) == ("ACTIVE", False)
    assert described["latestRecommenderUpdate"]["status"] == "CREATE IN_PROGRESS"
    assert shop.answers(arn, userId="user-1")
    after = here.settled("recommender", arn)
    # What is not given stays as it is
    assert after["recommenderConfig"] == {
        "minRecommendationRequestsPerSecond": 3,
        "trainingDataConfig": columns,
    }
    now = here.service.region.trained[arn]
    assert now is not trained
    assert now.run.items is not None
    assert now.run.items["camera"].keys() == {"ITEM_ID", "PRICE", "GENDER"}
    # With the same columns no update occurs
    update(recommenderConfig={"trainingDataConfig": columns})
    assert shop.described(arn)["latestRecommenderUpdate"] == after["latestRecommenderUpdate"]


def test_an_update_that_fails_leaves_what_there_was(here: Cloud, shop: DomainShop) -> None:
    """API reference, `RecommenderUpdateSummary`: failureReason."""
    arn = shop.has("recommended-for-you")
    here.shared.faults.inject(Fault(operation="UpdateRecommender", outcome="failed", message="no room"))
    config = {"itemExplorationConfig": {"explorationWeight": "0.5"}}
    here.control.update_recommender(recommenderArn=arn, recommenderConfig=config)
    described = here.settled("recommender", arn)
    assert (described["status"], described["recommenderConfig"]) == ("ACTIVE", {})
    assert described["latestRecommenderUpdate"]["failureReason"] == "no room"
    assert shop.answers(arn, userId="user-1")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"itemExplorationConfig": {"explorationWeight": "2"}}, "from 0 to 1"),
        ({"itemExplorationConfig": {"exploration": "1"}}, "explorationItemAgeCutOff"),
        ({"trainingDataConfig": {"excludedDatasetColumns": {"ITEMS": ["NOTHING"]}}}, "no column NOTHING"),
        (
            {"trainingDataConfig": {"excludedDatasetColumns": {"INTERACTIONS": ["EVENT_TYPE"]}}},
            "must not hold EVENT_TYPE",
        ),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(
    here: Cloud, shop: DomainShop, config: dict[str, Any], said: str
) -> None:
    """API reference, `RecommenderConfig`; guide, "Configuring columns used when creating an Amazon
    Personalize domain recommender"."""
    arn = shop.has("recommended-for-you")
    for call in (
        lambda: shop.creates("recommended-for-you", "other", **config),
        lambda: here.control.update_recommender(recommenderArn=arn, recommenderConfig=config),
    ):
        error = error_of(call)
        assert error["Code"] == "InvalidInputException"
        assert said in error["Message"]


def test_only_personal_use_cases_explore(shop: DomainShop) -> None:
    """API reference, `RecommenderConfig`, itemExplorationConfig: "not popular items or similar items"."""
    config: dict[str, Any] = {"itemExplorationConfig": {"explorationWeight": "0.1"}}
    for use_case in ("popular-items-by-views", "customers-who-viewed-x-also-viewed"):
        error = error_of(partial(shop.creates, use_case, **config))
        assert "does not explore" in error["Message"]
    assert shop.has("recommended-for-you", **config)


def test_models_are_trained_anew_every_week_where_there_are_new_data(here: Cloud, shop: DomainShop) -> None:
    """Developer guide, "Domain recommenders in Amazon Personalize": a full retraining every 7 days."""
    arn = shop.has("popular-items-by-views")
    trained = here.service.region.trained
    first = trained[arn]
    here.shared.clock.advance(7 * DAY + 1)
    here.settled("recommender", arn)
    assert trained[arn] is first  # Nothing new to learn
    for number in range(900):
        shop.sends(f"fan-{number}", "novelty", "View")
    assert "novelty" not in shop.answers(arn, userId="user-1", numResults=100)
    here.shared.clock.advance(7 * DAY + 1)
    assert shop.described(arn)["status"] == "ACTIVE"
    finished(here, arn)
    assert shop.answers(arn, userId="user-1")[:2] == ["window", "novelty"]
    second = trained[arn]
    shop.sends("fan-1", "novelty", "View")
    here.shared.clock.advance(6 * DAY)
    finished(here, arn)
    assert trained[arn] is second


def finished(cloud: Cloud, arn: str) -> None:
    """Let a retraining that is under way come to its end; it shows in no status."""
    store = cloud.service.region.store
    with store.turn():
        progress = store.get("Recommender", arn).progress
    if progress is not None and progress.work is not None:
        progress.work.result(30)
    for _ in range(2):
        cloud.control.describe_recommender(recommenderArn=arn)


def test_a_stopped_recommender_is_not_trained_and_is_when_it_starts(here: Cloud, shop: DomainShop) -> None:
    """API reference, "StopRecommender": halts automatic retraining; "StartRecommender" resumes it."""
    arn = shop.has("popular-items-by-views")
    first = here.service.region.trained[arn]
    here.control.stop_recommender(recommenderArn=arn)
    here.settled("recommender", arn)
    shop.sends("fan", "novelty", "View")
    here.shared.clock.advance(30 * DAY)
    finished(here, arn)
    assert here.service.region.trained[arn] is first
    here.control.start_recommender(recommenderArn=arn)
    here.settled("recommender", arn)
    here.control.list_schemas()  # Time is looked at when a request comes
    finished(here, arn)
    assert here.service.region.trained[arn] is not first


def test_a_retraining_keeps_nobody_from_stopping_or_deleting(here: Cloud, shop: DomainShop) -> None:
    arn = shop.has("popular-items-by-views")
    shop.sends("fan", "novelty", "View")
    here.shared.clock.advance(8 * DAY)
    here.control.list_schemas()
    assert here.service.region.store.everything()[-1].doing == "RetrainRecommender"
    here.control.stop_recommender(recommenderArn=arn)
    assert here.settled("recommender", arn)["status"] == "INACTIVE"
    here.control.delete_recommender(recommenderArn=arn)
    here.gone("recommender", arn)


def test_what_is_deleted_before_what(here: Cloud, shop: DomainShop) -> None:
    """API reference, "DeleteRecommender"; guide, "Deleting a dataset to delete all of its data"."""
    control = here.control
    arn = shop.creates("recommended-for-you")
    assert code_of(lambda: control.delete_recommender(recommenderArn=arn)) == "ResourceInUseException"
    # In training it needs its data
    assert arn in error_of(lambda: control.delete_dataset(datasetArn=shop.items))["Message"]
    here.settled("recommender", arn)
    control.delete_dataset(datasetArn=shop.items)
    here.gone("dataset", shop.items)
    assert shop.answers(arn, userId="user-1")
    tracker = control.list_event_trackers()["eventTrackers"][0]["eventTrackerArn"]
    for kind, name in (("event_tracker", tracker), ("dataset", shop.interactions)):
        member = {"event_tracker": "eventTrackerArn", "dataset": "datasetArn"}[kind]
        getattr(control, f"delete_{kind}")(**{member: name})
        here.gone(kind, name)
    error = error_of(lambda: control.delete_dataset_group(datasetGroupArn=shop.group))
    assert (error["Code"], arn in error["Message"]) == ("ResourceInUseException", True)
    control.delete_recommender(recommenderArn=arn)
    described = shop.described(arn)
    assert (described["status"], "modelMetrics" in described) == ("DELETE IN_PROGRESS", False)
    here.gone("recommender", arn)
    assert code_of(lambda: shop.answers(arn, userId="user-1")) == "ResourceNotFoundException"
    assert here.service.region.trained == {}
    control.delete_dataset_group(datasetGroupArn=shop.group)
    here.gone("dataset_group", shop.group)


def test_a_recommender_has_tags(here: Cloud, shop: DomainShop) -> None:
    """API reference, "CreateRecommender", "TagResource"."""
    arn = here.control.create_recommender(
        name="r",
        datasetGroupArn=shop.group,
        recipeArn="arn:aws:personalize:::recipe/aws-ecomm-recommended-for-you",
        tags=[{"tagKey": "team", "tagValue": "shop"}],
    )["recommenderArn"]
    here.control.tag_resource(resourceArn=arn, tags=[{"tagKey": "cost", "tagValue": "1"}])
    here.control.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert here.control.list_tags_for_resource(resourceArn=arn)["tags"] == [
        {"tagKey": "cost", "tagValue": "1"}
    ]


def test_a_recommender_takes_what_it_has_been_given_and_then_throttles(here: Cloud, shop: DomainShop) -> None:
    """Developer guide, "Domain recommenders in Amazon Personalize": minimum requests per second."""
    arn = shop.has("popular-items-by-views", minRecommendationRequestsPerSecond=2)
    moment = [2e9]
    here.shared.clock._source = lambda: moment[0]
    here.shared.settings.throttling = True

    def code() -> str:
        try:
            here.runtime_once.get_recommendations(recommenderArn=arn, userId="user-1")
        except here.runtime.exceptions.ClientError as error:
            return str(error.response["Error"]["Code"])
        return "200"

    assert [code() for _ in range(3)] == ["200", "200", "ThrottlingException"]


def test_faults_strike_recommenders_like_everything_else(here: Cloud, shop: DomainShop) -> None:
    faults = here.shared.faults
    faults.inject(Fault(operation="CreateRecommender", outcome="failed", message="no room", count=1))
    failed = here.settled("recommender", shop.creates("recommended-for-you", "r"))
    assert (failed["status"], failed["failureReason"]) == ("CREATE FAILED", "no room")
    arn = shop.has("recommended-for-you", "s")
    stuck = faults.inject(Fault(operation="StopRecommender", outcome="stuck"))
    here.control.stop_recommender(recommenderArn=arn)
    assert statuses(shop, arn, 3) == ["STOP PENDING"] * 3
    faults.clear(stuck.id)
    assert statuses(shop, arn, 2) == ["STOP IN_PROGRESS", "INACTIVE"]
    faults.inject(Fault(operation="GetRecommendations", resource="*recommender/s", error="InternalFailure"))
    with pytest.raises(here.runtime.exceptions.ClientError, match="InternalFailure"):
        here.runtime_once.get_recommendations(recommenderArn=arn, userId="user-1")


def restarted(cloud: Cloud, folder: Path) -> tuple[Personalize, Cloud]:
    with cloud.service.region.store.turn():
        StateFolder(folder).keep(cloud.service.region)
    service = Personalize(
        account=ACCOUNT,
        region="us-east-1",
        control=cloud.shared,
        storage=cloud.bucket,
        state=StateFolder(folder),
    )
    return service, Cloud(service=service, shared=cloud.shared, bucket=cloud.bucket)


def test_a_restart_keeps_recommenders_and_goes_on_with_what_was_under_way(
    here: Cloud, shop: DomainShop, tmp_path: Path
) -> None:
    active = shop.has("recommended-for-you")
    stopping = shop.has("popular-items-by-views")
    updating = shop.has("frequently-bought-together")
    shop.sends("stranger", "camera", "View")
    properties = '{"price": 3.5, "categoryL1": "home"}'
    here.events.put_items(datasetArn=shop.items, items=[{"itemId": "novelty", "properties": properties}])
    here.shared.clock.advance(2 * HOUR + 1)
    before = shop.answers(active, userId="stranger", numResults=100)
    here.shared.clock.set_time("realistic")
    here.control.stop_recommender(recommenderArn=stopping)
    here.control.update_recommender(
        recommenderArn=updating,
        recommenderConfig={"trainingDataConfig": {"excludedDatasetColumns": {"ITEMS": ["GENDER"]}}},
    )
    creating = shop.creates("popular-items-by-purchases")
    service, after = restarted(here, tmp_path)
    try:
        again = DomainShop(**{**vars(shop), "cloud": after})
        assert again.answers(active, userId="stranger", numResults=100) == before
        assert again.described(active)["modelMetrics"] == shop.described(active)["modelMetrics"]
        assert again.described(stopping)["status"] == "STOP PENDING"
        here.shared.clock.set_time("none")
        assert after.settled("recommender", creating)["status"] == "ACTIVE"
        assert after.settled("recommender", stopping)["status"] == "INACTIVE"
        assert after.settled("recommender", updating)["recommenderConfig"]["trainingDataConfig"]
        assert again.answers(creating, userId="user-1")[0] == "socks"
    finally:
        service.close()


def test_a_users_data_leave_a_recommenders_model_too(here: Cloud, shop: DomainShop) -> None:
    """Developer guide, "Deleting users and their data with a data deletion job"."""
    arn = shop.has("popular-items-by-views")
    assert shop.answers(arn, userId="user-50")[0] == "window"
    here.bucket.objects["erase/users.csv"] = b"USER_ID\n" + b"".join(
        f"user-{number}\n".encode() for number in range(6)
    )
    job = here.control.create_data_deletion_job(
        jobName="erase",
        datasetGroupArn=shop.group,
        roleArn=ROLE,
        dataSource={"dataLocation": "s3://bucket/erase/"},
    )["dataDeletionJobArn"]
    assert here.settled("data_deletion_job", job)["status"] == "COMPLETED"
    # Only they have looked into the window
    assert shop.answers(arn, userId="user-50")[-1] != shop.answers(arn, userId="user-50")[0] == "camera"
