"""The house stands as docs/architecture.md draws it: who may import whom, and roots without `__init__.py`."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

FUNCTIONS = (
    "recommendations",
    "clickstream",
    "retraining",
    "training_data",
    "personalize_resources",
    "erasure",
    "campaign_floors",
)

MAY_IMPORT = {
    "app.py": {"stacks"},
    "stacks": {"stacks", "colorway", "vocabulary"},
    "constructs/colorway": {"colorway", "vocabulary"},
    "lambdas/vocabulary": {"vocabulary"},
    **{f"lambdas/{package}": {package, "vocabulary"} for package in FUNCTIONS},
    "lambdas/training_data_job": {"training_data_job", "training_data", "vocabulary"},
    "commands": {"commands"},
    "local_cloud": {"local_cloud", "commands", "vocabulary"},
    "scripts": set(),
    "costs": {"costs", "commands", "stacks", "vocabulary"},
    "experiments": {"experiments", "commands", "recommendations", "vocabulary"},
    "inspector": {"inspector", "commands", "experiments", "vocabulary"},
    "benchmarks": {"local_cloud", "experiments", "inspector", "vocabulary", *FUNCTIONS},
}
"""Of our own packages. Nothing imports `app`."""

BORROWS = {
    "stacks/training.py": {"costs"},
    "lambdas/retraining/retire_handler.py": {"personalize_resources"},
    "lambdas/erasure/units.py": {"recommendations"},
    "local_cloud/recipes_compared/comparing.py": {"costs"},
    "local_cloud/status.py": {"costs"},
}
"""What a function's asset holds besides its own package and the shared words (see `RetrainingFunctions`)."""

OURS = {
    *("app", "stacks", "colorway", "vocabulary", *FUNCTIONS, "training_data_job"),
    *("commands", "local_cloud", "costs", "inspector", "experiments"),
}

RUNTIME = {"boto3", "botocore"}
"""What Lambda's Python runtimes bring."""

LAYERS = {"training_data": {"duckdb"}, "erasure": {"duckdb"}}


@pytest.mark.parametrize("place", MAY_IMPORT)
def test_what_is_further_in_knows_nothing_of_what_is_further_out(place: str) -> None:
    broken = [
        f"{path}:{line} imports {name}"
        for path in _python_files(place)
        for line, name in _imports(path)
        if name in OURS - MAY_IMPORT[place] - BORROWS.get(path.relative_to(ROOT).as_posix(), set())
    ]
    assert not broken


@pytest.mark.parametrize("package", [*FUNCTIONS, "vocabulary"])
def test_a_function_imports_only_what_is_there_when_it_runs(package: str) -> None:
    there = OURS | RUNTIME | LAYERS.get(package, set()) | set(sys.stdlib_module_names)
    missing = [
        f"{path}:{line} imports {name}"
        for path in _python_files(f"lambdas/{package}")
        for line, name in _imports(path)
        if name not in there
    ]
    assert not missing


def test_every_python_file_has_a_place_in_the_house() -> None:
    placed = {path for place in MAY_IMPORT for path in _python_files(place)}
    roots = [
        *ROOT.glob("*.py"),
        *(ROOT / name for name in ("stacks", "constructs", "lambdas")),
        *(ROOT / name for name in ("commands", "local_cloud", "benchmarks", "costs")),
        *(ROOT / name for name in ("inspector", "experiments")),
    ]
    found = {path for root in roots for path in ([root] if root.is_file() else root.rglob("*.py"))}
    assert found == {path for path in placed if "scripts" not in path.relative_to(ROOT).parts}


@pytest.mark.parametrize("source_root", ["constructs", "lambdas"])
def test_a_source_root_is_no_package(source_root: str) -> None:
    assert (ROOT / source_root).is_dir()
    assert not (ROOT / source_root / "__init__.py").exists(), "see constructs/README.md"


def _python_files(place: str) -> list[Path]:
    root = ROOT / place
    files = [root] if root.is_file() else sorted(root.rglob("*.py"))
    assert files, f"{place} holds no Python"
    return files


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """The line and the top-level name of everything that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import():
                yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                yield node.lineno, module.partition(".")[0]
