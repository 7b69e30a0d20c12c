"""Operations on solutions and solution versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_cloud.personalize import recipes
from local_cloud.personalize.errors import already_exists, in_use, invalid, limit_exceeded, not_here
from local_cloud.personalize.lifecycle import STOPPED, STOPPING, Progress
from local_cloud.personalize.region import Region, random_id
from local_cloud.personalize.store import Resource
from local_cloud.personalize.training import Trained, TrainingRun, train

MOST_PER_GROUP = 10
MOST_PENDING = 20

Request = Mapping[str, Any]
Answer = dict[str, Any]


def create_solution(region: Region, request: Request) -> Answer:
    group = region.store.active("DatasetGroup", request["datasetGroupArn"])
    if request.get("performAutoML"):
        raise not_here("performAutoML")
    if request.get("performHPO"):
        raise not_here("performHPO")
    if "recipeArn" not in request:
        raise invalid("recipeArn is required unless performAutoML is true")
    recipes.check_parameters(recipes.name_of(request["recipeArn"]), request.get("solutionConfig", {}))
    _read_threshold(request.get("solutionConfig", {}))
    arn = region.arn(f"solution/{request['name']}")
    if region.store.peek(arn) is not None:
        raise already_exists(arn)
    if len(region.store.all("Solution", datasetGroupArn=group.arn)) >= MOST_PER_GROUP:
        raise limit_exceeded(f"{group.arn} has {MOST_PER_GROUP} solutions already")
    members = {key: value for key, value in request.items() if key != "tags"}
    defaults = {"performHPO": False, "performAutoML": False, "performAutoTraining": True}
    region.create("Solution", arn, {**defaults, **members, "solutionArn": arn}, tags=request.get("tags", ()))
    return {"solutionArn": arn}


def delete_solution(region: Region, request: Request) -> Answer:
    """With its versions."""
    solution = region.store.get("Solution", request["solutionArn"])
    if solution.progress is not None:
        raise in_use(f"{solution.arn} has status {solution.status}")
    versions = region.store.all("SolutionVersion", solutionArn=solution.arn)
    busy = [version for version in versions if version.is_being_created]
    if holders := [*region.store.all("Campaign", solutionArn=solution.arn), *busy]:
        raise in_use(f"{solution.arn} is in use by {', '.join(holder.arn for holder in holders)}")

    def forget() -> None:
        for version in versions:
            region.store.remove(version)
            region.models.pop(version.arn, None)

    region.delete(solution, then=forget)
    return {}


def create_solution_version(region: Region, request: Request) -> Answer:
    """Train on another thread, with the data of this moment."""
    store = region.store
    solution = store.active("Solution", request["solutionArn"])
    group = solution.members["datasetGroupArn"]
    datasets = store.all("Dataset", datasetGroupArn=group)
    jobs = [job for dataset in datasets for job in store.all("DatasetImportJob", datasetArn=dataset.arn)]
    if busy := [resource for resource in [*datasets, *jobs] if resource.is_being_created]:
        raise in_use(f"{group} is still changing: {busy[0].arn} has status {busy[0].status}")
    mode = request.get("trainingMode", "FULL")
    versions = store.all("SolutionVersion", solutionArn=solution.arn)
    if mode == "AUTOTRAIN":
        raise invalid("trainingMode must be FULL or UPDATE, got AUTOTRAIN")
    if mode == "UPDATE" and not any(version.is_active for version in versions):
        raise invalid(f"{solution.arn} must be trained with trainingMode FULL before UPDATE")
    if any("name" in request and version.members.get("name") == request["name"] for version in versions):
        raise already_exists(f"{solution.arn}/{request['name']}")
    if sum(v.is_being_created for v in store.all("SolutionVersion")) >= MOST_PENDING:
        raise limit_exceeded(f"More than {MOST_PENDING} resources with PENDING or IN_PROGRESS status.")
    arn = f"{solution.arn}/{random_id()}"
    _start(region, solution, arn, {**request, "trainingMode": mode})
    return {"solutionVersionArn": arn}


_OF_THE_SOLUTION = (
    "performHPO",
    "performAutoML",
    "performIncrementalUpdate",
    "recipeArn",
    "eventType",
    "datasetGroupArn",
    "solutionConfig",
)


def _start(region: Region, solution: Resource, arn: str, request: Request) -> None:
    group = solution.members["datasetGroupArn"]
    run = _training_run(region, solution)
    interactions = region.dataset(group, "INTERACTIONS")
    told = len(interactions.events.told) if interactions else 0
    named = {"name": request["name"]} if "name" in request else {}

    def finish(trained: Trained) -> None:
        version.members["trainingHours"] = trained.hours
        region.models[arn] = trained.model
        # What was streamed while it was in training
        for touch in interactions.events.told[told:] if interactions else ():
            trained.model.record(touch.user_id, touch.item_id, touch.timestamp)

    version = region.create(
        "SolutionVersion",
        arn,
        {
            **{key: solution.members[key] for key in _OF_THE_SOLUTION if key in solution.members},
            **named,
            "solutionVersionArn": arn,
            "solutionArn": solution.arn,
            "trainingMode": request["trainingMode"],
            "trainingType": "MANUAL",
        },
        tags=request.get("tags", ()),
        work=lambda: train(run),
        finish=finish,
    )


def _training_run(region: Region, solution: Resource) -> TrainingRun:
    group = solution.members["datasetGroupArn"]
    config = solution.members.get("solutionConfig", {})
    interactions, items = region.dataset(group, "INTERACTIONS"), region.dataset(group, "ITEMS")
    return TrainingRun(
        recipe=recipes.name_of(solution.members["recipeArn"]),
        imported=interactions.bulk.touches if interactions and interactions.bulk else (),
        streamed=interactions.events.touches() if interactions else (),
        items=items.records() if items else None,
        hyperparameters={
            **config.get("algorithmHyperParameters", {}),
            **config.get("featureTransformationParameters", {}),
        },
        event_type=solution.members.get("eventType"),
        threshold=_read_threshold(config),
    )


def _read_threshold(config: Mapping[str, Any]) -> float | None:
    text = config.get("eventValueThreshold")
    try:
        return None if text is None else float(text)
    except ValueError:
        raise invalid(f"eventValueThreshold must be a number, got {text}") from None


def stop_solution_version_creation(region: Region, request: Request) -> Answer:
    version = region.store.get("SolutionVersion", request["solutionVersionArn"])
    if not version.is_being_created or version.status == STOPPING:
        raise in_use(f"{version.arn} is not being created, its status is {version.status}")
    version.members.update(status=STOPPING, lastUpdatedDateTime=region.clock.stamp())
    version.progress = Progress(record=version.members, steps=[STOPPED], since=region.clock.now())
    return {}


def get_solution_metrics(region: Region, request: Request) -> Answer:
    version = region.store.active("SolutionVersion", request["solutionVersionArn"])
    return {"solutionVersionArn": version.arn, "metrics": dict(region.models[version.arn].metrics)}
