"""Copies of the lake's files beside the inspector: new ones are fetched, those that are gone are deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from vocabulary.lake import EVENTS_FOLDER, ITEMS_FOLDER, USERS_FOLDER

_AT_A_TIME: Final = 8


@dataclass(frozen=True)
class LakeCopy:
    """The events of the last days, and the newest snapshots of items and users.

    What an erasure has taken out of the lake is not kept here either: a file that was
    rewritten is fetched again, and one that is gone there goes here.

    :param s3: client that may list and read the lake.
    :param bucket: the lake.
    :param folder: where the copies are; may hold those of an earlier time.
    :param days: how many days of events are wanted.
    """

    s3: Any
    bucket: str
    folder: Path
    days: int

    def wanted(self) -> dict[str, int]:
        """The files to look at now: key to size in bytes."""
        first = (datetime.now(UTC) - timedelta(days=self.days)).strftime("%Y-%m-%d")
        events = self._list(f"{EVENTS_FOLDER}/", after=f"{EVENTS_FOLDER}/day={first}")
        return {**events, **self._newest(ITEMS_FOLDER), **self._newest(USERS_FOLDER)}

    def fetch(self, wanted: Mapping[str, int], told: Callable[[int, int], None]) -> None:
        """Make the copies those that are wanted.

        :param told: how many of how many are there, as they come.
        """
        for path in list(self.folder.rglob("*.parquet")):
            if path.relative_to(self.folder).as_posix() not in wanted:
                path.unlink()
        missing = [key for key, size in sorted(wanted.items()) if self._size(key) != size]
        with ThreadPoolExecutor(_AT_A_TIME) as threads:
            for number, _ in enumerate(threads.map(self._copy, missing), 1):
                told(number, len(missing))

    def path(self, key: str) -> str:
        """Where the copy of a file is."""
        return str(self.folder / key)

    def _newest(self, folder: str) -> dict[str, int]:
        every = self._list(f"{folder}/")
        newest = max((key.rsplit("/", 1)[0] for key in every), default="")
        return {key: size for key, size in every.items() if key.rsplit("/", 1)[0] == newest}

    def _list(self, prefix: str, *, after: str = "") -> dict[str, int]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, **({"StartAfter": after} if after else {})
        )
        return {
            each["Key"]: each["Size"]
            for page in pages
            for each in page.get("Contents", ())
            if each["Key"].endswith(".parquet")
        }

    def _size(self, key: str) -> int | None:
        path = self.folder / key
        return path.stat().st_size if path.exists() else None

    def _copy(self, key: str) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        self.s3.download_file(self.bucket, key, str(partial))
        partial.replace(path)
