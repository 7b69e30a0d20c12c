"""The files of the lake that an experiment needs, copied to this machine, and gone here when gone there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from experiments import copies
from vocabulary.lake import EVENTS_FOLDER, EXPOSURES_FOLDER, USERS_FOLDER


@dataclass(frozen=True)
class LakeFiles:
    """Parquet files by table, as paths here.

    :param events: of the days asked for; likewise `exposures`.
    :param users: the newest snapshot of the catalogue's users.
    """

    exposures: list[str]
    events: list[str]
    users: list[str]

    @classmethod
    def below(cls, folder: Path, first: date, last: date) -> LakeFiles:
        """Of a folder that is laid out as the lake is."""
        users = sorted(folder.glob(f"{USERS_FOLDER}/day=*/*.parquet"))
        newest = users[-1].parent if users else None
        return cls(
            exposures=_of_days(folder / EXPOSURES_FOLDER, first, last),
            events=_of_days(folder / EVENTS_FOLDER, first, last),
            users=[str(path) for path in users if path.parent == newest],
        )


def copy(
    s3: Any, bucket: str, folder: Path, first: date, last: date, *, exposures_since: date | None = None
) -> None:
    """Make a folder hold the partitions from `first` to `last`, both included, and the newest users.

    Only these are listed: keys sort by day. A file that is there at its size is not fetched again,
    one that the lake no longer has (an erasure rewrote it) is deleted here.

    :param exposures_since: keep exposures from an earlier day on, which told when it all began.
    """
    wanted = {
        **_between(s3, bucket, EXPOSURES_FOLDER, min(first, exposures_since or first), last),
        **_between(s3, bucket, EVENTS_FOLDER, first, last),
        **copies.newest(s3, bucket, USERS_FOLDER),
    }
    copies.drop_others(folder, wanted)
    copies.fetch(s3, bucket, folder, wanted)


def copy_exposures(s3: Any, bucket: str, folder: Path, first: date, last: date) -> None:
    """Fetch the exposures from `first` to `last` that a folder lacks."""
    copies.fetch(s3, bucket, folder, _between(s3, bucket, EXPOSURES_FOLDER, first, last))


def first_day(s3: Any, bucket: str) -> date | None:
    """The first day that has exposures, of whatever experiment."""
    for key, _ in copies.listed(s3, bucket, f"{EXPOSURES_FOLDER}/"):
        return date.fromisoformat(key.removeprefix(f"{EXPOSURES_FOLDER}/day=")[:10])
    return None


def _between(s3: Any, bucket: str, folder: str, first: date, last: date) -> dict[str, int]:
    beyond = f"{folder}/day={last + timedelta(days=1)}"
    found = {}
    for key, size in copies.listed(s3, bucket, f"{folder}/", after=f"{folder}/day={first}"):
        if key >= beyond:
            break
        found[key] = size
    return found


def _of_days(folder: Path, first: date, last: date) -> list[str]:
    return [
        str(path)
        for path in sorted(folder.glob("day=*/*.parquet"))
        if f"day={first}" <= path.parent.name <= f"day={last}"
    ]
