"""Colorway in a local cloud of its own, with a marketplace's history in its lake and nothing trained yet."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from local_cloud import demo, deployed, retraining_progress
from local_cloud.cloud import LocalCloud, Options
from local_cloud.connection import Connection, free_port
from local_cloud.lake_loading import connect, load
from local_cloud.marketplace import Marketplace, generate
from local_cloud.progress import Progress


@contextmanager
def filled_cloud(
    progress: Progress, *, customers: int, seed: int = 7
) -> Iterator[tuple[Connection, Marketplace]]:
    """Deploy and load, and wait until the first training has looked in vain; gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="colorway-benchmark-") as folder:
        options = Options(port=free_port(), state=Path(folder))
        with LocalCloud(options) as cloud:
            connection = cloud.connection
            demo.deploy(connection, options, progress)
            market = generate(now=datetime.now(UTC), customers=customers, seed=seed)
            history = market.history(connect())
            load(
                connection.client("s3"),
                bucket=deployed.output(connection, "LakeBucketName"),
                history=history,
                progress=progress.say,
            )
            retraining_progress.await_idle(connection, deployed.output(connection, "RetrainingArn"))
            yield connection, market
