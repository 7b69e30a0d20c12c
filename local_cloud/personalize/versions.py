"""Operations on solution versions: trainings, by hand and by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from local_cloud.personalize import recipes
from local_cloud.personalize.errors import already_exists, in_use, invalid, limit_exceeded
from local_cloud.personalize.lifecycle import STOPPED, STOPPING, Failed, Progress
from local_cloud.personalize.region import Job, Region, random_id
from local_cloud.personalize.solutions import interval_of
from local_cloud.personalize.store import Resource
from local_cloud.personalize.training import Trained, TrainingRun, train
from local_cloud.personalize.training_data import Settings, changing, training

MOST_PENDING: Final = 20

_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR
_OF_THE_SOLUTION: Final = (
    "performHPO",
    "performAutoML",
    "performIncrementalUpdate",
    "recipeArn",
    "eventType",
    "datasetGroupArn",
    "solutionConfig",
)

Request = Mapping[str, Any]
Answer = dict[str, Any]


def create_solution_version(region: Region, request: Request) -> Answer:
    """Train on another thread, with the data of this moment."""
    store = region.store
    solution = store.active("Solution", request["solutionArn"])
    group = solution.members["datasetGroupArn"]
    if busy := changing(region, group):
        raise in_use(f"{group} is still changing: {busy[0].arn} has status {busy[0].status}")
    mode = request.get("trainingMode", "FULL")
    versions = store.all("SolutionVersion", solutionArn=solution.arn)
    if mode == "AUTOTRAIN":
        raise invalid("trainingMode must be FULL or UPDATE, got AUTOTRAIN")
    if mode == "UPDATE":
        _check_update(solution, versions)
    if any("name" in request and version.members.get("name") == request["name"] for version in versions):
        raise already_exists(f"{solution.arn}/{request['name']}")
    if sum(v.is_being_created for v in store.all("SolutionVersion")) >= MOST_PENDING:
        raise limit_exceeded(f"More than {MOST_PENDING} resources with PENDING or IN_PROGRESS status.")
    named = {"name": request["name"]} if "name" in request else {}
    version = _start(
        region, solution, {"trainingMode": mode, "trainingType": "MANUAL", **named}, request.get("tags", ())
    )
    return {"solutionVersionArn": version.arn}


def _check_update(solution: Resource, versions: list[Resource]) -> None:
    """API reference, "CreateSolutionVersion": UPDATE goes on from a version that was trained in full."""
    recipe = recipes.name_of(solution.members["recipeArn"])
    if recipe not in recipes.UPDATABLE:
        raise invalid(f"trainingMode UPDATE is for {', '.join(sorted(recipes.UPDATABLE))}, got {recipe}")
    if not any(version.is_active and version.members["trainingMode"] != "UPDATE" for version in versions):
        raise invalid(f"{solution.arn} must be trained with trainingMode FULL before UPDATE")


def _start(region: Region, solution: Resource, members: Request, tags: Any) -> Resource:
    arn = f"{solution.arn}/{random_id()}"
    kept: Answer = {key: solution.members[key] for key in _OF_THE_SOLUTION if key in solution.members}
    return region.create(
        "SolutionVersion",
        arn,
        {**kept, **members, "solutionVersionArn": arn, "solutionArn": solution.arn},
        tags=tags,
        job=training_job,
    )


def training_job(region: Region, version: Resource) -> Job:
    members = version.members
    members["dataChanges"] = _interactions_changes(region, members["datasetGroupArn"])

    def then(trained: Trained) -> None:
        members["trainingHours"] = trained.hours
        if trained.tuned is not None:
            members["tunedHPOParams"] = {"algorithmHyperParameters": dict(trained.tuned)}

    lack = Settings.of(region, version).lack(region, members["datasetGroupArn"])

    def work(run: TrainingRun) -> Trained:
        if lack is not None:
            raise Failed(f"Create failed. {lack}")
        return train(run)

    return training(region, version, _training_run(region, version), then=then, work=work)


def _training_run(region: Region, version: Resource) -> TrainingRun:
    """UPDATE trains on what is new with the hyperparameters that the last full training has chosen."""
    members = version.members
    config = members.get("solutionConfig", {})
    given: dict[str, str] = {
        **config.get("algorithmHyperParameters", {}),
        **config.get("featureTransformationParameters", {}),
    }
    searches = members.get("performHPO", False)
    if members["trainingMode"] == "UPDATE" and searches:
        searches, given = False, {**given, **_tuned_before(region, version)}
    settings = Settings.of(region, version)
    return settings.run(
        **settings.data_of(region, members["datasetGroupArn"]),
        hyperparameters=given,
        search=recipes.search_of(settings.recipe, config) if searches else None,
    )


def _tuned_before(region: Region, version: Resource) -> Mapping[str, str]:
    for earlier in reversed(region.store.all("SolutionVersion", solutionArn=version.members["solutionArn"])):
        if earlier.is_active and "tunedHPOParams" in earlier.members:
            tuned: Mapping[str, str] = earlier.members["tunedHPOParams"]["algorithmHyperParameters"]
            return tuned
    return {}


def train_by_the_clock(region: Region) -> None:
    """Start every automatic training that is due.

    API reference, "CreateSolution": the first within an hour of ACTIVE, unless a version was created by
    hand within it, then every 7 days or as the solution says; developer guide, "Configuring automatic
    training": only where there are new data since. Here the first comes when the hour is over.
    """
    for solution in region.store.everything():
        if solution.kind != "Solution" or not solution.is_active:
            continue
        if not solution.members["performAutoTraining"] or solution.doing:
            continue
        if region.clock.now() >= _due(region, solution):
            _train_automatically(region, solution)


def _due(region: Region, solution: Resource) -> float:
    """Unix seconds of the next automatic training."""
    last = float(solution.members.get("automaticTrainingAt", 0.0))
    if not last:
        return float(solution.members["lastUpdatedDateTime"]) + region.clock.lasts(_HOUR)
    return last + region.clock.lasts(interval_of(solution.members.get("solutionConfig", {})) * _DAY)


def _train_automatically(region: Region, solution: Resource) -> None:
    versions = [
        each
        for each in region.store.everything()
        if each.kind == "SolutionVersion" and each.members["solutionArn"] == solution.arn
    ]
    group = solution.members["datasetGroupArn"]
    if any(version.is_being_created for version in versions) or changing(region, group):
        return  # In the next turn
    first = "automaticTrainingAt" not in solution.members
    solution.members["automaticTrainingAt"] = region.clock.now()
    if first and versions:
        return
    if versions and versions[-1].members.get("dataChanges") == _interactions_changes(region, group):
        return
    _start(region, solution, {"trainingMode": "AUTOTRAIN", "trainingType": "AUTOMATIC"}, ())


def _interactions_changes(region: Region, group: str) -> int:
    """How often the interactions have changed, which are what a training by the clock waits for."""
    dataset = region.dataset(group, "INTERACTIONS")
    return dataset.changes if dataset else 0


def stop_solution_version_creation(region: Region, request: Request) -> Answer:
    version = region.store.get("SolutionVersion", request["solutionVersionArn"])
    if not version.is_being_created or version.status == STOPPING:
        raise in_use(f"{version.arn} is not being created, its status is {version.status}")
    version.members.update(status=STOPPING, lastUpdatedDateTime=region.clock.stamp())
    stop(region, version)
    return {}


def stop(region: Region, version: Resource) -> None:
    """CREATE STOPPING -> CREATE STOPPED."""
    version.doing = "StopSolutionVersionCreation"
    version.progress = Progress(
        record=version.members,
        steps=[STOPPED],
        since=region.clock.now(),
        operation=version.doing,
        fault=region.control.faults.of_resource(version.doing, version.arn),
    )


def get_solution_metrics(region: Region, request: Request) -> Answer:
    version = region.store.active("SolutionVersion", request["solutionVersionArn"])
    return {"solutionVersionArn": version.arn, "metrics": dict(region.model(version.arn).metrics)}
