"""From the lake's files to the conclusion, on traffic whose effect is known."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.report import Report
from experiments.reporting import of_deployment
from experiments.text import as_text, save
from recommendations.experiment import Experiment
from tests.experiments.lakes import FIRST, Lake, traffic

EXPERIMENT = Experiment("the salt of a simulated shop", 3000, 3000)
PLAN = {"primary": "conversion", "days": 7}


class S3:
    """The lake's bucket over a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.fetched: list[str] = []

    def get_paginator(self, _: str) -> S3:
        return self

    def paginate(self, *, Bucket: str, Prefix: str, StartAfter: str = "") -> Iterator[dict[str, Any]]:
        keys = sorted(path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*.parquet"))
        for key in keys:
            if key.startswith(Prefix) and key > StartAfter:
                yield {"Contents": [{"Key": key, "Size": (self._folder / key).stat().st_size}]}

    def download_file(self, bucket: str, key: str, to: str) -> None:
        self.fetched.append(key)
        shutil.copy(self._folder / key, to)


class AppConfig:
    """One version of a configuration, which is deployed."""

    def __init__(self, plan: dict[str, Any] = PLAN) -> None:
        self._plan = plan

    def get_paginator(self, operation: str) -> SimpleNamespace:
        items = {
            "list_hosted_configuration_versions": {"VersionNumber": 1},
            "list_deployments": {"DeploymentNumber": 1, "ConfigurationVersion": "1", "State": "COMPLETE"},
        }
        return SimpleNamespace(paginate=lambda **_: [{"Items": [items[operation]]}])

    def get_hosted_configuration_version(self, **_: Any) -> dict[str, Any]:
        allocation = {"exempt": 4000, "control": EXPERIMENT.control, "treatment": EXPERIMENT.treatment}
        told = {"enabled": True, "salt": EXPERIMENT.salt, "allocation": allocation, "plan": self._plan}
        return {"Content": io.BytesIO(json.dumps(told).encode())}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """12,000 users, 60 % of them measured, and a lift of conversion by 40 %."""
    lake = Lake(tmp_path_factory.mktemp("lake"), EXPERIMENT)
    traffic(lake, users=12_000, days=7, seed=5, conversion=0.12, lift=0.4)
    return lake


def ask(
    lake: Lake, copies: Path, *, after_days: float, s3: S3 | None = None, plan: dict[str, Any] = PLAN
) -> Report:
    clients = {"appconfig": AppConfig(plan), "s3": s3 or S3(lake.folder)}
    now = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(days=after_days)
    return of_deployment(
        clients.__getitem__, identifiers="app/environment/profile", bucket="lake", folder=copies, now=now
    )


def test_a_known_lift_is_found_in_the_files_of_the_lake(shop: Lake, tmp_path: Path) -> None:
    found = ask(shop, tmp_path, after_days=7.1)
    conversion, *_ = found.results
    assert found.conclusion.startswith("Recommendations raise conversion")
    assert conversion.comparison.lift_low is not None and conversion.comparison.lift_high is not None
    assert conversion.comparison.lift_low < 0.4 < conversion.comparison.lift_high
    assert conversion.comparison.lift_low > 0.1
    assert 0.10 < conversion.comparison.control < 0.14
    # The purchases of before, of everybody, and what was delivered twice are not in it
    revenue = next(each for each in found.results if each.metric == "revenue_per_user")
    assert revenue.comparison.control < 10
    clicks = next(each for each in found.results if each.metric == "clicks_per_exposure")
    assert clicks.comparison.control == pytest.approx(0.3, abs=0.02)
    assert clicks.adjusted is not None and clicks.adjusted > 0.05
    assert not found.sample.broken
    assert {each.name for each in found.segments} == {"a", "b", "c"}
    assert sum(sum(each.users.values()) for each in found.segments) == sum(found.users.values())
    assert found.days[-1].comparison == conversion.comparison


def test_while_it_runs_nothing_of_it_is_shown(shop: Lake, tmp_path: Path) -> None:
    found = ask(shop, tmp_path, after_days=5)
    assert "Nothing yet" in found.conclusion
    assert found.results == []


def test_a_canary_is_looked_at_before_the_days_that_count(shop: Lake, tmp_path: Path) -> None:
    later = {"days": 7, "starts": str(FIRST + timedelta(days=3))}
    canary = ask(shop, tmp_path, after_days=2.5, plan=later)
    assert "the days that count begin on" in canary.conclusion
    assert min(canary.users.values()) > 1000
    assert not canary.sample.broken
    # Once they count, users of before count from their first exposure within
    counted = ask(shop, tmp_path, after_days=11, plan=later)
    assert canary.days == []
    assert counted.window.first == FIRST + timedelta(days=3)
    assert sum(counted.users.values()) < 7200
    assert counted.over


def test_no_user_and_no_unit_is_in_what_is_kept(shop: Lake, tmp_path: Path) -> None:
    found = ask(shop, tmp_path / "copies", after_days=8)
    kept = as_text(found) + "".join(path.read_text() for path in save(found, tmp_path / "kept"))
    for number in range(50):
        assert f'"u{number}"' not in kept
        assert EXPERIMENT.assign(f"u{number}").unit_id not in kept
    assert EXPERIMENT.salt not in kept


def test_only_the_days_of_the_horizon_are_copied_and_only_once(shop: Lake, tmp_path: Path) -> None:
    extra = shop.folder / "events/day=2026-01-01"
    extra.mkdir()
    (extra / "old.parquet").write_bytes(b"never looked at")
    s3 = S3(shop.folder)
    ask(shop, tmp_path, after_days=8, s3=s3)
    assert len(s3.fetched) > 14
    assert not [key for key in s3.fetched if "2026-01-01" in key]
    copied = tmp_path / s3.fetched[0]
    again = S3(shop.folder)
    ask(shop, tmp_path, after_days=8, s3=again)
    assert again.fetched == []
    (shop.folder / s3.fetched[0]).rename(shop.folder / "moved.parquet")
    ask(shop, tmp_path, after_days=8)
    assert not copied.exists()
    (shop.folder / "moved.parquet").rename(shop.folder / s3.fetched[0])
