"""Who the heartbeat asks for: users and items from all over a run's training data, not read whole."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
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
    files = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
    if not files:
        raise NothingToSample(f"s3://{bucket}/{prefix} holds no file: an erasure deletes what names users")
    (found,) = files
    header = _text(s3, bucket, found["Key"], 0).partition("\n")[0]
    rows: list[dict[str, str]] = []
    for place in range(_PLACES):
        start = found["Size"] * place // _PLACES
        # The first line may have begun before, the last may end later
        whole = _text(s3, bucket, found["Key"], start).split("\n")[1:-1]
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


def sample_of_strangers(run_id: str, items: Sequence[str]) -> Sample:
    """Nobody whom the run knew, for when its training data are there no more."""
    return Sample(known=(), strangers=_strangers(run_id), items=tuple(items))


def _strangers(run_id: str) -> tuple[str, str]:
    return f"colorway-newcomer-{run_id}", f"colorway-session-{run_id}"


def _text(s3: Any, bucket: str, key: str, start: int) -> str:
    part = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={start}-{start + _BYTES - 1}")
    return str(part["Body"].read().decode("utf-8", errors="ignore"))
