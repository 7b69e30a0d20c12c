"""GitHub's workflows: actionlint has nothing to say, what they run is there, none holds a right too many."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from local_cloud.node import find_node

ROOT = Path(__file__).resolve().parent.parent
ACTIONLINT = ROOT / "node_modules" / "@tktco" / "node-actionlint" / "bin" / "node-actionlint.js"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"\./\.github/actions/\w+|[\w-]+/[\w-]+@v\d+")
FROM_OUTSIDE = re.compile(r"\$\{\{\s*(github\.event|github\.head_ref|inputs)")
"""What whoever opens a pull request may choose: an environment variable is safe, text of a script is not."""


def read(path: Path) -> dict[Any, Any]:
    parsed: dict[Any, Any] = yaml.safe_load(path.read_text())
    return parsed


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read(path)["jobs"]
    return found


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in jobs(path).values():
        yield from job["steps"]


def actionlint(*paths: Path) -> tuple[int, str]:
    """Exit status, and what it found: 1 where it found something."""
    command = [str(find_node(os.environ)), str(ACTIONLINT), *map(str, paths)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_actionlint_has_nothing_to_say_of_any_workflow() -> None:
    status, said = actionlint(ROOT / ".github" / "workflows" / "*.yml")
    assert status == 0, said
    assert f"Checking {len(WORKFLOWS)} workflow" in said


def test_actionlint_would_say_what_is_wrong(tmp_path: Path) -> None:
    workflow = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
    (tmp_path / "wrong.yml").write_text(
        workflow.replace("vars.DEPLOY_ROLE", "github.deploy_role").replace("needs: dev", "needs: nobody")
    )
    status, said = actionlint(tmp_path / "wrong.yml")
    assert status == 1
    assert 'property "deploy_role" is not defined' in said
    assert 'job "nobody"' in said


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_what_is_there_with_the_least_rights(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert read(path)["permissions"]["contents"] == "read"
    assert "concurrency" in read(path)
    assert all("timeout-minutes" in job for job in jobs(path).values())
    for step in steps(path):
        assert PINNED.fullmatch(step.get("uses", "./.github/actions/setup")), step
        assert set(re.findall(r"\bmake (\w+)", step.get("run", ""))) <= targets
        assert not FROM_OUTSIDE.search(step.get("run", ""))
        assert "secrets." not in str(step)
    for job in jobs(path).values():
        for needed in [job.get("needs", [])] if isinstance(job.get("needs"), str) else job.get("needs", []):
            assert needed in jobs(path)


def test_only_a_deployment_may_ask_for_a_role_and_each_environment_has_its_own() -> None:
    asking = {
        (path.stem, name): job
        for path in WORKFLOWS
        for name, job in jobs(path).items()
        if "id-token" in {**read(path)["permissions"], **job.get("permissions", {})}
    }
    assert set(asking) == {("deploy", "dev"), ("deploy", "prod")}
    for (_, name), job in asking.items():
        assert job["environment"] == name
        commands = [step["run"] for step in job["steps"] if "run" in step]
        assert commands[-2:] == [f"make deploy ENV={name}", f"make smoke ENV={name}"]
    assert asking["deploy", "prod"]["needs"] == "dev"


def test_a_pull_request_is_compared_without_credentials_and_broader_rights_need_a_label() -> None:
    job = jobs(ROOT / ".github" / "workflows" / "diff.yml")["diff"]
    assert not [step for step in job["steps"] if "aws-actions" in step.get("uses", "")]
    assert "'broader-permissions'" in job["env"]["BROADER"]


def test_the_shared_set_up_is_the_makefiles() -> None:
    action = read(ROOT / ".github" / "actions" / "setup" / "action.yml")
    assert action["runs"]["steps"][-1]["run"] == "make setup"


def test_a_token_that_may_write_is_not_left_where_the_code_of_a_pull_request_could_read_it() -> None:
    writing = [path for path in WORKFLOWS if "write" in read(path)["permissions"].values()]
    assert [path.name for path in writing] == ["diff.yml"]
    for path in writing:
        (checkout,) = [each for each in steps(path) if each.get("uses", "").startswith("actions/checkout@")]
        assert checkout["with"]["persist-credentials"] is False
