"""A deployment and a lake for the inspector to look at, without a cloud."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
from botocore.exceptions import ClientError

from inspector.deployment import Datum, Deployment, Metric, Run
from inspector.history import History
from inspector.site import Site
from vocabulary.colours import Colour, Names
from vocabulary.coordination import OpenColour
from vocabulary.placements import Placement

NOW = datetime.now(UTC)
MOMENT = int(NOW.timestamp() * 1000)
DAY = NOW.strftime("%Y-%m-%d")


class Lake:
    """An S3 client over a folder of Parquet files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.downloads: list[str] = []

    def put(self, key: str, rows: list[dict[str, Any]]) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        selected = ", ".join(f'unnest(?) AS "{name}"' for name in columns)
        duckdb.connect().execute(f"COPY (SELECT {selected}) TO '{path}'", list(columns.values()))

    def get_paginator(self, operation: str) -> Lake:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str, StartAfter: str = "") -> Iterator[dict[str, Any]]:
        keys = sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.parquet"))
        yield {
            "Contents": [
                {"Key": key, "Size": (self.folder / key).stat().st_size}
                for key in keys
                if key.startswith(Prefix) and key > StartAfter
            ]
        }

    def download_file(self, bucket: str, key: str, to: str) -> None:
        self.downloads.append(key)
        shutil.copy(self.folder / key, to)


class TrainingBucket:
    """An S3 client over objects by key."""

    def __init__(self, objects: Mapping[str, Any]) -> None:
        self.objects = dict(objects)
        self.reads: list[str] = []

    def get_paginator(self, operation: str) -> TrainingBucket:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        yield {
            "Contents": [
                {"Key": key, "ETag": str(hash(json.dumps(told)))}
                for key, told in sorted(self.objects.items())
                if key.startswith(Prefix)
            ]
        }

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        self.reads.append(Key)
        return {"Body": SimpleNamespace(read=lambda: json.dumps(self.objects[Key]).encode())}


class Events:
    """A client of `personalize-events` that keeps what is put."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.meta = SimpleNamespace(endpoint_url="http://127.0.0.1:1")

    def put_events(self, **call: Any) -> None:
        self.calls.append(call)


def event(
    event_id: str, user_id: str | None, item_id: str, *, kind: str = "view", ago: int = 0
) -> dict[str, Any]:
    at = MOMENT - ago * 1000
    return {
        "event_id": event_id,
        "received_at": at,
        "sent_at": at,
        "session_id": f"session of {user_id}",
        "user_id": user_id,
        "event_type": kind,
        "item_id": item_id,
    }


def product(item_id: str, name: str, *, brand: str = "Zuvio", category: str = "running") -> dict[str, Any]:
    return {
        "item_id": item_id,
        "name": name,
        "brand": brand,
        "category": category,
        "price": 99.5,
        "image": "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E",
        "created_at": MOMENT - 400 * 86_400_000,
    }


def report(run_id: str, *, placement: str = "recommended-for-you", **metrics: float) -> dict[str, Any]:
    """What a run leaves of itself, as far as the inspector reads it."""
    judged = {"recipe": "aws-user-personalization", "metrics": metrics, "passed": True, "checks": []}
    return {"run_id": run_id, "gate": {"passed": True, "checks": []}, "metrics": {placement: judged}}


def a_night(number: int, colour: str = "maize", *, hours: int = 0) -> tuple[Run, list[tuple[str, datetime]]]:
    """A run that went through, begun so many hours ago, and the states it entered."""
    began = NOW - timedelta(hours=hours)
    name = f"run-{number}"
    run = Run(name, "SUCCEEDED", began, began + timedelta(minutes=20), f"done ({colour})", colour)
    return run, [("plan: begin", began), ("flip: move the pointer", began + timedelta(minutes=10))]


@dataclass
class StandInDeployment:
    """What `inspector.deployment.Deployment` answers, as told.

    :ivar lists: colour, or `popular`, to item ids; `colour:user` where a user gets another list.
    """

    names: Names = field(default_factory=lambda: Names("colorway", "test"))
    live: Colour | None = "maize"
    lists: dict[str, list[str]] = field(default_factory=dict)
    placements: tuple[Placement, ...] = (Placement(name="recommended-for-you"),)
    runs_: list[Run] = field(default_factory=list)
    states: dict[str, list[tuple[str, Any]]] = field(default_factory=dict)
    trouble: Exception | None = None
    training: TrainingBucket = field(default_factory=lambda: TrainingBucket({}))
    events: Events = field(default_factory=Events)
    data: list[Datum] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=lambda: {"TrainingBucketName": "training"})
    dormant_is_there: bool = False

    def client(self, service: str) -> Any:
        return {"s3": self.training, "personalize-events": self.events}[service]

    def live_colour(self) -> Colour | None:
        if self.trouble:
            raise self.trouble
        return self.live

    def open_colours(self) -> list[OpenColour]:
        there: list[Colour] = [] if self.live is None else [self.live]
        there += ["blue" if self.live == "maize" else "maize"] if self.dormant_is_there else []
        return [OpenColour(each, f"t-{each}", "g", MOMENT, "20261124T030000") for each in there]

    def recommend(
        self,
        colour: Colour,
        placement: Placement,
        *,
        user_id: str,
        item_id: str | None,
        count: int,
        context: Mapping[str, str] | None = None,
    ) -> list[tuple[str, float | None]]:
        if colour not in self.lists:
            error = {"Error": {"Code": "ResourceNotFoundException", "Message": "no such campaign"}}
            raise ClientError(error, "GetRecommendations")
        found = self.lists.get(f"{colour}:{user_id}", self.lists[colour])
        return [(each, 0.25) for each in found[:count]]

    def popular(self, placement: Placement) -> list[str]:
        return self.lists.get("popular", [])

    def runs(self) -> list[Run]:
        return self.runs_

    def states_of(self, run: Run) -> list[tuple[str, Any]]:
        return self.states.get(run.name, [])

    def measured(self, wanted: Sequence[Metric], *, since: datetime, period: int) -> list[list[Datum]]:
        return [list(self.data) for _ in wanted]

    def alarms(self) -> list[dict[str, Any]]:
        return [{"AlarmName": "a", "AlarmDescription": "Customers wait.", "StateValue": "ALARM"}]


def site(deployment: StandInDeployment, history: History, **settings: Any) -> Site:
    """The inspector's site over it."""
    return Site(cast(Deployment, deployment), history, **settings)
