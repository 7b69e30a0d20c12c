"""Files of the lake that cannot be read: found, left out and told of, so that one does not stop a night."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import duckdb

from training_data.database import DuckDb
from training_data.lake_files import LakeFile
from training_data.sql import literal
from vocabulary.lake import Column

_WHOLE_NUMBER: Final = r"U?(TINY|SMALL|BIG)INT|U?INTEGER|DECIMAL\(\d+,0\)"

_BECOMES: Final = {
    "string": rf"VARCHAR|JSON|{_WHOLE_NUMBER}",
    "bigint": "(TINY|SMALL|BIG)INT|INTEGER|U(TINY|SMALL)INT|UINTEGER",
    "double": rf"DOUBLE|FLOAT|DECIMAL\(\d+,\d+\)|{_WHOLE_NUMBER}",
    "array<string>": rf'(VARCHAR|"NULL"|{_WHOLE_NUMBER})\[\]',
}
"""DuckDB's types whose every value is one of a type of the lake, and the same one whichever engine reads it.

Times, say, are whole numbers: a timestamp would be refused by one engine and taken for seconds by the other.
"""


def leave_out_unreadable(
    engine: DuckDb, folder: Path, files: Sequence[LakeFile], columns: Sequence[Column]
) -> list[LakeFile]:
    """Remove what cannot be read from a folder of fetched files, and answer what that was.

    A file that was cut off or is no Parquet shows in its footer, and so does one with a column of a type
    that is none of the lake's; to read that of each costs next to nothing. What is damaged further in shows
    when it is read: `leave_out_damaged` looks for it then.

    :param files: in the order in which they were fetched.
    :param columns: that are to be read; a file may lack some.
    """

    def is_readable(file: str) -> bool:
        types = {name.lower(): kind for name, kind, *_ in engine.rows(f"DESCRIBE FROM read_parquet({file})")}
        return all(_becomes(types.get(column.name), column.type) for column in columns)

    return _remove(engine, folder, files, is_readable)


def leave_out_damaged(engine: DuckDb, folder: Path, files: Sequence[LakeFile]) -> list[LakeFile]:
    """Likewise, by reading each file whole. One that memory does not hold is not damaged for that."""

    def is_readable(file: str) -> bool:
        return bool(engine.rows(f"SELECT max(hash(whole)) FROM read_parquet({file}) whole"))

    return _remove(engine, folder, files, is_readable)


def _remove(
    engine: DuckDb, folder: Path, files: Sequence[LakeFile], is_readable: Callable[[str], bool]
) -> list[LakeFile]:
    """
    :param is_readable: told the file as a literal; false, or an error of DuckDB's, where it is not.
    """
    unreadable = []
    fetched = sorted(folder.glob("*.parquet")) if folder.is_dir() else []
    for path in fetched:
        try:
            if is_readable(literal(str(path))):
                continue
        except duckdb.OutOfMemoryException:
            continue
        except duckdb.Error:
            pass
        unreadable.append(files[int(path.stem)])
        path.unlink()
    return unreadable


def _becomes(theirs: str | None, ours: str) -> bool:
    """Whether a column of a file, or one that it lacks, is one of the lake's."""
    nothing = theirs is None or theirs == '"NULL"'  # a column in which every value is null
    return nothing or bool(re.fullmatch(_BECOMES[ours], str(theirs)))
