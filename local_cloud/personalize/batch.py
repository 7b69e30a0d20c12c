"""Operations on batch inference jobs: recommendations for many at once, from and to Amazon S3.

Developer guide, "Preparing input data for batch recommendations", "Batch inference job input and output JSON
examples".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from local_cloud.personalize import recipes
from local_cloud.personalize.errors import Refused, already_exists, invalid, limit_exceeded, not_here
from local_cloud.personalize.lifecycle import Failed
from local_cloud.personalize.recommenders import Model, Scored
from local_cloud.personalize.region import Job, Region
from local_cloud.personalize.selection import allowed_by, exploration_of
from local_cloud.personalize.store import Resource
from local_cloud.personalize.transfers import check_location, check_role, read_for, write_for

MOST_PENDING: Final = 5
MOST_RESULTS: Final = 500
DEFAULT_RESULTS: Final = 25

Line = Mapping[str, Any]


def create_batch_inference_job(region: Region, request: Mapping[str, Any]) -> dict[str, Any]:
    store = region.store
    if request.get("batchInferenceJobMode") == "THEME_GENERATION" or "themeGenerationConfig" in request:
        raise not_here("theme generation")
    for member, end in (("jobInput", "s3DataSource"), ("jobOutput", "s3DataDestination")):
        check_location(request[member][end]["path"])
    check_role(region, request["roleArn"])
    count = request.get("numResults", DEFAULT_RESULTS)
    if not 0 <= count <= MOST_RESULTS:
        raise invalid(f"numResults must be 0 to {MOST_RESULTS}, got {count}")
    version = store.active("SolutionVersion", request["solutionVersionArn"])
    store.active("Solution", version.members["solutionArn"])
    recipe = recipes.name_of(version.members["recipeArn"])
    if recipe == "aws-trending-now":
        raise invalid("Batch recommendations are not available with aws-trending-now")
    exploration_of(recipe, request.get("batchInferenceJobConfig", {}))
    _check_filter(region, request, version)
    arn = region.arn(f"batch-inference-job/{request['jobName']}")
    if store.peek(arn) is not None:
        raise already_exists(arn)
    if sum(job.is_being_created for job in store.all("BatchInferenceJob")) >= MOST_PENDING:
        raise limit_exceeded(f"More than {MOST_PENDING} resources with PENDING or IN_PROGRESS status.")
    members = {key: value for key, value in request.items() if key != "tags"}
    defaults = {"numResults": DEFAULT_RESULTS, "batchInferenceJobMode": "BATCH_INFERENCE"}
    region.create(
        "BatchInferenceJob",
        arn,
        {**defaults, **members, "batchInferenceJobArn": arn},
        tags=request.get("tags", ()),
        job=inference_job,
    )
    return {"batchInferenceJobArn": arn}


def _check_filter(region: Region, request: Mapping[str, Any], version: Resource) -> None:
    if "filterArn" not in request:
        return
    resource = region.store.get("Filter", request["filterArn"])
    if resource.members["datasetGroupArn"] != version.members["datasetGroupArn"]:
        raise invalid(f"{resource.arn} is not a filter of {version.members['datasetGroupArn']}")
    if not resource.is_active:
        raise invalid(f"{resource.arn} must be ACTIVE, its status is {resource.status}")


def inference_job(region: Region, resource: Resource) -> Job:
    """Each file that comes in goes out under its name with `.out`, line by line."""
    members = resource.members
    version = region.store.get("SolutionVersion", members["solutionVersionArn"])
    answer = _answerer(region, version, members, region.model(version.arn))

    def work() -> None:
        folder = members["jobOutput"]["s3DataDestination"]["path"].rstrip("/")
        # All first: what goes out may go where it came from
        location = members["jobInput"]["s3DataSource"]["path"]
        objects = [(key, content.read()) for key, content in read_for(region, resource, location)]
        if not objects:
            raise Failed("No data were found at the given location in Amazon S3.")
        for key, content in objects:
            answers = "".join(f"{json.dumps(line)}\n" for line in _answers(content, answer))
            write_for(region, resource, f"{folder}/{key.rpartition('/')[2]}.out", answers.encode())

    return Job(work=work)


def _answers(content: bytes, answer: Callable[[Line], Line]) -> Iterator[Line]:
    for text in content.decode(errors="replace").splitlines():
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            line = None
        if not isinstance(line, dict):
            yield {"input": text, "output": None, "error": "The line is not a JSON object"}
            continue
        try:
            yield {"input": line, "output": answer(line), "error": None}
        except Refused as refused:
            yield {"input": line, "output": None, "error": refused.message}


def _answerer(region: Region, version: Resource, job: Line, model: Model) -> Callable[[Line], Line]:
    """From a line of input to its output."""
    recipe, group = recipes.name_of(version.members["recipeArn"]), version.members["datasetGroupArn"]
    kind, count = recipes.recipe_of(recipe).kind, job["numResults"]
    explore = exploration_of(recipe, job.get("batchInferenceJobConfig", {}))

    def answer(line: Line) -> Line:
        user_id, item_id = line.get("userId"), line.get("itemId")
        for needed, name in ((kind in ("user", "ranking"), "userId"), (kind == "item", "itemId")):
            if needed and not isinstance(line.get(name), str):
                raise invalid(f"{name} is required by the recipe of this solution version")
        request = {
            "userId": user_id,
            "itemId": item_id,
            "filterArn": job.get("filterArn"),
            "filterValues": line.get("filterValues", {}),
        }
        with region.store.turn():
            allowed = allowed_by(region, group, {key: v for key, v in request.items() if v is not None}, kind)
        if kind == "ranking":
            items = [str(item) for item in line.get("itemList") or ()]
            kept = [item for item in dict.fromkeys(items) if allowed is None or allowed(item)]
            return _output(model.rank(user_id=str(user_id), item_ids=kept) if kept else [])
        return _output(
            model.recommend(user_id=user_id, item_id=item_id, count=count, allowed=allowed, explore=explore)
        )

    return answer


def _output(items: list[Scored]) -> Line:
    """Of as many scores as items, those are null that an item of a v2 recipe lacks."""
    scores = [item.score for item in items]
    has_any = any(score is not None for score in scores)
    return {"recommendedItems": [item.item_id for item in items]} | ({"scores": scores} if has_any else {})
