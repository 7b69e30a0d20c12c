"""Which files of the lake hold what is asked for, and their way onto this machine."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

from vocabulary.lake import ARRIVED, EVENTS_FOLDER

PARALLEL_DOWNLOADS: Final = 16
"""Also the connections that the S3 client needs to keep."""

_IN_ONE_REQUEST: Final = 8 * 2**20
"""Bytes up to which a file is fetched by one GetObject; larger ones are worth a HeadObject and ranges."""

_ATTEMPTS: Final = 4

_PIECE: Final = 2**18
"""Bytes that are moved at a time."""


@dataclass(frozen=True)
class LakeFile:
    """An object of the lake: its key, size in bytes, and when its content arrived (unix milliseconds)."""

    key: str
    size: int
    written_at: int


@dataclass(frozen=True)
class Lake:
    """The lake bucket, read through an S3 client."""

    s3: Any
    bucket: str

    def events(self, first: date, last: date) -> list[LakeFile]:
        """The files of the partitions from `first` to `last`, both included, oldest partition first.

        One listing of the key range: keys sort by day, so nothing outside it is listed.
        """
        return list(self._between(f"{EVENTS_FOLDER}/", partition(first), partition(last + timedelta(days=1))))

    def snapshots(self, folder: str) -> list[tuple[str, list[LakeFile]]]:
        """The days (`YYYY-MM-DD`) of a catalogue folder, newest first, and the files of each."""
        by_day: dict[str, list[LakeFile]] = {}
        for file in self._list(Prefix=f"{folder}/day="):
            day = file.key.removeprefix(f"{folder}/day=").partition("/")[0]
            by_day.setdefault(day, []).append(file)
        return sorted(by_day.items(), reverse=True)

    def as_arrived(self, files: Sequence[LakeFile]) -> list[LakeFile]:
        """The same files, each with when its content arrived, also where it was written again since.

        A request for each: a listing does not tell.
        """
        with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
            return list(pool.map(self._as_arrived, files))

    def _as_arrived(self, file: LakeFile) -> LakeFile:
        metadata = self.s3.head_object(Bucket=self.bucket, Key=file.key)["Metadata"]
        return replace(file, written_at=min(file.written_at, int(metadata.get(ARRIVED, file.written_at))))

    def ends_as_parquet(self, file: LakeFile) -> bool:
        """Whether a file ends as Parquet files do; one that was cut off does not."""
        end = self.s3.get_object(Bucket=self.bucket, Key=file.key, Range="bytes=-4")["Body"].read()
        return bool(end == b"PAR1")

    def fetch(self, files: Sequence[LakeFile], into: Path) -> None:
        """Copy files into a folder, as numbered `*.parquet`, several at a time."""
        into.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
            copies = [
                pool.submit(self._copy, file, into / f"{number:08}.parquet")
                for number, file in enumerate(files, start=len(list(into.iterdir())))
            ]
            for copy in copies:
                copy.result()

    def _copy(self, file: LakeFile, target: Path) -> None:
        if file.size > _IN_ONE_REQUEST:
            with target.open("wb") as opened:
                self.s3.download_fileobj(
                    self.bucket, file.key, opened, Config=TransferConfig(use_threads=False)
                )
            return
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                found = self.s3.get_object(Bucket=self.bucket, Key=file.key)
                # In pieces: whole, all files under way would be in memory, and new memory costs CPU
                with found["Body"] as body, target.open("wb") as opened:
                    shutil.copyfileobj(body, opened, _PIECE)
                return
            # botocore retries requests, not the reading of an answer
            except (IncompleteReadError, ReadTimeoutError, ResponseStreamingError):
                if attempt == _ATTEMPTS:
                    raise

    def _between(self, prefix: str, first: str, beyond: str) -> Iterator[LakeFile]:
        for file in self._list(Prefix=prefix, StartAfter=first):
            if file.key >= beyond:
                return
            yield file

    def _list(self, **request: str) -> Iterator[LakeFile]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, **request)
        for page in pages:
            for found in page.get("Contents", ()):
                # Hive's convention: names that begin with '_' or '.' are no data
                if found["Size"] > 0 and found["Key"].rpartition("/")[2][:1] not in ("_", "."):
                    written = int(found["LastModified"].timestamp() * 1000)
                    yield LakeFile(found["Key"], found["Size"], _arrived(found["Key"], written))


def _arrived(key: str, written: int) -> int:
    """When what is in a file has arrived: one that was compacted says so in its name."""
    told = re.match(r"compacted-(\d+)-", key.rpartition("/")[2])
    return int(told.group(1)) if told else written


def partition(day: date) -> str:
    """The prefix of one day's events."""
    return f"{EVENTS_FOLDER}/day={day.isoformat()}/"
