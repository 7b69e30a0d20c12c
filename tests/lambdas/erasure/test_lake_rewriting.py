"""A user leaves the lake: their rows and nobody else's, whatever is interrupted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from erasure.lake_rewriting import LakeRewriting, Person

DAY = "events/day=2026-11-24/"
BEFORE = "events/day=2026-11-23/"
COLUMNS = "event_id VARCHAR, received_at BIGINT, session_id VARCHAR, user_id VARCHAR, impression VARCHAR[]"


class FakeS3:
    """A bucket in a folder; listings come two keys to a page."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uploads: list[str] = []
        self.metadata: dict[str, dict[str, str]] = {}

    def get_paginator(self, operation: str) -> FakeS3:
        assert operation == "list_objects_v2"
        return self

    def paginate(
        self, *, Bucket: str, Prefix: str, StartAfter: str = "", Delimiter: str = ""
    ) -> Iterator[dict[str, Any]]:
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        keys = [path.relative_to(self.folder).as_posix() for path in files]
        keys = [key for key in keys if key.startswith(Prefix) and key > StartAfter]
        if Delimiter:
            prefixes = {Prefix + key.removeprefix(Prefix).partition("/")[0] + "/" for key in keys}
            yield {"CommonPrefixes": [{"Prefix": prefix} for prefix in prefixes]}
            return
        for at in range(0, len(keys), 2):
            yield {
                "Contents": [
                    {"Key": key, "Size": (self.folder / key).stat().st_size} for key in keys[at : at + 2]
                ]
            }

    def download_file(self, bucket: str, key: str, target: str) -> None:
        shutil.copy(self.folder / key, target)

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        written = datetime.fromtimestamp((self.folder / Key).stat().st_mtime, UTC)
        return {"Metadata": self.metadata.get(Key, {}), "LastModified": written}

    def upload_file(self, source: str, bucket: str, key: str, ExtraArgs: dict[str, Any]) -> None:
        self.uploads.append(key)
        self.metadata[key] = ExtraArgs["Metadata"]
        shutil.copy(source, self.folder / key)

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        (self.folder / Key).unlink()


@pytest.fixture
def s3(tmp_path: Path) -> FakeS3:
    return FakeS3(tmp_path)


def put(s3: FakeS3, key: str, *rows: tuple[str, str | None, str | None]) -> None:
    """Rows of event id, session id and user id."""
    file = s3.folder / key
    file.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as database:
        database.execute(f"CREATE TABLE events ({COLUMNS})")
        if rows:
            database.executemany("INSERT INTO events VALUES (?, 1, ?, ?, ['i1', 'i2'])", rows)
        database.execute(f"COPY events TO '{file}' (FORMAT parquet)")


def rewriting(s3: FakeS3, files: int = 1_000_000) -> LakeRewriting:
    left = iter([True] * files)
    return LakeRewriting(s3, bucket="lake", has_time=lambda: next(left, False))


def ids(s3: FakeS3) -> list[str]:
    with duckdb.connect() as database:
        found = database.execute(f"SELECT event_id FROM read_parquet('{s3.folder}/**/*.parquet') ORDER BY 1")
        return [str(event_id) for (event_id,) in found.fetchall()]


def test_removes_the_users_rows_and_those_of_their_sessions_and_no_others(s3: FakeS3) -> None:
    put(
        s3,
        f"{DAY}1.parquet",
        ("theirs", "s1", "u1"),
        ("before they signed in", "s1", None),
        ("another's in the same session", "s1", "u2"),
        ("another's", "s2", "u2"),
        ("nobody's", "s3", None),
        ("without a session", None, None),
    )
    found = rewriting(s3).look([DAY], Person.of("u1"))
    assert (found.rows, found.sessions) == (1, {"s1"})
    removed = rewriting(s3).remove([DAY], Person.of("u1", found.sessions))
    assert (removed.files, removed.concerned, removed.rows) == (1, 1, 2)
    assert ids(s3) == ["another's", "another's in the same session", "nobody's", "without a session"]


def test_exposures_go_by_the_ids_that_stand_for_the_user(s3: FakeS3) -> None:
    file = s3.folder / "exposures/day=2026-11-24/1.parquet"
    file.parent.mkdir(parents=True)
    with duckdb.connect() as database:
        database.execute(f"COPY (SELECT unnest(['a', 'b', 'c']) AS unit_id) TO '{file}' (FORMAT parquet)")
    removed = rewriting(s3).remove(["exposures/day=2026-11-24/"], Person.of("u1", units={"a", "c"}))
    assert (removed.rows, removed.sessions) == (2, set())
    with duckdb.connect() as database:
        assert database.execute(f"SELECT unit_id FROM '{file}'").fetchall() == [("b",)]


def test_who_never_signed_in_is_erased_by_the_id_of_their_session(s3: FakeS3) -> None:
    put(s3, f"{DAY}1.parquet", ("theirs", "s1", None), ("another's", "s2", None))
    rewriting(s3).remove([DAY], Person.of("s1"))
    assert ids(s3) == ["another's"]


def test_a_file_that_is_rewritten_keeps_its_columns_types_and_order(s3: FakeS3) -> None:
    rows = [(f"e{number:04}", "s", f"u{number % 3}") for number in range(1000)]
    put(s3, f"{DAY}1.parquet", *rows)

    def described() -> Any:
        with duckdb.connect() as database:
            table = f"read_parquet('{s3.folder}/{DAY}1.parquet', hive_partitioning = false)"
            columns = database.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
            return columns, database.execute(f"SELECT event_id, impression FROM {table}").fetchall()

    columns, content = described()
    rewriting(s3).remove([DAY], Person.of("u1"))
    assert described() == (columns, [row for row in content if int(row[0][1:]) % 3 != 1])


