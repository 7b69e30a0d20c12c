from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks.pictures import DAYS, EXPERIMENT, LIFT, pages_of, put_traffic
from experiments.lake_files import LakeFiles
from experiments.plan import Plan
from experiments.reading import read
from experiments.report import report

FIRST = date(2026, 11, 10)


class S3:
    """The lake's bucket over a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def upload_file(self, path: str, bucket: str, key: str) -> None:
        to = self._folder / key
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)


def test_the_experiment_of_the_picture_shows_the_effect_that_its_users_have(tmp_path: Path) -> None:
    put_traffic(S3(tmp_path), "lake", FIRST)
    plan = Plan(days=DAYS, starts=FIRST)
    found = read(
        LakeFiles.below(tmp_path, FIRST, FIRST + timedelta(days=DAYS)), EXPERIMENT, plan.window(None, FIRST)
    )
    at = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(days=DAYS + 1)
    told = report(
        found,
        experiment=EXPERIMENT.id,
        shares=(EXPERIMENT.treatment, EXPERIMENT.control),
        plan=plan,
        window=plan.window(None, FIRST),
        now=at,
    )
    conversion = told.results[0].comparison
    assert told.conclusion.startswith("Recommendations raise conversion")
    assert conversion.lift_low is not None and conversion.lift_high is not None
    assert conversion.lift_low < LIFT < conversion.lift_high
    assert not told.sample.broken


def test_a_product_that_was_touched_twice_is_once_in_the_session_of_the_picture() -> None:
    customer = {"user_id": "u1", "touched": ["e", "d", "e", "c", "b", "a", "z"]}
    assert "touch=a&touch=b&touch=c&touch=d&touch=e&was=a" in pages_of(customer)["inspector-what-if"]
