"""The files of the lake that an experiment needs, copied to this machine, and gone here when gone there."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from vocabulary.lake import EVENTS_FOLDER, EXPOSURES_FOLDER, USERS_FOLDER

_AT_A_TIME: Final = 8


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
        **_newest(s3, bucket, USERS_FOLDER),
    }
    for path in list(folder.rglob("*.parquet")):
        if path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
    _fetch(s3, bucket, folder, wanted)


def copy_exposures(s3: Any, bucket: str, folder: Path, first: date, last: date) -> None:
    """Fetch the exposures from `first` to `last` that a folder lacks."""
    _fetch(s3, bucket, folder, _between(s3, bucket, EXPOSURES_FOLDER, first, last))


def _fetch(s3: Any, bucket: str, folder: Path, wanted: dict[str, int]) -> None:
    missing = [key for key, size in sorted(wanted.items()) if _size(folder / key) != size]

    def fetch(key: str) -> None:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        s3.download_file(bucket, key, str(partial))
        partial.replace(path)

    with ThreadPoolExecutor(_AT_A_TIME) as threads:
        list(threads.map(fetch, missing))


def first_day(s3: Any, bucket: str) -> date | None:
    """The first day that has exposures, of whatever experiment."""
    for key, _ in _listed(s3, bucket, f"{EXPOSURES_FOLDER}/"):
        return date.fromisoformat(key.removeprefix(f"{EXPOSURES_FOLDER}/day=")[:10])
    return None


def _between(s3: Any, bucket: str, folder: str, first: date, last: date) -> dict[str, int]:
    beyond = f"{folder}/day={last + timedelta(days=1)}"
    found = {}
    for key, size in _listed(s3, bucket, f"{folder}/", after=f"{folder}/day={first}"):
        if key >= beyond:
            break
        found[key] = size
    return found


def _newest(s3: Any, bucket: str, folder: str) -> dict[str, int]:
    every = dict(_listed(s3, bucket, f"{folder}/"))
    newest = max((key.rpartition("/")[0] for key in every), default="")
    return {key: size for key, size in every.items() if key.rpartition("/")[0] == newest}


def _listed(s3: Any, bucket: str, prefix: str, *, after: str = "") -> Iterator[tuple[str, int]]:
    request = {"Bucket": bucket, "Prefix": prefix, **({"StartAfter": after} if after else {})}
    for page in s3.get_paginator("list_objects_v2").paginate(**request):
        for each in page.get("Contents", ()):
            if each["Key"].endswith(".parquet") and each["Size"]:
                yield each["Key"], each["Size"]


def _of_days(folder: Path, first: date, last: date) -> list[str]:
    return [
        str(path)
        for path in sorted(folder.glob("day=*/*.parquet"))
        if f"day={first}" <= path.parent.name <= f"day={last}"
    ]


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.exists() else None
