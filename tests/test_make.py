"""What a slip is answered with: what to type, in make's terms, an exit status, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

NO_ACCOUNT = "This shell has to lead to the account and Region"

SLIPS = [
    ("retire", "COLOUR is missing: make retire COLOUR=blue"),
    ("retire COLOUR=green", "COLOUR is 'green', allowed: maize, blue"),
    ("retire COLOUR=blue APPLY=0", "APPLY is '0', allowed: 1, or nothing"),
    ("redrive DISCARD=no", "DISCARD is 'no', allowed: 1, or nothing"),
    ("erase", "USER_ID is missing: make erase USER_ID=u1"),
    ("backfill", "SOURCE is missing: make backfill SOURCE=orders.csv"),
    ("backfill SOURCE=x.csv KIND=clicks", "KIND is 'clicks', allowed: events, items, users"),
    ("restore", "AT is missing: make restore AT=2026-11-25T03:00:00Z"),
    ("restore AT=yesterday", "AT is 'yesterday', allowed: a moment with its zone"),
    ("experiment-plan CONVERSION=3%", "CONVERSION is '3%', allowed: a number between 0 and 1"),
    ("experiment-plan LIFT=", "LIFT is '', allowed: a number between -1 and 1"),
    ("experiment-plan LIFT=1e-200", "LIFT is '1e-200', allowed: a number between -1 and 1, not 0"),
    ("experiment-plan ARGS=--users-a-day=-5", "--users-a-day: '-5', allowed: 1 to"),
    ("demo ARGS=--port=99999", "'99999', allowed: 1 to 65535"),
    ("demo CLICKSTREAM=nothing-here.csv", "CLICKSTREAM=nothing-here.csv: there is no such file"),
    *(
        (f"{target} STATE=nowhere", "no local cloud is running with nowhere: start one with `make demo`")
        for target in ("status", "smoke", "retrain", "inspect", "experiment-report", "load", "compare")
    ),
    ("status ARGS=--colour", "unrecognized arguments: --colour"),
    ("status ENV=dev", NO_ACCOUNT),
    ("smoke ENV=dev", NO_ACCOUNT),
    ("inspect ENV=dev", NO_ACCOUNT),
    ("experiment-report ENV=dev", NO_ACCOUNT),
    ("deploy", "ENV is 'local', which `make demo` deploys: make deploy ENV=dev"),
    ("cost USERS=many", "USERS is 'many', allowed: a number, 0 or more: make cost USERS=1e5"),
    ("cost REQUESTS=-3e7", "REQUESTS is '-3e7', allowed: a number, 0 or more: make cost REQUESTS=3e6"),
    ("cost EVENTS=inf", "EVENTS is 'inf', allowed: a number, 0 or more: make cost EVENTS=1e7"),
    ("diff BASE=no-such-commit", "BASE is 'no-such-commit', allowed: a commit"),
]


@pytest.mark.parametrize(("typed", "said"), SLIPS, ids=[typed for typed, _ in SLIPS])
def test_a_slip_is_answered_with_what_to_type(typed: str, said: str, tmp_path: Path) -> None:
    target, *settings = typed.split(" ")
    done = make(target, settings, home=tmp_path)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_what_there_is_fits_into_a_narrow_window(tmp_path: Path) -> None:
    lines = make("help", [], home=tmp_path).stdout.splitlines()
    assert "  make demo              deploy all into a local cloud, train, and show it work" in lines
    assert [line for line in lines if len(line) > 80] == []


def test_a_plan_says_how_many_users_and_with_their_number_how_many_days(tmp_path: Path) -> None:
    said = make("experiment-plan", [], home=tmp_path).stdout
    assert "It takes 415,871 measured users to find a change from 3.00% to 3.15% (+5.0%)" in said
    assert 'ARGS="--users-a-day 20000"' in said
    said = make("experiment-plan", ["ARGS=--users-a-day 20000"], home=tmp_path).stdout
    assert "At 12,000 new measured users a day: 35 days, so plan 35" in said


def make(target: str, settings: Sequence[str], *, home: Path) -> subprocess.CompletedProcess[str]:
    """Run make as who has set up everything, and has no AWS account."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAKE", "MFLAGS"))
    }
    set_up = ["setup", ".venv/.installed", "synth"]
    return subprocess.run(
        ["make", target, *settings, f"PYTHON={sys.executable}", *(f"--old-file={each}" for each in set_up)],
        cwd=ROOT,
        env={**kept, "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
