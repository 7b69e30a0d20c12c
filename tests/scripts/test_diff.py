"""What a reviewer is told of a change."""

from __future__ import annotations

import importlib.util
import json
import sys
from contextlib import nullcontext
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


READ: dict[str, Any] = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::a/*"}
DENY: dict[str, Any] = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/secret"}


def template(folder: Path, *statements: dict[str, Any], retention: int = 30, ingress: bool = False) -> Path:
    """A stack with a policy, a log group and a security group, as an assembly that the CDK reads."""
    policy = {
        "Type": "AWS::IAM::Policy",
        "Properties": {
            "PolicyName": "P",
            "Roles": [{"Ref": "Role"}],
            "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)},
        },
    }
    logs = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": retention}}
    everybody = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}
    group = {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {"GroupDescription": "-", "SecurityGroupIngress": [everybody] if ingress else []},
    }
    resources: dict[str, Any] = {"Role": ROLE, "Policy": policy, "Logs": logs, "Group": group}
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
    ("statements", "others", "changed", "broader"),
    [
        ([READ, DENY], {}, False, False),
        ([READ, DENY], {"retention": 90}, True, False),
        ([DENY], {}, True, False),
        ([{**READ, "Action": ["s3:GetObject", "s3:PutObject"]}, DENY], {}, True, True),
        ([{**READ, "Resource": "arn:aws:s3:::*"}, DENY], {}, True, True),
        ([READ], {}, True, True),
        ([READ, DENY], {"ingress": True}, True, True),
    ],
    ids=["nothing", "a setting", "a right less", "an action more", "wider", "a denial less", "a port open"],
)
def test_only_permissions_that_grow_are_broader(
    tmp_path: Path, statements: list[dict[str, Any]], others: dict[str, Any], changed: bool, broader: bool
) -> None:
    old = template(tmp_path / "old", READ, DENY)
    found = diff.compare(old, template(tmp_path / "new", *statements, **others))
    assert (bool(found.text), found.broader) == (changed, broader)
    if changed:
        markdown = diff.to_markdown("dev", [found], [])
        assert ("permissions become broader" in markdown) == broader
        assert "```diff" in markdown


def test_broader_permissions_end_it_with_an_error_unless_somebody_has_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = template(tmp_path / "old", READ)
    new = template(tmp_path / "new", READ, {**READ, "Action": ["s3:PutObject"]})
    monkeypatch.setattr(diff, "checkout", lambda commit, into: nullcontext(tmp_path / "base"))
    monkeypatch.setattr(
        diff, "synthesise", lambda root, *_: {"a-stack": old if root == tmp_path / "base" else new}
    )
    assert diff.main(["main", "dev"]) == 1
    comment = tmp_path / "comment.md"
    capsys.readouterr()
    assert diff.main(["main", "dev", "--allow-broader", "--comment", str(comment)]) == 0
    said = capsys.readouterr()
    assert comment.read_text().strip() == said.out.strip()
    assert said.err.splitlines() == [
        "dev: synthesising main",
        "dev: synthesising the working tree",
        "dev: comparing a-stack",
    ]


def test_a_comment_that_is_too_long_is_cut_and_says_where_the_rest_is() -> None:
    diffs = [diff.StackDiff(f"stack-{number}", "[+] line\n" * 100, False) for number in range(5)]
    whole = diff.to_markdown("dev", diffs, [])
    assert diff.shorten(whole, "there") == whole
    for longest in range(1500, len(whole), 37):
        cut = diff.shorten(whole, "there", longest)
        assert len(cut) <= longest
        assert cut.endswith("**Cut here: there.**\n")
        assert cut.count("```") % 2 == 0
        assert cut.count("<details>") == cut.count("</details>")


def test_the_rest_is_in_the_runs_artifact_which_the_workflow_uploads() -> None:
    environ = {"GITHUB_RUN_ID": "7", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "a/b"}
    assert "https://github.com/a/b/actions/runs/7" in diff.where_the_rest_is(environ, None)
    workflow = (ROOT / ".github" / "workflows" / "diff.yml").read_text()
    assert "name: difference\n          path: diff.md" in workflow
    assert "OUTPUT=diff.md COMMENT=comment.md" in workflow
    assert diff.where_the_rest_is({}, Path("diff.md")) == "all of it is in diff.md"


def test_a_stack_that_is_no_longer_defined_is_named(tmp_path: Path) -> None:
    assert "`dev-old` would be left" in diff.to_markdown("dev", [], ["dev-old"])
    assert "No change" in diff.to_markdown("dev", [], [])
