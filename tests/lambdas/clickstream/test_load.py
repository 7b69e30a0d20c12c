"""2,000 events a second, for ten minutes, at the functions' boundary."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


def load(*, rate: int, seconds: int) -> dict[str, Any]:
    """In a process of its own, whose memory is nobody else's."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "lambdas")])
    command = [sys.executable, "-m", "benchmarks.event_load", f"--rate={rate}", f"--seconds={seconds}"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, check=True, capture_output=True
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_every_event_of_a_load_reaches_both_colours() -> None:
    report = load(rate=1_000, seconds=2)
    assert report["delivered"] > 0
    assert 0 <= 2 * report["events"] - report["delivered"] < 2 * 100  # the last batch is not full


@pytest.mark.prove
def test_two_thousand_events_a_second_for_ten_minutes_hold_in_flat_memory() -> None:
    report = load(rate=2_000, seconds=600)
    assert report["events"] >= 0.99 * 2_000 * 600
    assert 0 <= 2 * report["events"] - report["delivered"] < 2 * 100
    assert report["busy"] < 1
    assert report["growth_mib"] < 5
