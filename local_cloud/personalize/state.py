"""A folder that outlives the process: resources, data and what models were trained on.

A change is written before the request that has made it is answered. Models are not written: a training
gives the same model each time, so it is done again when the folder is read.

    resources.json       every resource, with what is under way
    <key>.rows.npz       what was imported into a dataset
    <key>.events.jsonl   what was streamed into it, a line each
    <key>.run.json       what a solution version or a recommender was trained on, but for the interactions:
    <key>.imported.npz   and <key>.streamed.npz
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from local_cloud.personalize.automatic_updates import restore_items
from local_cloud.personalize.datasets import Bulk, Dataset, Put
from local_cloud.personalize.region import Region
from local_cloud.personalize.resumption import resume
from local_cloud.personalize.schemas import parse_schema
from local_cloud.personalize.store import Resource
from local_cloud.personalize.streamed import Event
from local_cloud.personalize.table import Table
from local_cloud.personalize.touches import Touches
from local_cloud.personalize.training import Trained, TrainingRun, fit
from local_cloud.personalize.training_data import Settings

_VERSION: Final = 2
_RESOURCES: Final = "resources.json"


@dataclass
class _Kept:
    """What is in the folder of one dataset."""

    bulk: Bulk | None = None
    journal: list[Event | Put] | None = None
    lines: int = 0


@dataclass
class StateFolder:
    """The state of one account in one Region; its methods are called within a turn.

    :param path: is made where it is missing. One process at a time uses it.
    """

    path: Path
    _resources: str = ""
    _data: dict[str, _Kept] = field(default_factory=dict)
    _runs: dict[str, TrainingRun] = field(default_factory=dict)

    def keep(self, region: Region) -> None:
        """Write what has changed since the last time."""
        self.path.mkdir(parents=True, exist_ok=True)
        for arn, dataset in region.datasets.items():
            self._keep_data(arn, dataset)
        for arn, trained in region.trained.items():
            self._keep_run(arn, trained)
        resources = json.dumps(self._document(region))
        if resources != self._resources:
            self._write(_RESOURCES, resources)
            self._resources = resources
            # Only now: whatever the old document named was needed until here
            self._sweep(region)

    def _document(self, region: Region) -> dict[str, Any]:
        return {
            "version": _VERSION,
            "resources": [_to_json(resource) for resource in region.store.everything()],
            "changes": {arn: dataset.changes for arn, dataset in region.datasets.items()},
            "heard": {arn: _heard(region, arn) for arn in region.trained},
        }

    def _keep_data(self, arn: str, dataset: Dataset) -> None:
        kept = self._data.setdefault(arn, _Kept())
        if dataset.bulk is not kept.bulk and dataset.bulk is not None:
            self._save(f"{_key(arn)}.rows.npz", dataset.bulk.table)
        kept.bulk = dataset.bulk
        name = f"{_key(arn)}.events.jsonl"
        if dataset.journal is not kept.journal:
            self._write(name, "".join(map(_line, dataset.journal)))
        elif len(dataset.journal) > kept.lines:
            with (self.path / name).open("a", encoding="utf-8") as file:
                file.writelines(map(_line, dataset.journal[kept.lines :]))
        kept.journal, kept.lines = dataset.journal, len(dataset.journal)

    def _keep_run(self, arn: str, trained: Trained) -> None:
        if self._runs.get(arn) is not trained.run:
            self._runs[arn] = run = trained.run
            self._save(f"{_key(arn)}.imported.npz", run.imported)
            self._save(f"{_key(arn)}.streamed.npz", run.streamed)
            data = {"items": run.items, "users": run.users}
            told = {"hours": trained.hours, "tuned": trained.tuned, "hyperparameters": run.hyperparameters}
            self._write(f"{_key(arn)}.run.json", json.dumps({**data, **told}))

    def _sweep(self, region: Region) -> None:
        """Remove the files of what is gone."""
        for gone in [arn for arn in self._data if arn not in region.datasets]:
            del self._data[gone]
        for gone in [arn for arn in self._runs if arn not in region.trained]:
            del self._runs[gone]
        keys = {_key(arn) for arn in [*self._data, *self._runs]}
        for file in [*self.path.glob("*.json*"), *self.path.glob("*.npz")]:
            if file.name != _RESOURCES and file.name.partition(".")[0] not in keys:
                file.unlink()

    def restore(self, region: Region) -> None:
        """
        :raises ValueError: for a folder that another version has written.
        """
        file = self.path / _RESOURCES
        if not file.exists():
            return
        document = json.loads(file.read_text(encoding="utf-8"))
        if document["version"] != _VERSION:
            raise ValueError(f"{file} is of version {document['version']}, this reads {_VERSION}")
        resources = [Resource(**each) for each in document["resources"]]
        for resource in resources:
            region.store.restore(resource)
        for resource in resources:
            if resource.kind == "Dataset":
                region.datasets[resource.arn] = self._dataset(region, resource)
                region.datasets[resource.arn].changes = document["changes"][resource.arn]
        for resource in resources:
            if resource.arn in document["heard"]:
                self._train_again(region, resource, document["heard"][resource.arn])
        for resource in resources:
            resume(region, resource)
        self.keep(region)

    def _dataset(self, region: Region, resource: Resource) -> Dataset:
        schema = region.store.get("Schema", resource.members["schemaArn"])
        dataset = Dataset(parse_schema(schema.members["schema"]))
        rows = self.path / f"{_key(resource.arn)}.rows.npz"
        if rows.exists():
            dataset.load(Bulk(dataset.schema, Table.load(rows)))
        events = self.path / f"{_key(resource.arn)}.events.jsonl"
        if events.exists():
            with events.open(encoding="utf-8") as lines:
                for line in lines:
                    kind, values = json.loads(line)
                    if kind == "put":
                        dataset.put(*values)
                    else:
                        dataset.stream(Event(*values))
        return dataset

    def _train_again(self, region: Region, resource: Resource, heard: int) -> None:
        key = _key(resource.arn)
        saved = json.loads((self.path / f"{key}.run.json").read_text(encoding="utf-8"))
        run = Settings.of(region, resource).run(
            imported=Touches.load(self.path / f"{key}.imported.npz"),
            streamed=Touches.load(self.path / f"{key}.streamed.npz"),
            items=saved["items"],
            users=saved["users"],
            hyperparameters=saved["hyperparameters"],
        )
        model = fit(run)
        region.trained[resource.arn] = Trained(
            model=model, run=run, hours=saved["hours"], tuned=saved["tuned"], heard=heard
        )
        restore_items(region, resource)
        dataset = region.dataset(resource.members["datasetGroupArn"], "INTERACTIONS")
        for touch in dataset.events.told_after(heard) if dataset else ():
            model.record(touch.user_id, touch.item_id, touch.timestamp)

    def _save(self, name: str, data: Table | Touches) -> None:
        """Whole or not at all, as `_write`."""
        unfinished = self.path / f"{name}.new"
        data.save(unfinished)
        unfinished.replace(self.path / name)

    def _write(self, name: str, text: str) -> None:
        """Whole or not at all."""
        unfinished = self.path / f"{name}.new"
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(self.path / name)


def _to_json(resource: Resource) -> dict[str, Any]:
    return {
        "kind": resource.kind,
        "arn": resource.arn,
        "members": resource.members,
        "order": resource.order,
        "tags": resource.tags,
        "doing": resource.doing,
    }


def _heard(region: Region, arn: str) -> int:
    """The number that the last event it was trained on will have when the events are read again."""
    resource = region.store.peek(arn)
    group = resource.members["datasetGroupArn"] if resource else ""
    dataset = region.dataset(group, "INTERACTIONS")
    return dataset.events.place_of(region.trained[arn].heard) if dataset else 0


def _line(entry: Event | Put) -> str:
    return json.dumps(["put" if isinstance(entry, Put) else "event", list(entry)]) + "\n"


def _key(arn: str) -> str:
    return hashlib.sha256(arn.encode()).hexdigest()[:20]
