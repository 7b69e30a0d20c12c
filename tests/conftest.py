"""What every test may use: a CDK app with the project's flags, and a running local cloud."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent

if (ROOT / "constructs" / "__init__.py").exists():
    raise pytest.UsageError("delete constructs/__init__.py: see constructs/README.md")

# CDK's own validation triples the time of a synthesis; CI runs it once, apart from the tests
os.environ.setdefault("CDK_VALIDATION", "false")
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

import aws_cdk as cdk  # noqa: E402

from app import define  # noqa: E402
from local_cloud.cloud import LocalCloud, Options  # noqa: E402
from local_cloud.connection import Connection, free_port  # noqa: E402
from tests.all_settings import DEPLOYMENTS  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The story first, which takes longest: in another process, all the rest fits beside it."""
    items.sort(key=lambda item: "story" not in getattr(item, "fixturenames", ()))


@pytest.fixture
def cdk_app() -> cdk.App:
    """An app with the feature flags that the command line reads from cdk.json."""
    return cdk.App(context=json.loads((ROOT / "cdk.json").read_text())["context"])


@pytest.fixture(scope="session")
def resources() -> list[dict[str, Any]]:
    """Every resource of every environment, and what settings add that none of them has."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    found: list[dict[str, Any]] = []
    for environment in DEPLOYMENTS:
        # Layers need not be unpacked to read templates
        app = cdk.App(context={**context, "aws:cdk:bundling-stacks": []})
        define(app, environment)
        for stack in app.synth().stacks:
            found += stack.template["Resources"].values()
    return found


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A local cloud of this test run's own, where no wait takes long."""
    with LocalCloud(Options(port=free_port(), state=tmp_path_factory.mktemp("cloud"))) as running:
        yield running.connection
