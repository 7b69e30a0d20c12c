"""mypy reads few of the CDK's services: those that are named here, and what their classes are made of."""

from __future__ import annotations

import ast
import importlib.util
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
READ = next(each["module"] for each in SETTINGS["overrides"] if each.get("follow_imports") == "normal")


def is_read(module: str) -> bool:
    """`a.*` means `a` too."""
    packages = (each.removesuffix("*") for each in READ if each.endswith(".*"))
    return module in READ or f"{module}.".startswith(tuple(packages))


def named_here() -> Iterator[str]:
    """Modules of the library that our sources import."""
    for source in SETTINGS["files"]:
        path = ROOT / source
        for file in [path] if path.is_file() else path.rglob("*.py"):
            if "aws_cdk" not in (text := file.read_text()):
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Import):
                    yield from (each.name for each in node.names if each.name.partition(".")[0] == "aws_cdk")
                elif isinstance(node, ast.ImportFrom) and node.module == "aws_cdk":
                    # What begins with a capital is a class of the library's root
                    yield from (f"aws_cdk.{each.name}" for each in node.names if each.name.islower())
                elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("aws_cdk."):
                    yield str(node.module)


def bases(module: str) -> set[str]:
    """Modules that have base classes of this one's, each imported under a name that ends like `_09840e12`."""
    spec = importlib.util.find_spec("aws_cdk")
    assert spec and spec.origin
    text = Path(spec.origin).parent.joinpath(*module.split(".")[1:], "__init__.py").read_text()
    imported = dict(re.findall(r"^ +import ([\w.]+) as (_\w+_[0-9a-f]{8})$", text, re.MULTILINE))
    aliases = {alias: name for name, alias in imported.items()}
    heads = "".join(re.findall(r"^class \w+\(([^:]*?)\):$", text, re.MULTILINE))
    used = set(re.findall(r"\b(_\w+_[0-9a-f]{8})\.", heads))
    return {aliases[alias] for alias in used if aliases.get(alias, "").startswith("aws_cdk")}


def test_whatever_of_the_library_is_named_here_is_read() -> None:
    named = set(named_here())
    assert {"aws_cdk.aws_lambda", "aws_cdk.assertions"} <= named
    assert [module for module in sorted(named) if not is_read(module)] == []


def test_so_is_whatever_has_a_base_of_a_class_that_is_read() -> None:
    """Of an unread base, mypy would let every attribute pass."""
    services = [module for module in READ if module.startswith("aws_cdk.aws_")]
    found = {module: bases(module) for module in services}
    assert {"aws_cdk", "aws_cdk.aws_ec2", "aws_cdk.interfaces.aws_lambda"} <= found["aws_cdk.aws_lambda"]
    assert {module: [base for base in of if not is_read(base)] for module, of in found.items()} == {
        module: [] for module in services
    }
