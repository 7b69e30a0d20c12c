"""From the lake to training data, a step at a time; the state machine invokes it."""

from __future__ import annotations

import os
import time
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from botocore.config import Config

from training_data.arrival import missing_markers
from training_data.availability import Availability
from training_data.export import Export
from training_data.judgement import judge
from training_data.lake_files import PARALLEL_DOWNLOADS, Lake
from training_data.reports import exported
from training_data.settings import Settings


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer `count`, `arrived`, `export`, `exported` and `judge`, as the functions they call say."""
    settings = Settings.from_environ(os.environ)
    lake = Lake(_s3(), settings.lake_bucket)
    now = int(time.time() * 1000)
    with TemporaryDirectory(prefix="training-data-") as name:
        folder = Path(name)
        match event["action"]:
            case "count":
                cutoff = event.get("cutoff")
                return Availability(settings, lake, folder).look(now if cutoff is None else int(cutoff))
            case "arrived":
                missing = missing_markers(
                    lake,
                    event["markers"],
                    since=int(event["since"]),
                    now=now,
                    folder=folder,
                    memory_mib=settings.memory_mib,
                )
                return {"arrived": not missing, "missing": missing}
            case "export":
                return Export(settings, lake, _s3(), folder).run(event["run_id"], int(event["cutoff"]))
            case "exported":
                return exported(_s3(), settings, event["run_id"])
            case "judge":
                return judge(_s3(), settings, event["run_id"])
            case action:
                raise ValueError(f"action must be count, arrived, export, exported or judge, got {action!r}")


@cache
def _s3() -> Any:
    return boto3.client("s3", config=Config(max_pool_connections=PARALLEL_DOWNLOADS))
