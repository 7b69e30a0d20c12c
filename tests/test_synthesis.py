"""Reviewers diff templates: the same sources give the same bytes, wherever they are synthesised."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local_cloud.deployment import CDK
from local_cloud.node import find_node

ROOT = Path(__file__).resolve().parent.parent


def templates(folder: Path) -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in folder.glob("*.template.json")}
    assert len(found) == 5
    return found


def without_aws() -> dict[str, str]:
    """The environment of somebody who has no account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, "CDK_DISABLE_CLI_TELEMETRY": "true", "AWS_EC2_METADATA_DISABLED": "true"}


def synthesise(root: Path, into: Path) -> dict[str, bytes]:
    command = [sys.executable, str(root / "scripts" / "synth.py"), "prod", str(into)]
    subprocess.run(command, cwd=into.parent, check=True, env=without_aws(), stderr=subprocess.DEVNULL)
    return templates(into)


def test_two_checkouts_and_the_command_line_give_the_same_bytes(tmp_path: Path) -> None:
    elsewhere = tmp_path / "some" / "other" / "checkout"
    elsewhere.mkdir(parents=True)
    for name in ("app.py", "cdk.json"):
        shutil.copy(ROOT / name, elsewhere)
    for name in ("stacks", "constructs", "lambdas", "costs", "scripts"):
        shutil.copytree(ROOT / name, elsewhere / name, ignore=shutil.ignore_patterns("__pycache__"))
    (elsewhere / ".wheels").symlink_to(ROOT / ".wheels")
    here = synthesise(ROOT, tmp_path / "here")
    assert synthesise(elsewhere, tmp_path / "there") == here

    command = [
        "synth",
        "--quiet",
        "--no-notices",
        "-c",
        "environment=prod",
        "--output",
        str(tmp_path / "cli"),
    ]
    environ = {
        **without_aws(),
        "PYTHONPATH": os.pathsep.join(str(ROOT / each) for each in ("constructs", "lambdas")),
    }
    subprocess.run(
        [str(find_node(environ)), str(CDK), *command],
        cwd=ROOT,
        check=True,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert templates(tmp_path / "cli") == here


def test_an_unknown_environment_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "synth.py"), "production", str(tmp_path / "out")]
    with pytest.raises(subprocess.CalledProcessError) as refused:
        subprocess.run(command, check=True, env=without_aws(), capture_output=True, text=True)
    assert "environment must be one of local, dev, prod, got 'production'" in refused.value.stderr
