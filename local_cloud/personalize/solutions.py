"""Operations on solutions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from local_cloud.personalize import recipes
from local_cloud.personalize.errors import already_exists, in_use, invalid, limit_exceeded, not_here
from local_cloud.personalize.recommenders import EventWeights, Objective
from local_cloud.personalize.region import Job, Region
from local_cloud.personalize.schemas import NUMERIC, dataset_type_of
from local_cloud.personalize.store import Resource
from local_cloud.personalize.use_cases import USE_CASES

MOST_PER_GROUP: Final = 10

_WITH_OBJECTIVE: Final = ("aws-user-personalization", "aws-personalized-ranking")
_INCREMENTAL: Final = "aws-semantic-similarity"
_UPDATES: Final = ("performAutoTraining", "performIncrementalUpdate", "solutionUpdateConfig")

Request = Mapping[str, Any]
Answer = dict[str, Any]


def create_solution(region: Region, request: Request) -> Answer:
    group = region.store.active("DatasetGroup", request["datasetGroupArn"])
    if request.get("performAutoML"):
        raise not_here("performAutoML")
    if "recipeArn" not in request:
        raise invalid("recipeArn is required unless performAutoML is true")
    recipe = recipes.name_of(request["recipeArn"], legacy=region.control.settings.legacy_recipes)
    if recipe in USE_CASES:
        raise invalid(f"{recipe} is a use case of a domain, which is for recommenders and not for solutions")
    config = request.get("solutionConfig", {})
    recipes.check_parameters(recipe, config)
    if request.get("performHPO"):
        recipes.search_of(recipe, config)
    read_threshold(config)
    interval_of(config)
    _check_events(recipe, config)
    _check_objective(region, group.arn, recipe, config)
    check_columns(region, group.arn, config.get("trainingDataConfig", {}))
    _check_incremental(recipe, request)
    arn = region.arn(f"solution/{request['name']}")
    if region.store.peek(arn) is not None:
        raise already_exists(arn)
    if len(region.store.all("Solution", datasetGroupArn=group.arn)) >= MOST_PER_GROUP:
        raise limit_exceeded(f"{group.arn} has {MOST_PER_GROUP} solutions already")
    members = {key: value for key, value in request.items() if key != "tags"}
    defaults = {"performHPO": False, "performAutoML": False, "performAutoTraining": True}
    columns = {
        dataset.members["datasetType"]: list(region.datasets[dataset.arn].schema.columns)
        for dataset in region.store.all("Dataset", datasetGroupArn=group.arn)
    }
    region.create(
        "Solution",
        arn,
        {**defaults, **members, "solutionArn": arn, "columnsAtCreation": columns},
        tags=request.get("tags", ()),
    )
    return {"solutionArn": arn}


def check_columns(region: Region, group: str, config: Request) -> None:
    """Those of a `trainingDataConfig`: developer guide, "Configuring columns used when training".

    :raises Refused: InvalidInputException.
    """
    for member in ("includedDatasetColumns", "excludedDatasetColumns"):
        for kind, columns in config.get(member, {}).items():
            dataset = region.dataset(group, dataset_type_of(kind))
            known = dataset.schema.columns if dataset else ()
            if unknown := [name for name in columns if name not in known]:
                raise invalid(f"{member}: the dataset {kind} has no column {unknown[0]}")
            if member == "excludedDatasetColumns" and "EVENT_TYPE" in columns:
                raise invalid(f"{member} must not hold EVENT_TYPE, which is always trained on")


def weights_of(config: Request) -> EventWeights:
    """How much events of each type count: `eventsConfig`.

    :raises Refused: InvalidInputException.
    """
    try:
        return EventWeights.of(config.get("eventsConfig", {}).get("eventParametersList", ()))
    except ValueError as error:
        raise invalid(str(error)) from None


def objective_of(config: Request) -> Objective | None:
    """`optimizationObjective`; that it is MEDIUM where nothing is said of it is our choice."""
    given = config.get("optimizationObjective")
    if given is None:
        return None
    return Objective(given["itemAttribute"], given.get("objectiveSensitivity", "MEDIUM"))


def _check_events(recipe: str, config: Request) -> None:
    """Developer guide, "Optimizing a solution with events configuration"."""
    if "eventsConfig" in config and not recipes.recipe_of(recipe).is_v2:
        raise invalid(f"eventsConfig is only for recipes of the second generation (-v2), got {recipe}")
    weights_of(config)


def _check_objective(region: Region, group: str, recipe: str, config: Request) -> None:
    """Developer guide, "Optimizing a solution for an additional objective"."""
    objective = config.get("optimizationObjective")
    if objective is None:
        return
    if recipe not in _WITH_OBJECTIVE:
        raise invalid(f"optimizationObjective is only for {' and '.join(_WITH_OBJECTIVE)}, got {recipe}")
    column = objective.get("itemAttribute")
    items = region.dataset(group, "ITEMS")
    field = next((field for field in items.schema.fields if field.name == column), None) if items else None
    if field is None or field.kind not in NUMERIC or field.nullable:
        raise invalid(
            f"itemAttribute must be a column of numbers, never null, of the Items dataset, got {column}"
        )


def _check_incremental(recipe: str, request: Request) -> None:
    """API reference, "UpdateSolution": supported only with the semantic-similarity recipe."""
    if request.get("performIncrementalUpdate") and recipe != _INCREMENTAL:
        raise invalid(
            f"performIncrementalUpdate is supported only for {_INCREMENTAL}, the recipe is {recipe}"
        )


def interval_of(config: Mapping[str, Any]) -> int:
    """Days from one automatic training to the next: 7, or 1 to 30.

    :raises Refused: InvalidInputException.
    """
    expression = config.get("autoTrainingConfig", {}).get("schedulingExpression", "rate(7 days)")
    match = re.fullmatch(r"rate\((\d+) (days?)\)", expression)
    days = int(match[1]) if match else 0
    if not match or not 1 <= days <= 30 or (match[2] == "day") != (days == 1):
        raise invalid(f"schedulingExpression must be rate(1 day) to rate(30 days), got {expression}")
    return days


def read_threshold(config: Mapping[str, Any]) -> float | None:
    """The `eventValueThreshold`, which the API has as text.

    :raises Refused: InvalidInputException.
    """
    text = config.get("eventValueThreshold")
    try:
        return None if text is None else float(text)
    except ValueError:
        raise invalid(f"eventValueThreshold must be a number, got {text}") from None


def update_solution(region: Region, request: Request) -> Answer:
    """Automatic training and the weights of events; the solution stays ACTIVE."""
    solution = region.store.active("Solution", request["solutionArn"])
    if solution.progress is not None:
        raise in_use(f"{solution.arn} has an update in progress")
    new = {key: request[key] for key in _UPDATES if key in request}
    if not new:
        raise invalid(f"One of {', '.join(_UPDATES)} must be given")
    interval_of(new.get("solutionUpdateConfig", {}))
    recipe = recipes.name_of(solution.members["recipeArn"])
    _check_events(recipe, new.get("solutionUpdateConfig", {}))
    _check_incremental(recipe, new)
    region.update(solution, new, member="latestSolutionUpdate", job=update_job(region, solution, new))
    return {"solutionArn": solution.arn}


def update_job(region: Region, solution: Resource, new: Request) -> Job:
    """What an update changes once it is ACTIVE."""

    def finish(_: Any) -> None:
        for key in ("performAutoTraining", "performIncrementalUpdate"):
            if key in new:
                solution.members[key] = new[key]
        if "solutionUpdateConfig" in new:
            config = solution.members.get("solutionConfig", {})
            solution.members["solutionConfig"] = {**config, **new["solutionUpdateConfig"]}
        solution.members["lastUpdatedDateTime"] = region.clock.stamp()

    return Job(finish=finish)


def delete_solution(region: Region, request: Request) -> Answer:
    """With its versions."""
    solution = region.store.get("Solution", request["solutionArn"])
    if solution.progress is not None:
        raise in_use(f"{solution.arn} has status {solution.status}, or an update in progress")
    versions = region.store.all("SolutionVersion", solutionArn=solution.arn)
    busy = [version for version in versions if version.is_being_created]
    jobs = [
        job
        for version in versions
        for job in region.store.all("BatchInferenceJob", solutionVersionArn=version.arn)
        if job.is_being_created
    ]
    if holders := [*region.store.all("Campaign", solutionArn=solution.arn), *busy, *jobs]:
        raise in_use(f"{solution.arn} is in use by {', '.join(holder.arn for holder in holders)}")
    region.delete(solution, then=lambda: forget_versions(region, solution))
    return {}


def forget_versions(region: Region, solution: Resource) -> None:
    """What goes with a solution."""
    for version in region.store.all("SolutionVersion", solutionArn=solution.arn):
        region.store.remove(version)
        region.trained.pop(version.arn, None)
