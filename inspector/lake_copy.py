"""Copies of the lake's files beside the inspector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from experiments import copies
from vocabulary.lake import EVENTS_FOLDER, ITEMS_FOLDER, USERS_FOLDER


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
        after = f"{EVENTS_FOLDER}/day={first}"
        return {
            **dict(copies.listed(self.s3, self.bucket, f"{EVENTS_FOLDER}/", after=after)),
            **copies.newest(self.s3, self.bucket, ITEMS_FOLDER),
            **copies.newest(self.s3, self.bucket, USERS_FOLDER),
        }

    def fetch(self, wanted: Mapping[str, int], told: Callable[[int, int], None]) -> None:
        """Make the copies those that are wanted.

        :param told: how many of how many are there, as they come.
        """
        copies.drop_others(self.folder, wanted)
        copies.fetch(self.s3, self.bucket, self.folder, wanted, told)

    def path(self, key: str) -> str:
        """Where the copy of a file is."""
        return str(self.folder / key)
