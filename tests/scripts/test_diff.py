"""What a reviewer is told of a change."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def script(name: str) -> ModuleType:
    """A script as a module: scripts are no package."""
    spec = importlib.util.spec_from_file_location(f"scripts_{name}", ROOT / "scripts" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


diff = script("diff")

ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
}


def template(folder: Path, *, actions: list[str], retention: int = 30) -> Path:
    """A stack with a policy and a log group, as an assembly that the CDK reads."""
    policy = {
        "Type": "AWS::IAM::Policy",
        "Properties": {
            "PolicyName": "P",
            "Roles": [{"Ref": "Role"}],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "arn:aws:s3:::a/*"}],
            },
        },
    }
    logs = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": retention}}
    resources: dict[str, Any] = {"Role": ROLE, "Policy": policy, "Logs": logs}
    folder.mkdir()
    path = folder / "a-stack.template.json"
    path.write_text(json.dumps({"Resources": resources}))
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://unknown-account/unknown-region",
        "properties": {"templateFile": path.name},
    }
    (folder / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": {"a-stack": stack}}))
    return path


@pytest.mark.parametrize(
    ("actions", "retention", "changed", "broader"),
    [
        (["s3:GetObject"], 30, False, False),
        (["s3:GetObject"], 90, True, False),
        (["s3:GetObject", "s3:PutObject"], 30, True, True),
    ],
    ids=["nothing", "a setting", "a right more"],
)
def test_only_a_right_more_is_broader(
    tmp_path: Path, actions: list[str], retention: int, changed: bool, broader: bool
) -> None:
    old = template(tmp_path / "old", actions=["s3:GetObject"])
    found = diff.compare(old, template(tmp_path / "new", actions=actions, retention=retention))
    assert (bool(found.text), found.broader) == (changed, broader)
    if changed:
        markdown = diff.to_markdown("dev", [found], [])
        assert ("permissions become broader" in markdown) == broader
        assert "```diff" in markdown


def test_a_stack_that_is_no_longer_defined_is_named(tmp_path: Path) -> None:
    assert "`dev-old` would be left" in diff.to_markdown("dev", [], ["dev-old"])
    assert "No change" in diff.to_markdown("dev", [], [])
