"""One deployment for all that is asked of the APIs."""

from __future__ import annotations

import pytest

from local_cloud.connection import Connection
from tests.story.serving.served import Served


@pytest.fixture(scope="session")
def served(cloud: Connection, tmp_path_factory: pytest.TempPathFactory) -> Served:
    return Served(cloud, tmp_path_factory.mktemp("serving"))
