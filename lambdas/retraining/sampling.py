"""Who the heartbeat asks for: users and items from all over a run's training data, not read whole."""

from __future__ import annotations

import csv
import io
import random
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, Final

from retraining.heartbeat import Sample
from vocabulary.lake import dataset_folder

_PLACES: Final = 8
_BYTES: Final = 16_384


class NothingToSample(Exception):
    """A run's training data are there no more, after an erasure say; the message names the folder."""


def sample(s3: Any, bucket: str, run_id: str, *, users: int) -> Sample:
    """Draw `users` users, and an item for each answer; the same ones whenever it is asked of the same run.

    :param s3: client that may read the run's folder.
    :raises NothingToSample: when the run's interactions are not there.
    """
    prefix = dataset_folder(run_id, "interactions")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    found = (each for page in pages for each in page.get("Contents", ()))
    files = [(each["Key"], int(each["Size"])) for each in found if each["Size"]]
    if not files:
        raise NothingToSample(f"s3://{bucket}/{prefix} holds no file: an erasure deletes what names users")
    # DuckDB writes one file, Spark one of each of its partitions; all have the same header
    header = _text(s3, bucket, files[0][0], 0).partition("\n")[0]
    rows: list[dict[str, str]] = []
    for key, start in _places(files):
        # The first line may have begun before, the last may end later
        whole = _text(s3, bucket, key, start).split("\n")[1:-1]
        rows += csv.DictReader(io.StringIO("\n".join([header, *whole])), escapechar="\\", doublequote=False)
    draw = random.Random(run_id)
    known = sorted({row["USER_ID"] for row in rows})
    items = sorted({row["ITEM_ID"] for row in rows})
    strangers = _strangers(run_id)
    return Sample(
        known=tuple(draw.sample(known, min(users, len(known)))),
        strangers=strangers,
        items=tuple(draw.sample(items, min(users + len(strangers), len(items)))),
    )


def _places(files: Sequence[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """Evenly over all bytes of some files, of key and size: which file to read, and from where."""
    ends = list(accumulate(size for _, size in files))
    for place in range(_PLACES):
        at = ends[-1] * place // _PLACES
        file = bisect_right(ends, at)
        key, size = files[file]
        # So near the end that no whole line is left, begin earlier
        yield key, max(0, min(at - (ends[file] - size), size - _BYTES))


def sample_of_strangers(run_id: str, items: Sequence[str]) -> Sample:
    """Nobody whom the run knew, for when its training data are there no more."""
    return Sample(known=(), strangers=_strangers(run_id), items=tuple(items))


def _strangers(run_id: str) -> tuple[str, str]:
    return f"colorway-newcomer-{run_id}", f"colorway-session-{run_id}"


def _text(s3: Any, bucket: str, key: str, start: int) -> str:
    part = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={start}-{start + _BYTES - 1}")
    return str(part["Body"].read().decode("utf-8", errors="ignore"))
