"""A folder in place of an S3 bucket, behind as much of boto3's client as the training-data function uses."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO


@dataclass(frozen=True)
class FolderS3:
    """Buckets as folders under `root`; an uploaded file is not kept, as it would leave the function."""

    root: Path

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str = "") -> None:  # noqa: N803
        path = self.root / Bucket / Key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Body)

    def upload_file(self, filename: str, bucket: str, key: str) -> None:
        assert Path(filename).exists()

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"Body": (self.root / Bucket / Key).open("rb")}

    def download_fileobj(self, bucket: str, key: str, target: BinaryIO, Config: object) -> None:  # noqa: N803
        with (self.root / bucket / key).open("rb") as opened:
            shutil.copyfileobj(opened, target, 2**20)

    def get_paginator(self, operation: str) -> FolderS3:
        assert operation == "list_objects_v2"
        return self

    def paginate(
        self,
        *,
        Bucket: str,  # noqa: N803
        Prefix: str,  # noqa: N803
        StartAfter: str = "",  # noqa: N803
    ) -> Iterator[dict[str, Any]]:
        root = self.root / Bucket
        files = [path for path in root.rglob("*") if path.is_file()]
        keys = {path.relative_to(root).as_posix(): path for path in files}
        yield {
            "Contents": [
                {"Key": key, "Size": path.stat().st_size, "LastModified": _written(path)}
                for key, path in sorted(keys.items())
                if key.startswith(Prefix) and key > StartAfter
            ]
        }


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
