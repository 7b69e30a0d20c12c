"""Takes a user out of the lake: Parquet files that hold rows of theirs are written again without them.

A user's rows are those with their id, those without any that belong to a
session of theirs, and exposures with a unit id of theirs. Every step may be
repeated: what is done already is found to need nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb

from vocabulary.lake import ARRIVED

# Files may hold ids as numbers; whose they are goes by the text that the lake reads of them
_THEIR_RECORD: Final = "CAST(user_id AS VARCHAR) = $user"
_OF_THEIR_SESSIONS: Final = "CAST(session_id AS VARCHAR) IN (SELECT unnest(CAST($sessions AS VARCHAR[])))"
_THEIRS: Final = f"{_THEIR_RECORD} OR (user_id IS NULL AND {_OF_THEIR_SESSIONS})"
_THEIR_EXPOSURE: Final = "CAST(unit_id AS VARCHAR) IN (SELECT unnest(CAST($units AS VARCHAR[])))"


@dataclass(frozen=True)
class Person:
    """Whose rows are meant.

    :param sessions: ids of sessions that are known to be theirs. Who never signed in is known by the
        session's id in place of a user's, so that is always among them.
    :param units: who they are in the exposures.
    """

    user_id: str
    sessions: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()

    @classmethod
    def of(cls, user_id: str, sessions: Collection[str] = (), units: Collection[str] = ()) -> Person:
        return cls(user_id, frozenset({user_id, *sessions}), frozenset(units))


@dataclass
class Progress:
    """What was done so far.

    :param files: that were looked at.
    :param concerned: those of them that hold rows of the person, or held them.
    :param rows: of the person.
    :param sessions: ids of the sessions that they signed in to.
    :param unreadable: keys of files that are no Parquet: what they hold is for a person to find out.
    :param after: key of the last file that was looked at, to go on behind; None when all are done.
    """

    files: int = 0
    concerned: int = 0
    rows: int = 0
    sessions: set[str] = field(default_factory=set)
    unreadable: list[str] = field(default_factory=list)
    after: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "sessions": sorted(self.sessions)}


class LakeRewriting:
    """
    :param s3: boto3 client.
    :param bucket: of the lake.
    :param has_time: whether another file may be begun.
    """

    def __init__(self, s3: Any, *, bucket: str, has_time: Callable[[], bool]) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._has_time = has_time

    @cached_property
    def _database(self) -> duckdb.DuckDBPyConnection:
        """One for all files: to open it takes longer than to look at a small one."""
        return duckdb.connect(config=_CONFIG)

    def folders(self, parent: str) -> list[str]:
        """The partitions in a folder, e.g. `events/day=2026-11-24/`, oldest first."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{parent}/", Delimiter="/"
        )
        return sorted(entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", ()))

    def look(self, folders: Collection[str], person: Person, *, after: str | None = None) -> Progress:
        """Count the person's rows in folders, and find their sessions."""
        return self._go_through(folders, person, after, remove=False)

    def remove(self, folders: Collection[str], person: Person, *, after: str | None = None) -> Progress:
        """Write the folders' files again without the person's rows."""
        return self._go_through(folders, person, after, remove=True)

    def _go_through(
        self, folders: Collection[str], person: Person, after: str | None, *, remove: bool
    ) -> Progress:
        progress = Progress()
        # In the order of keys, so that those of folders before `after` are done
        for key in (key for folder in sorted(folders) for key in self._keys(folder, after)):
            # One at least: a step that looked at none would have nothing to go on behind
            if not self._has_time() and progress.files:
                return progress
            progress.files += 1
            progress.after = key
            try:
                self._look_at(key, person, progress, remove=remove)
            except duckdb.Error:
                progress.unreadable.append(key)
        progress.after = None
        return progress

    def _look_at(self, key: str, person: Person, progress: Progress, *, remove: bool) -> None:
        with TemporaryDirectory(prefix="erasure-") as name:
            file = Path(name) / "before.parquet"
            self._s3.download_file(self._bucket, key, str(file))
            rows, sessions = _rows_of(self._database, file, person)
            if rows and remove:
                self._replace(self._database, file, key, person)
        progress.concerned += rows > 0
        progress.rows += rows
        progress.sessions |= sessions

    def _replace(self, database: duckdb.DuckDBPyConnection, file: Path, key: str, person: Person) -> None:
        """S3 replaces an object at once: readers see all of the old one or all of the new one."""
        rest = file.with_name("after.parquet")
        condition, values = _condition(database, file, person)
        copied = database.execute(
            f"COPY (SELECT * FROM {_table(file)} WHERE NOT coalesce({condition}, false))"
            f" TO '{rest}' (FORMAT parquet, COMPRESSION snappy)",
            values,
        ).fetchall()
        if copied[0][0]:
            # What counts as late must not be what was written again
            arrived = {"Metadata": {ARRIVED: self._arrived(key)}}
            self._s3.upload_file(str(rest), self._bucket, key, ExtraArgs=arrived)
        else:
            self._s3.delete_object(Bucket=self._bucket, Key=key)

    def _arrived(self, key: str) -> str:
        """When what is in a file had arrived, unix milliseconds: when it was written, the first time."""
        head = self._s3.head_object(Bucket=self._bucket, Key=key)
        return head["Metadata"].get(ARRIVED) or str(int(head["LastModified"].timestamp() * 1000))

    def _keys(self, folder: str, after: str | None) -> Iterator[str]:
        position = {"StartAfter": after} if after else {}
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=folder, **position
        )
        for page in pages:
            for entry in page.get("Contents", ()):
                if entry["Size"]:
                    yield entry["Key"]


_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": "false",  # what it needs is built in; never reach for the network
    "home_directory": "/tmp",
}


def _rows_of(database: duckdb.DuckDBPyConnection, file: Path, person: Person) -> tuple[int, set[str]]:
    """How many rows are the person's, and the ids of sessions that they signed in to."""
    condition, values = _condition(database, file, person)
    (count,) = _row(database, f"SELECT count(*) FROM {_table(file)} WHERE {condition}", values)
    if not count or "$sessions" not in condition:
        return int(count), set()
    found = database.execute(
        f"SELECT DISTINCT CAST(session_id AS VARCHAR) FROM {_table(file)}"
        f" WHERE {_THEIR_RECORD} AND session_id IS NOT NULL",
        {"user": person.user_id},
    ).fetchall()
    return int(count), {str(session) for (session,) in found}


def _condition(database: duckdb.DuckDBPyConnection, file: Path, person: Person) -> tuple[str, dict[str, Any]]:
    """What is theirs, by the columns that the file has."""
    columns = {
        row[0].lower() for row in database.execute(f"DESCRIBE SELECT * FROM {_table(file)}").fetchall()
    }
    if "unit_id" in columns:
        return _THEIR_EXPOSURE, {"units": sorted(person.units)}
    if "user_id" not in columns:
        return "false", {}
    if "session_id" not in columns:
        return _THEIR_RECORD, {"user": person.user_id}
    return _THEIRS, {"user": person.user_id, "sessions": sorted(person.sessions)}


def _table(file: Path) -> str:
    return f"read_parquet('{file}', hive_partitioning = false)"


def _row(database: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any]) -> tuple[Any, ...]:
    row = database.execute(query, values).fetchone()
    assert row is not None  # an aggregate without groups is one row
    return tuple(row)
