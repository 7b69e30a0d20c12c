"""Compacts the lake, once a day; a schedule invokes it."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, Final

import boto3
from botocore.config import Config

from training_data.compaction import Compactor
from training_data.lake_files import PARALLEL_DOWNLOADS, Lake, LakeFile
from vocabulary.metrics import emit

_TIME_TO_END: Final = 120_000
"""Milliseconds that the last batch may take."""


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer what was compacted and what was put aside."""
    memory = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    with TemporaryDirectory(prefix="compaction-") as name:
        compactor = Compactor(
            Lake(_s3(), os.environ["LAKE_BUCKET"]),
            _s3(),
            new_folder=lambda: Path(mkdtemp(dir=name)),
            has_time=lambda: context.get_remaining_time_in_millis() > _TIME_TO_END,
            told=_tell,
            memory_mib=int(memory) if memory else None,
        )
        return asdict(compactor.run(int(time.time() * 1000)))


def _tell(put_aside: LakeFile) -> None:
    emit(
        {"environment": os.environ["ENVIRONMENT"]},
        {"FilesUnreadable": 1, "FilesPutAside": 1},
        properties={"unreadable": [put_aside.key]},
    )


@cache
def _s3() -> Any:
    return boto3.client("s3", config=Config(max_pool_connections=PARALLEL_DOWNLOADS))
