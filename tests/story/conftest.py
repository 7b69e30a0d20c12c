"""One deployment for all that is crashed, deployed over and destroyed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.story.crashes import Crashes, quick
from tests.story.deployment import Story, until
from tests.story.proof import Proof


@pytest.fixture(scope="session")
def crashes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    """A deployment without data, to be crashed."""
    story = Story(tmp_path_factory.mktemp("crash"))
    quick(story)
    with story:
        crashes = Crashes(story)
        until(crashes.nothing_runs, "the first training has looked for data")
        yield crashes


@pytest.fixture(scope="session")
def live(crashes: Crashes) -> Crashes:
    """The same with data, and a first colour live."""
    if crashes.story.pointer() == "none":
        crashes.story.load_history()
        crashes.story.retrain()
    return crashes


@pytest.fixture
def proof(crashes: Crashes) -> Proof:
    """For a promise of many cases."""
    return Proof(crashes)
