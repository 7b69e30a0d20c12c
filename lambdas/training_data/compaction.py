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
import shutil
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
from vocabulary.lake import EVENT_COLUMNS, EVENTS_FOLDER, QUARANTINE_FOLDER

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


@dataclass(frozen=True)
class Compactor:
    """
    :param s3: may write and delete below `events/`, and write below the quarantine's folder.
    :param new_folder: gives an empty folder on disk, which is removed when its work is done.
    :param has_time: for another batch of files.
    :param told: of each file that was put aside, at once.
    """

    lake: Lake
    s3: Any
    new_folder: Callable[[], Path]
    has_time: Callable[[], bool]
    told: Callable[[LakeFile], None]
    memory_mib: int | None = None

    def run(self, now: int) -> Compaction:
        """Compact the days that are due, oldest first, and look at their large files, newest first.

        What there is no time for is for next time.

        :param now: unix milliseconds.
        """
        done = Compaction({}, [])
        today = day_of(now)
        due = [today - timedelta(days=back) for back in range(_BACK_TO, _AFTER - 1, -1)]
        made: set[str] = set()
        for day in due:
            for batch in _batches([file for file in self.lake.events(day, day) if _is_small(file)]):
                if not self.has_time():
                    return done
                key = self._compact(day, batch, done.quarantined)
                if key is not None:
                    made.add(key)
                    before, after = done.days.get(day.isoformat(), [0, 0])
                    done.days[day.isoformat()] = [before + len(batch), after + 1]
        for day in reversed(due):  # of a lake too large for all of them, each day's had a turn then
            for file in self.lake.events(day, day):
                if _is_small(file) or file.key in made:
                    continue
                if not self.has_time():
                    return done
                self._look_at(file, done.quarantined)
        return done

    def _compact(self, day: date, files: Sequence[LakeFile], quarantined: list[str]) -> str | None:
        """Make one file of some of a day; answer its key, or None where they are left as they are."""
        folder = self.new_folder()
        try:
            with database(folder, memory_mib=self.memory_mib) as engine:
                self.lake.fetch(files, folder / "small")
                broken = _broken(engine, folder / "small", files)
                self._put_aside(broken, quarantined)
                whole = [file for file in files if file not in broken]
                if len(whole) < _FEWEST:
                    return None
                return self._replace(engine, folder, day, whole)
        finally:
            shutil.rmtree(folder)

    def _replace(self, engine: DuckDb, folder: Path, day: date, files: Sequence[LakeFile]) -> str | None:
        target = folder / "compacted.parquet"
        # In order of receipt: then readers of a part of the day skip the rest by the file's statistics
        engine.connection.execute(
            f"COPY (SELECT * FROM read_parquet({literal(str(folder / 'small' / '*.parquet'))},"
            f" union_by_name = true) ORDER BY received_at) TO {literal(str(target))}"
            " (FORMAT parquet, COMPRESSION zstd)"
        )
        key = self._key(day, files)
        self.s3.upload_file(str(target), self.lake.bucket, key)
        # Somebody may have rewritten a file meanwhile, to erase a person: then this one must not stay
        there = {file.key: file for file in self.lake.events(day, day)}
        if any(there.get(file.key) != file for file in files):
            self.s3.delete_object(Bucket=self.lake.bucket, Key=key)
            return None
        for file in files:
            self.s3.delete_object(Bucket=self.lake.bucket, Key=file.key)
        return key

    def _look_at(self, file: LakeFile, quarantined: list[str]) -> None:
        """Read a large file whole; of one that the disk does not hold, see that it was not cut off."""
        folder = self.new_folder()
        try:
            if file.size > shutil.disk_usage(folder).free:
                broken = [] if self.lake.ends_as_parquet(file) else [file]
            else:
                with database(folder, memory_mib=self.memory_mib) as engine:
                    self.lake.fetch([file], folder / "large")
                    broken = _broken(engine, folder / "large", [file])
            self._put_aside(broken, quarantined)
        finally:
            shutil.rmtree(folder)

    def _put_aside(self, files: Sequence[LakeFile], quarantined: list[str]) -> None:
        for file in files:
            to = file.key.replace(f"{EVENTS_FOLDER}/", f"{QUARANTINE_FOLDER}/", 1)
            source = {"Bucket": self.lake.bucket, "Key": file.key}
            # Not copy_object, which takes no more than 5 GB
            self.s3.copy(source, self.lake.bucket, to)
            self.s3.delete_object(Bucket=self.lake.bucket, Key=file.key)
            quarantined.append(file.key)
            self.told(file)

    def _key(self, day: date, files: Sequence[LakeFile]) -> str:
        """Named after when the newest of them was written, which is when their events have arrived."""
        written = max(file.written_at for file in self.lake.as_arrived(files))
        names = hashlib.sha256("\n".join(sorted(file.key for file in files)).encode()).hexdigest()[:16]
        return f"{partition(day)}compacted-{written}-{names}.parquet"


def _is_small(file: LakeFile) -> bool:
    compacted = file.key.rpartition("/")[2].startswith("compacted-")
    return file.size < _SMALL and not compacted


def _broken(engine: DuckDb, folder: Path, files: Sequence[LakeFile]) -> list[LakeFile]:
    broken = leave_out_unreadable(engine, folder, files, EVENT_COLUMNS)
    return broken + leave_out_damaged(engine, folder, files)


def _batches(files: Sequence[LakeFile]) -> list[list[LakeFile]]:
    batches: list[list[LakeFile]] = [[]]
    for file in files:
        if sum(each.size for each in batches[-1]) + file.size > _MOST_AT_ONCE:
            batches.append([])
        batches[-1].append(file)
    return [batch for batch in batches if batch]
