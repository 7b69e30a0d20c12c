"""Files of the lake that cannot be read: found, left out and told of, so that one does not stop a night."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from training_data.database import DuckDb
from training_data.lake_files import LakeFile
from training_data.sql import literal


def leave_out_unreadable(engine: DuckDb, folder: Path, files: Sequence[LakeFile]) -> list[LakeFile]:
    """Remove what cannot be read from a folder of fetched files, and answer what that was.

    A file that was cut off or is no Parquet shows in its footer, and to read that of each costs next to
    nothing. What is damaged further in shows when it is read: `leave_out_damaged` looks for it then.

    :param files: in the order in which they were fetched.
    """
    return _remove(engine, folder, files, "SELECT count(*) FROM parquet_file_metadata({})")


def leave_out_damaged(engine: DuckDb, folder: Path, files: Sequence[LakeFile]) -> list[LakeFile]:
    """Likewise, by reading each file whole. One that memory does not hold is not damaged for that."""
    return _remove(engine, folder, files, "SELECT max(hash(whole)) FROM read_parquet({}) whole")


def _remove(engine: DuckDb, folder: Path, files: Sequence[LakeFile], query: str) -> list[LakeFile]:
    unreadable = []
    fetched = sorted(folder.glob("*.parquet")) if folder.is_dir() else []
    for path in fetched:
        try:
            engine.rows(query.format(literal(str(path))))
        except duckdb.OutOfMemoryException:
            continue
        except duckdb.Error:
            unreadable.append(files[int(path.stem)])
            path.unlink()
    return unreadable
