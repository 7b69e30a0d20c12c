"""Operations on recommenders: use cases of domain dataset groups, trained and served and trained again.

Developer guide, "Domain recommenders in Amazon Personalize"; API reference, "CreateRecommender".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from local_cloud.personalize import recipes
from local_cloud.personalize.errors import already_exists, in_use, invalid, limit_exceeded
from local_cloud.personalize.lifecycle import START, STOP, Course, Failed
from local_cloud.personalize.region import Job, Region
from local_cloud.personalize.selection import check_metadata, exploration_of
from local_cloud.personalize.solutions import check_columns
from local_cloud.personalize.store import Resource
from local_cloud.personalize.training import Trained, TrainingRun, train
from local_cloud.personalize.training_data import Settings, changing, training
from local_cloud.personalize.use_cases import USE_CASES

MOST_PER_GROUP: Final = 5
MOST_PER_REGION: Final = 15

RETRAIN_EVERY: Final = 7 * 24 * 60 * 60.0
"""Seconds: a full retraining."""

_RETRAINING: Final = "RetrainRecommender"
_COURSES: Final[Mapping[str, Course]] = {"StopRecommender": STOP, "StartRecommender": START}

Request = Mapping[str, Any]
Answer = dict[str, Any]


def create_recommender(region: Region, request: Request) -> Answer:
    """Train on another thread, with the data of this moment."""
    store = region.store
    group = store.active("DatasetGroup", request["datasetGroupArn"])
    recipe = recipes.name_of(request["recipeArn"])
    _check_use_case(group, recipe)
    config = request.get("recommenderConfig", {})
    _check_config(region, group, recipe, config)
    arn = region.arn(f"recommender/{request['name']}")
    if store.peek(arn) is not None:
        raise already_exists(arn)
    for held, most in (
        (store.all("Recommender", datasetGroupArn=group.arn), MOST_PER_GROUP),
        (store.all("Recommender"), MOST_PER_REGION),
    ):
        if len(held) >= most:
            raise limit_exceeded(
                f"Cannot create a recommender. More than {most} resources in ACTIVE state. "
                "Please delete some and try again."
            )
    if busy := changing(region, group.arn):
        raise in_use(f"{group.arn} is still changing: {busy[0].arn} has status {busy[0].status}")
    region.create(
        "Recommender",
        arn,
        {
            "recommenderArn": arn,
            "datasetGroupArn": group.arn,
            "name": request["name"],
            "recipeArn": request["recipeArn"],
            "recommenderConfig": config,
        },
        tags=request.get("tags", ()),
        job=training_job,
    )
    return {"recommenderArn": arn}


def _check_use_case(group: Resource, recipe: str) -> None:
    domain = group.members.get("domain")
    if domain is None:
        raise invalid(f"{group.arn} has no domain: recommenders are of domain dataset groups")
    if recipe not in USE_CASES:
        raise invalid(f"{recipe} is not a use case of a domain: use a solution and a campaign")
    if USE_CASES[recipe].domain != domain:
        raise invalid(f"{recipe} is a use case of {USE_CASES[recipe].domain}, {group.arn} is of {domain}")


def _check_config(region: Region, group: Resource, recipe: str, config: Request) -> None:
    exploration_of(recipe, config)
    check_metadata(region, group.arn, config)
    check_columns(region, group.arn, config.get("trainingDataConfig", {}))


def training_job(region: Region, recommender: Resource, config: Request | None = None) -> Job:
    """In full, on all data that there are.

    :param config: a `recommenderConfig`; the recommender's own unless given.
    """
    members, group = recommender.members, recommender.members["datasetGroupArn"]
    columns = (members["recommenderConfig"] if config is None else config).get("trainingDataConfig", {})
    settings = replace(Settings.of(region, recommender), columns=columns)
    use_case = USE_CASES[settings.recipe]
    run = settings.run(**settings.data_of(region, group), hyperparameters={})
    changes = _data_changes(region, group)
    members["trainingAt"] = region.clock.now()

    def work(run: TrainingRun) -> Trained:
        if use_case.needs_items and not run.items:
            raise Failed("Create failed. The use case needs an Items dataset, and there are no items.")
        return train(run)

    def then(_: Trained) -> None:
        members["dataChanges"] = changes
        members.pop("itemsUpdatedAt", None)  # The new model has them all

    return training(region, recommender, run, then=then, work=work)


def update_recommender(region: Region, request: Request) -> Answer:
    """It serves as before until the update is ACTIVE; what is not given stays as it is."""
    recommender = region.store.active("Recommender", request["recommenderArn"])
    _check_free(recommender)
    before = recommender.members["recommenderConfig"]
    config = {**before, **request["recommenderConfig"]}
    group = region.store.get("DatasetGroup", recommender.members["datasetGroupArn"])
    _check_config(region, group, recipes.name_of(recommender.members["recipeArn"]), config)
    # Developer guide, "Updating a recommender": with the same columns no update occurs
    if config != before:
        new = {"recommenderConfig": config}
        job = update_job(region, recommender, new)
        region.update(recommender, new, member="latestRecommenderUpdate", job=job)
    return {"recommenderArn": recommender.arn}


def update_job(region: Region, recommender: Resource, new: Request) -> Job:
    """What an update changes once it is ACTIVE; other columns are trained on first, in full."""
    config = new["recommenderConfig"]

    def finish(_: Any) -> None:
        recommender.members.update(recommenderConfig=config, lastUpdatedDateTime=region.clock.stamp())

    before = recommender.members["recommenderConfig"]
    if config.get("trainingDataConfig", {}) == before.get("trainingDataConfig", {}):
        return Job(finish=finish)
    job = training_job(region, recommender, config)

    def finish_trained(trained: Any) -> None:
        job.finish(trained)
        finish(trained)

    return Job(work=job.work, finish=finish_trained)


def stop_recommender(region: Region, request: Request) -> Answer:
    """It keeps its model, and is neither served nor trained."""
    recommender = region.store.active("Recommender", request["recommenderArn"])
    _check_free(recommender)
    return _begin(region, recommender, "StopRecommender")


def start_recommender(region: Region, request: Request) -> Answer:
    """With the model that it has: retraining goes on by the clock."""
    recommender = region.store.get("Recommender", request["recommenderArn"])
    if recommender.status != STOP.done:
        raise in_use(f"{recommender.arn} must be INACTIVE for this, its status is {recommender.status}")
    return _begin(region, recommender, "StartRecommender")


def _begin(region: Region, recommender: Resource, operation: str) -> Answer:
    course = _COURSES[operation]
    recommender.members.update(status=course.pending, lastUpdatedDateTime=region.clock.stamp())
    resume(region, recommender, operation)
    return {"recommenderArn": recommender.arn}


def resume(region: Region, recommender: Resource, doing: str) -> None:
    """Go on with a stop, a start or a retraining."""
    if doing == _RETRAINING:
        _retrain(region, recommender)
    else:
        region.begin(doing, recommender, recommender.members, job=Job(), course=_COURSES[doing])


def delete_recommender(region: Region, request: Request) -> Answer:
    recommender = region.store.get("Recommender", request["recommenderArn"])
    _check_free(recommender)
    region.delete(recommender, then=lambda: forget(region, recommender))
    return {}


def forget(region: Region, recommender: Resource) -> None:
    region.trained.pop(recommender.arn, None)


def _check_free(recommender: Resource) -> None:
    """A retraining that the clock has begun keeps nobody from anything: it is given up."""
    if recommender.progress is not None and recommender.doing != _RETRAINING:
        raise in_use(f"{recommender.arn} has status {recommender.status}, or an update in progress")


def retrain_by_the_clock(region: Region) -> None:
    """Train every ACTIVE recommender anew a week after the last time, where there are new data since: it
    would be the same model without."""
    for recommender in region.store.everything():
        if recommender.kind != "Recommender" or not recommender.is_active or recommender.doing:
            continue
        members, group = recommender.members, recommender.members["datasetGroupArn"]
        is_due = region.clock.now() >= members["trainingAt"] + region.clock.lasts(RETRAIN_EVERY)
        if not is_due or changing(region, group):
            continue
        members["trainingAt"] = region.clock.now()
        if members["dataChanges"] != _data_changes(region, group):
            _retrain(region, recommender)


def _data_changes(region: Region, group: str) -> int:
    """How often the data of a dataset group have changed."""
    return sum(
        region.datasets[each.arn].changes for each in region.store.all("Dataset", datasetGroupArn=group)
    )


def _retrain(region: Region, recommender: Resource) -> None:
    """It stays ACTIVE and serves the old model meanwhile; where it fails, also afterwards."""
    job = training_job(region, recommender)

    def finish(trained: Any) -> None:
        job.finish(trained)
        recommender.members["lastUpdatedDateTime"] = region.clock.stamp()

    record = recommender.members["retraining"] = {"status": "CREATE PENDING"}
    region.begin(_RETRAINING, recommender, record, job=Job(work=job.work, finish=finish))