def test_files_without_rows_of_theirs_are_not_touched_and_empty_ones_go(s3: FakeS3) -> None:
    put(s3, f"{DAY}1.parquet", ("another's", "s2", "u2"))
    put(s3, f"{DAY}2.parquet", ("theirs", "s1", "u1"))
    rewriting(s3).remove([DAY], Person.of("u1"))
    assert s3.uploads == []
    assert not (s3.folder / DAY / "2.parquet").exists()
    assert ids(s3) == ["another's"]


def test_goes_on_where_it_stopped_and_may_be_repeated(s3: FakeS3) -> None:
    for number in range(5):
        day = (DAY, BEFORE)[number % 2]
        put(s3, f"{day}{number}.parquet", (f"theirs {number}", "s1", "u1"), (f"other {number}", "s2", "u2"))
    person, after, steps = Person.of("u1"), None, 0
    while True:
        progress = rewriting(s3, files=2).remove([DAY, BEFORE], person, after=after)
        steps, after = steps + 1, progress.after
        if after is None:
            break
    assert steps == 3
    assert ids(s3) == [f"other {number}" for number in range(5)]
    assert rewriting(s3).remove([DAY, BEFORE], person).rows == 0


def test_a_step_that_is_slow_to_begin_does_not_pass_for_the_last(s3: FakeS3) -> None:
    put(s3, f"{DAY}1.parquet", ("theirs 1", "s1", "u1"))
    put(s3, f"{DAY}2.parquet", ("theirs 2", "s1", "u1"))
    progress = rewriting(s3, files=0).remove([DAY], Person.of("u1"))
    assert (progress.files, progress.after) == (1, f"{DAY}1.parquet")
    rewriting(s3, files=0).remove([DAY], Person.of("u1"), after=progress.after)
    assert list(s3.folder.rglob("*.parquet")) == []


def test_a_record_of_a_catalogue_without_sessions_goes_by_its_user_id(s3: FakeS3) -> None:
    file = s3.folder / "catalogue/users/day=2026-11-24/1.parquet"
    file.parent.mkdir(parents=True)
    with duckdb.connect() as database:
        users = "(VALUES ('u1', 'DE'), ('u2', 'US')) AS users(user_id, segment)"
        database.execute(f"COPY (FROM {users}) TO '{file}' (FORMAT parquet)")
    assert rewriting(s3).folders("catalogue/users") == ["catalogue/users/day=2026-11-24/"]
    assert rewriting(s3).remove(["catalogue/users/"], Person.of("u1")).rows == 1
    with duckdb.connect() as database:
        assert database.execute(f"SELECT user_id FROM '{file}'").fetchall() == [("u2",)]


def test_a_file_that_is_no_parquet_is_named_and_holds_nothing_up(s3: FakeS3) -> None:
    put(s3, f"{DAY}2.parquet", ("theirs", "s1", "u1"))
    (s3.folder / DAY / "1.parquet").write_bytes(b"half a file")
    progress = rewriting(s3).remove([DAY], Person.of("u1"))
    assert (progress.unreadable, progress.rows) == ([f"{DAY}1.parquet"], 1)


@pytest.mark.parametrize(("who", "left"), [("7", {8}), ("007", {7, 8}), ("u7", {7, 8}), ("s", {7, 8})])
def test_ids_that_a_file_holds_as_numbers_are_those_that_the_lake_reads_of_it(
    s3: FakeS3, who: str, left: set[int]
) -> None:
    file = s3.folder / DAY / "1.parquet"
    file.parent.mkdir(parents=True)
    with duckdb.connect() as database:
        rows = "(VALUES (7::BIGINT, 1::BIGINT), (8, 2)) AS events(user_id, session_id)"
        database.execute(f"COPY (FROM {rows}) TO '{file}' (FORMAT parquet)")
    progress = rewriting(s3).remove([DAY], Person.of(who, ["s"]))
    assert (progress.unreadable, progress.rows) == ([], 2 - len(left))
    with duckdb.connect() as database:
        assert {user for (user,) in database.execute(f"SELECT user_id FROM '{file}'").fetchall()} == left


@pytest.mark.parametrize("columns", ["USER_ID, Session_Id", "USER_ID", "Unit_ID"])
def test_columns_are_known_however_they_are_spelled_as_they_are_to_the_lake(s3: FakeS3, columns: str) -> None:
    file = s3.folder / DAY / "1.parquet"
    file.parent.mkdir(parents=True)
    with duckdb.connect() as database:
        rows = ", ".join("('{}')".format("', '".join([who] * (columns.count(",") + 1))) for who in ("u", "v"))
        database.execute(f"COPY (FROM (VALUES {rows}) AS told({columns})) TO '{file}' (FORMAT parquet)")
    progress = rewriting(s3).remove([DAY], Person.of("u", units=["u"]))
    assert (progress.rows, progress.unreadable) == (1, [])
    with duckdb.connect() as database:
        assert len(database.execute(f"FROM '{file}'").fetchall()) == 1


def test_ids_that_look_like_sql_are_only_ids(s3: FakeS3) -> None:
    put(s3, f"{DAY}1.parquet", ("theirs", "s'1", "u'1"), ("another's", "s2", "u2"))
    found = rewriting(s3).look([DAY], Person.of("u'1"))
    rewriting(s3).remove([DAY], Person.of("u'1", found.sessions))
    assert ids(s3) == ["another's"]
