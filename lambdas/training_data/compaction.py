"""Small files of the lake made into large ones, and unreadable ones put aside.

Firehose delivers every minute or so: hundreds of files a day, each read by a
request of its own ever after. A day that is a while past is made one file.

Whatever fails in between, no event is lost: the one file is there before the
small ones go, and is named after them, so that the next attempt goes on where
this one ended. Until then events are there twice, as a stream may have brought
them twice too, and every reader counts by event id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from training_data.database import DuckDb, database
from training_data.lake_files import Lake, LakeFile, partition
from training_data.reading import leave_out_damaged, leave_out_unreadable
from training_data.sql import literal
from training_data.window import day_of
from vocabulary.lake import EVENTS_FOLDER, QUARANTINE_FOLDER

_AFTER: Final = 2
"""Days after which a day is made one file: by then what is late has come, and a retraining has read it."""

_BACK_TO: Final = 16
"""Days back that are looked at. A rewritten file is new to the lifecycle of the lake: none much older is."""

_SMALL: Final = 32 * 2**20
_FEWEST: Final = 4
"""Fewer are left as they are, but looked at: one that cannot be read is put aside wherever it lies."""

_MOST_AT_ONCE: Final = 1 * 2**30
"""Bytes of small files that become one; a day may become several."""


@dataclass(frozen=True)
class Compaction:
    """What was done.

    :param days: to how many files each became how many, e.g. `{"2026-11-20": [288, 1]}`.
    :param quarantined: keys of files that could not be read, before they were put aside.
    """

    days: dict[str, list[int]]
    quarantined: list[str]


def compact(
    lake: Lake,
    s3: Any,
    *,
    now: int,
    new_folder: Callable[[], Path],
    has_time: Callable[[], bool],
    memory_mib: int | None = None,
) -> Compaction:
    """Compact the days that are due, oldest first, for as long as there is time; the rest is for next time.

    :param s3: may write and delete below `events/`, and write below the quarantine's folder.
    :param now: unix milliseconds.
    :param new_folder: gives an empty folder on disk; whoever made it removes it.
    """
    days: dict[str, list[int]] = {}
    quarantined: list[str] = []
    today = day_of(now)
    for back in range(_BACK_TO, _AFTER - 1, -1):
        day = today - timedelta(days=back)
        small = [file for file in lake.events(day, day) if file.size < _SMALL and not is_compacted(file)]
        for batch in _batches(small):
            if not has_time():
                return Compaction(days, quarantined)
            with database(folder := new_folder(), memory_mib=memory_mib) as engine:
                told = _Batch(lake, s3, engine, folder, day).compact(batch)
            quarantined += told.quarantined
            if told.became:
                before, after = days.get(day.isoformat(), [0, 0])
                days[day.isoformat()] = [before + len(batch), after + 1]
    return Compaction(days, quarantined)


def is_compacted(file: LakeFile) -> bool:
    return file.key.rpartition("/")[2].startswith("compacted-")


@dataclass(frozen=True)
class _Told:
    became: bool
    quarantined: list[str]


@dataclass(frozen=True)
class _Batch:
    lake: Lake
    s3: Any
    engine: DuckDb
    folder: Path
    day: date

    def compact(self, files: Sequence[LakeFile]) -> _Told:
        fetched = self.folder / "small"
        self.lake.fetch(files, fetched)
        broken = leave_out_unreadable(self.engine, fetched, files)
        broken += leave_out_damaged(self.engine, fetched, files)
        for file in broken:
            self._put_aside(file)
        whole = [file for file in files if file not in broken]
        if len(whole) < _FEWEST:
            return _Told(False, [file.key for file in broken])
        target = self.folder / "compacted.parquet"
        # In order of receipt: then readers of a part of the day skip the rest by the file's statistics
        self.engine.connection.execute(
            f"COPY (SELECT * FROM read_parquet({literal(str(fetched / '*.parquet'))}, union_by_name = true)"
            f" ORDER BY received_at) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)"
        )
        key = self._key(whole)
        self.s3.upload_file(str(target), self.lake.bucket, key)
        # Somebody may have rewritten a file meanwhile, to erase a person: then this one must not stay
        there = {file.key: file for file in self.lake.events(self.day, self.day)}
        if any(there.get(file.key) != file for file in whole):
            self.s3.delete_object(Bucket=self.lake.bucket, Key=key)
            return _Told(False, [file.key for file in broken])
        for file in whole:
            self.s3.delete_object(Bucket=self.lake.bucket, Key=file.key)
        return _Told(True, [file.key for file in broken])

    def _put_aside(self, file: LakeFile) -> None:
        to = file.key.replace(f"{EVENTS_FOLDER}/", f"{QUARANTINE_FOLDER}/", 1)
        source = {"Bucket": self.lake.bucket, "Key": file.key}
        self.s3.copy_object(Bucket=self.lake.bucket, Key=to, CopySource=source)
        self.s3.delete_object(Bucket=self.lake.bucket, Key=file.key)

    def _key(self, files: Sequence[LakeFile]) -> str:
        """Named after when the newest of them was written, which is when their events have arrived."""
        written = max(file.written_at for file in files)
        names = hashlib.sha256("\n".join(sorted(file.key for file in files)).encode()).hexdigest()[:16]
        return f"{partition(self.day)}compacted-{written}-{names}.parquet"


def _batches(files: Sequence[LakeFile]) -> list[list[LakeFile]]:
    batches: list[list[LakeFile]] = [[]]
    for file in files:
        if sum(each.size for each in batches[-1]) + file.size > _MOST_AT_ONCE:
            batches.append([])
        batches[-1].append(file)
    return [batch for batch in batches if batch]
