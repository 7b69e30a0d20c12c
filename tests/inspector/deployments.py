"""A deployment and a lake for the inspector to look at, without a cloud."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from botocore.exceptions import ClientError

from inspector.deployment import NotDeployedError, Run
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
        "image": "data:image/svg+xml,%3Csvg%3E",
        "created_at": MOMENT - 400 * 86_400_000,
    }


@dataclass
class StandInDeployment:
    """What `inspector.deployment.Deployment` answers, as told."""

    names: Names = field(default_factory=lambda: Names("colorway", "test"))
    live: Colour | None = "maize"
    lists: dict[str, list[str]] = field(default_factory=dict)
    placements: tuple[Placement, ...] = (Placement(name="recommended-for-you"),)
    runs_: list[Run] = field(default_factory=list)
    states: list[tuple[str, Any]] = field(default_factory=list)
    trouble: Exception | None = None

    def live_colour(self) -> Colour | None:
        if self.trouble:
            raise self.trouble
        return self.live

    def open_colours(self) -> list[OpenColour]:
        return [] if self.live is None else [OpenColour(self.live, "t", "g", MOMENT, "20261124T030000")]

    def recommend(
        self, colour: Colour, placement: Placement, *, user_id: str, item_id: str | None, count: int
    ) -> list[tuple[str, float | None]]:
        if colour not in self.lists:
            error = {"Error": {"Code": "ResourceNotFoundException", "Message": "no such campaign"}}
            raise ClientError(error, "GetRecommendations")
        return [(item_id, 0.25) for item_id in self.lists[colour][:count]]

    def popular(self, placement: Placement) -> list[str]:
        return self.lists.get("popular", [])

    def runs(self) -> list[Run]:
        return self.runs_

    def states_of(self, run: Run) -> list[tuple[str, Any]]:
        return self.states

    def alarms(self) -> list[dict[str, Any]]:
        return [{"AlarmName": "a", "AlarmDescription": "Customers wait.", "StateValue": "ALARM"}]


__all__ = ["DAY", "Lake", "NotDeployedError", "StandInDeployment", "event", "product"]
