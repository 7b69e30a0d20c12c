"""What solution versions and recommenders are trained on: the data of their dataset group, and settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from local_cloud.personalize import recipes
from local_cloud.personalize.datasets import ID_COLUMNS
from local_cloud.personalize.recommenders import EventWeights, Objective
from local_cloud.personalize.region import Job, Region
from local_cloud.personalize.schemas import DatasetType
from local_cloud.personalize.solutions import objective_of, read_threshold, weights_of
from local_cloud.personalize.store import Resource
from local_cloud.personalize.touches import Touches
from local_cloud.personalize.training import Trained, TrainingRun, train
from local_cloud.personalize.use_cases import USE_CASES

Request = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a training goes by besides the data.

    :param event_type: and `threshold`, `weights`, `objective`: see `TrainingRun`.
    :param columns: a `trainingDataConfig`.
    :param known: the columns that there were when the solution was created, by type of dataset; newer ones
        are not trained on. A type that is not in it has no such bound.
    """

    recipe: str
    event_type: str | None = None
    threshold: float | None = None
    weights: EventWeights = field(default_factory=lambda: EventWeights.of(()))
    objective: Objective | None = None
    columns: Request = field(default_factory=dict)
    known: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, region: Region, resource: Resource) -> Settings:
        """Of a solution version, or a recommender."""
        members = resource.members
        recipe = recipes.name_of(members["recipeArn"])
        if resource.kind == "Recommender":
            columns = members["recommenderConfig"].get("trainingDataConfig", {})
            return cls(recipe=recipe, event_type=USE_CASES[recipe].event_type, columns=columns)
        config = members.get("solutionConfig", {})
        solution = region.store.peek(members["solutionArn"])
        return cls(
            recipe=recipe,
            event_type=members.get("eventType"),
            threshold=read_threshold(config),
            weights=weights_of(config),
            objective=objective_of(config),
            columns=config.get("trainingDataConfig", {}),
            known=solution.members.get("columnsAtCreation", {}) if solution else {},
        )

    def lack(self, region: Region, group: str) -> str | None:
        """What the recipe needs and the dataset group does not have: developer guide, "Semantic-Similarity
        recipe"."""
        items = region.dataset(group, "ITEMS")
        fields = items.schema.fields if items else ()
        there = any(field.is_item_name for field in fields) and any(field.textual for field in fields)
        if self.recipe != "aws-semantic-similarity" or there:
            return None
        return f"{self.recipe} needs an Items dataset with a field of itemName and a textual field."

    def run(self, **data: Any) -> TrainingRun:
        """A training on these data."""
        return TrainingRun(
            recipe=self.recipe,
            event_type=self.event_type,
            threshold=self.threshold,
            weights=self.weights,
            objective=self.objective,
            **data,
        )

    def data_of(self, region: Region, group: str) -> dict[str, Any]:
        """All that the dataset group has by now, of the columns that are trained on."""
        return {
            **self._interactions(region, group),
            "items": self._records(region, group, "ITEMS"),
            "users": self._records(region, group, "USERS"),
        }

    def _interactions(self, region: Region, group: str) -> dict[str, Touches]:
        """Imported and streamed, with the columns for `context`."""
        dataset = region.dataset(group, "INTERACTIONS")
        if dataset is None:
            return {"imported": Touches.of(), "streamed": Touches.of()}
        contexts = [name for name in dataset.schema.contexts if self._has("INTERACTIONS", name)]
        imported = dataset.bulk.touches.with_contexts(contexts) if dataset.bulk else Touches.of((), contexts)
        return {"imported": imported, "streamed": Touches.of(dataset.events.touches(), contexts)}

    def _records(
        self, region: Region, group: str, kind: DatasetType
    ) -> Mapping[str, Mapping[str, Any]] | None:
        """Items or users.

        Developer guide, "Replacing a dataset's schema to add new columns": columns that are newer than a
        solution are not among them. "Schema formatting requirements": nor are texts that are neither
        categorical nor textual.
        """
        dataset = region.dataset(group, kind)
        if dataset is None:
            return None
        known = set(self.known.get(kind, dataset.schema.columns))
        columns = {
            field.name
            for field in dataset.schema.fields
            if field.name in known
            and self._has(kind, field.name)
            and (field.is_trained_on or field.is_item_name or field.name == ID_COLUMNS[kind])
        }
        if columns >= set(dataset.schema.columns):
            return dataset.records()
        return {
            record_id: {name: value for name, value in record.items() if name in columns}
            for record_id, record in dataset.records().items()
        }

    def _has(self, kind: DatasetType, column: str) -> bool:
        """Developer guide, "Configuring columns used when training"."""
        included = [names for names in self._listed("includedDatasetColumns", kind) if column not in names]
        excluded = [names for names in self._listed("excludedDatasetColumns", kind) if column in names]
        return not included and not excluded

    def _listed(self, member: str, kind: DatasetType) -> list[Sequence[str]]:
        return [names for of, names in self.columns.get(member, {}).items() if of.upper() == kind]


def training(
    region: Region,
    resource: Resource,
    run: TrainingRun,
    *,
    then: Callable[[Trained], None] = lambda trained: None,
    work: Callable[[TrainingRun], Trained] = train,
) -> Job:
    """Train on another thread; the resource has the model in the end.

    :param then: is told of it within that turn.
    """
    group = resource.members["datasetGroupArn"]
    interactions = region.dataset(group, "INTERACTIONS")
    heard = interactions.events.number if interactions else 0

    def finish(trained: Trained) -> None:
        region.trained[resource.arn] = replace(trained, heard=heard)
        # What was streamed while it was in training
        for touch in interactions.events.told_after(heard) if interactions else ():
            trained.model.record(touch.user_id, touch.item_id, touch.timestamp)
        then(trained)

    return Job(work=lambda: work(run), finish=finish)


def changing(region: Region, group: str) -> list[Resource]:
    """Datasets and imports that are under way: nothing is trained on what is still coming."""
    datasets = region.store.all("Dataset", datasetGroupArn=group)
    jobs = [job for each in datasets for job in region.store.all("DatasetImportJob", datasetArn=each.arn)]
    return [resource for resource in [*datasets, *jobs] if resource.is_being_created]
