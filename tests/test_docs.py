"""The documents say what is: every alarm has its page of the runbook, and what they name exists."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from stacks.environment import Environment

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "constructs").glob("*.md")])
SOURCES = [path for place in ("stacks", "constructs", "lambdas") for path in (ROOT / place).rglob("*.py")]

_RUNBOOK = re.compile(r"docs/runbook\.md#([a-z0-9-]+)")
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def test_the_runbook_has_a_heading_for_every_alarm_and_page_and_no_other(
    resources: list[dict[str, Any]],
) -> None:
    named = set(_RUNBOOK.findall(json.dumps(resources)))
    headings = {_slug(heading) for heading in _headings(ROOT / "docs" / "runbook.md", level=2)}
    assert named == headings


def test_every_alarm_and_page_names_its_runbook(resources: list[dict[str, Any]]) -> None:
    pages = [each for each in resources if each["Type"] == "AWS::CloudWatch::Alarm"]
    pages += [
        target
        for rule in resources
        if rule["Type"] == "AWS::Events::Rule"
        for target in rule["Properties"]["Targets"]
        if "Topic" in json.dumps(target["Arn"])
    ]
    kinds = {each.get("Type", "page") for each in pages}
    assert kinds == {"AWS::CloudWatch::Alarm", "page"}
    assert not [each for each in pages if not _RUNBOOK.search(json.dumps(each))]


def test_every_setting_of_an_environment_is_explained() -> None:
    docstring = Environment.__doc__ or ""
    settings = {field.name for field in fields(Environment)}
    described = set(re.findall(r":param (\w+):", docstring))
    assert described <= settings
    assert settings <= described | set(re.findall(r"`(\w+)`", docstring))


def test_every_make_target_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        (path.name, target)
        for path in DOCUMENTS
        for code in _code(path)
        for target in re.findall(r"\bmake ([a-z]+(?:-[a-z]+)*)", code)
    }
    assert {"demo", "test"} <= {target for document, target in named if document == "README.md"}
    assert not {(document, target) for document, target in named if target not in targets}


def test_every_aws_command_of_a_document_is_one_with_options_that_it_has() -> None:
    session, seen, unknown = botocore.session.get_session(), 0, set()
    for path in DOCUMENTS:
        for line in "\n".join(_code(path)).replace("\\\n", " ").splitlines():
            options = set(_OF_EVERY_AWS_COMMAND)
            for service, command in re.findall(r"\baws ([a-z][a-z0-9-]+) ([a-z][a-z0-9-]+)", line):
                seen += 1
                if command in _OF_THE_COMMAND_LINE.get(service, {}):
                    options |= _OF_THE_COMMAND_LINE[service][command]
                    continue
                model = session.get_service_model({"s3api": "s3"}.get(service, service))
                operations = {xform_name(each, "-"): each for each in model.operation_names}
                if command not in operations:
                    unknown.add((path.name, service, command))
                    continue
                takes = model.operation_model(operations[command]).input_shape
                options |= {xform_name(each, "-") for each in (takes.members if takes else ())}
            if "aws " in line:
                given = set(re.findall(r"(?<=\s)--([a-z][a-z0-9-]+)", line))
                unknown |= {(path.name, line[:80], option) for option in given - options}
    assert seen > 100
    assert unknown == set()


_OF_EVERY_AWS_COMMAND = {"query", "output", "max-items", "cli-binary-format", "cli-read-timeout", "debug"}
_OF_THE_COMMAND_LINE: dict[str, dict[str, set[str]]] = {
    "s3": {"ls": {"recursive"}, "cp": set(), "mv": set(), "rm": set(), "sync": {"exclude"}},
    "logs": {"tail": {"since", "format", "log-stream-names"}},
}
"""Commands that are no operations of a service."""


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(path: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", _FENCED.sub("", path.read_text())):
        link = target[0] or target[1]
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and anchor not in map(_slug, _headings(there))):
            broken.append(link)
    assert not broken


def test_every_document_that_a_source_names_exists() -> None:
    named = {
        document
        for path in [*SOURCES, *(ROOT / "local_cloud").rglob("*.py")]
        for document in re.findall(r"docs/[\w/.-]+\.md", path.read_text())
    }
    assert "docs/runbook.md" in named
    assert not [document for document in named if not (ROOT / document).exists()]


def test_every_decision_is_listed_and_has_its_four_parts() -> None:
    folder = ROOT / "docs" / "decisions"
    decisions = sorted(path.name for path in folder.glob("[0-9]*.md"))
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text())
    assert listed == decisions
    for name in decisions:
        assert _headings(folder / name, level=2) == ["Context", "Decision", "Consequences", "Also considered"]


def test_the_architecture_lists_every_metric_that_is_emitted_and_no_other() -> None:
    document = (ROOT / "docs" / "architecture.md").read_text()
    section = document.partition("### Metrics\n")[2].partition("\n#")[0]
    listed = set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))
    emitted = {name for path in (ROOT / "lambdas").rglob("*.py") for name in _emitted(path)}
    assert listed == emitted


def _emitted(path: Path) -> Iterator[str]:
    """Names of metrics: the capitalised keys in a file that calls `emit`."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    if not any(isinstance(node, ast.Call) and _is_emit(node.func) for node in nodes):
        return
    for node in nodes:
        for key in node.keys if isinstance(node, ast.Dict) else ():
            if isinstance(key, ast.Constant) and re.fullmatch(r"[A-Z][A-Za-z]+", str(key.value)):
                yield str(key.value)


def _is_emit(called: ast.expr) -> bool:
    return isinstance(called, ast.Name) and called.id == "emit"


def _headings(path: Path, *, level: int | None = None) -> list[str]:
    text = _FENCED.sub("", path.read_text())
    found = re.findall(r"^(#+) (.+)$", text, re.MULTILINE)
    return [title for marks, title in found if level in (None, len(marks))]


def _slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _code(path: Path) -> list[str]:
    text = path.read_text()
    return [*_FENCED.findall(text), *re.findall(r"`([^`\n]+)`", _FENCED.sub("", text))]
