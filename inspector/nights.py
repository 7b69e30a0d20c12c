"""Past retrainings as the training bucket knows them: models, their offline metrics, lists."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from inspector.judging import Lists
from vocabulary.lake import RUNS_FOLDER, lists_key, report_key

_SHOWN: Final = 30
_AT_A_TIME: Final = 8


@dataclass(frozen=True)
class Night:
    """One run's model of one placement.

    :param colour: that was rebuilt; "" where the run got no further than its metrics.
    :param metrics: offline, by Personalize's names; empty where it got no further than its data.
    :param passed: every gate that it came to.
    :param lists: what the new colour recommended to a sample of known users, best first.
    :param live: what the live colour recommended to the same ones, in that moment.
    """

    run_id: str
    recipe: str
    colour: str
    metrics: Mapping[str, float]
    passed: bool
    lists: Lists = ()
    live: Lists = ()

    @property
    def at(self) -> datetime:
        return datetime.strptime(self.run_id, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


@dataclass(frozen=True)
class Nights:
    """The runs of a training bucket; a file that has not changed is read once.

    :param client: a boto3 client of a service by its name.
    """

    client: Callable[[str], Any]
    bucket: str
    _read: dict[tuple[str, str], Any] = field(default_factory=dict)

    def of(self, placement: str) -> list[Night]:
        """The last runs that have a report, oldest first."""
        pages = (
            self.client("s3")
            .get_paginator("list_objects_v2")
            .paginate(Bucket=self.bucket, Prefix=f"{RUNS_FOLDER}/")
        )
        tags = {each["Key"]: each["ETag"] for page in pages for each in page.get("Contents", ())}
        runs = sorted(key.split("/")[1] for key in tags if key.endswith("/report.json"))[-_SHOWN:]
        wanted = [key for run in runs for key in (report_key(run), lists_key(run, placement)) if key in tags]
        with ThreadPoolExecutor(_AT_A_TIME) as threads:
            found = dict(
                zip(wanted, threads.map(lambda key: self._json(key, tags[key]), wanted), strict=True)
            )
        return [
            _night(run, placement, found[report_key(run)], found.get(lists_key(run, placement)) or {})
            for run in runs
        ]

    def _json(self, key: str, tag: str) -> Any:
        if (key, tag) not in self._read:
            body = self.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
            self._read[key, tag] = json.loads(body)
        return self._read[key, tag]


def _night(run_id: str, placement: str, report: Mapping[str, Any], kept: Mapping[str, Any]) -> Night:
    judged = (report.get("metrics") or {}).get(placement) or {}
    gates = [report.get("gate") or {}]
    gates += [(report.get(name) or {}).get(placement) or {} for name in ("metrics", "campaigns", "heartbeat")]
    return Night(
        run_id,
        kept.get("recipe") or judged.get("recipe") or "",
        kept.get("colour") or "",
        judged.get("metrics") or {},
        all(gate.get("passed", True) for gate in gates),
        kept.get("lists") or (),
        kept.get("live") or (),
    )
