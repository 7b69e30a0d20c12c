"""Copies of the lake's files on this machine: new ones are fetched, those that are gone there go here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

_AT_A_TIME: Final = 8
_PARTIAL: Final = ".partial"


def listed(s3: Any, bucket: str, prefix: str, *, after: str = "") -> Iterator[tuple[str, int]]:
    """Key and size in bytes of each Parquet file that holds anything, in the order of the keys.

    :param after: keys up to this one are left out.
    :raises OSError: for a key that, as a path, would lead out of the folder of the copies.
    """
    request = {"Bucket": bucket, "Prefix": prefix, **({"StartAfter": after} if after else {})}
    for page in s3.get_paginator("list_objects_v2").paginate(**request):
        for each in page.get("Contents", ()):
            if ".." in each["Key"].split("/"):
                raise OSError(f"{bucket} has a key that leads out of its folder: {each['Key']}")
            if each["Key"].endswith(".parquet") and each["Size"]:
                yield each["Key"], each["Size"]


def newest(s3: Any, bucket: str, folder: str) -> dict[str, int]:
    """The files of a table's newest snapshot: key to size in bytes."""
    every = dict(listed(s3, bucket, f"{folder}/"))
    last = max((key.rpartition("/")[0] for key in every), default="")
    return {key: size for key, size in every.items() if key.rpartition("/")[0] == last}


def drop_others(folder: Path, wanted: Mapping[str, int]) -> None:
    """Delete all but what is wanted, halves of copies too: what was erased from the lake must not stay."""
    for path in [*folder.rglob("*.parquet"), *folder.rglob(f"*{_PARTIAL}")]:
        if path.relative_to(folder).as_posix() not in wanted:
            path.unlink()


def fetch(
    s3: Any,
    bucket: str,
    folder: Path,
    wanted: Mapping[str, int],
    told: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """Copy what is not there at its size.

    :param told: how many of how many are there, as they come.
    """
    missing = [key for key, size in sorted(wanted.items()) if _size(folder / key) != size]

    def copy(key: str) -> None:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(_PARTIAL)
        s3.download_file(bucket, key, str(partial))
        partial.replace(path)

    with ThreadPoolExecutor(_AT_A_TIME) as threads:
        for number, _ in enumerate(threads.map(copy, missing), 1):
            told(number, len(missing))


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.exists() else None
