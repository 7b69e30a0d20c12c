"""Events that missed the bulk they belonged to: received before its cutoff, in the lake after its export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training_data.database import DuckDb
from training_data.lake_files import LakeFile
from training_data.selection import RESERVED
from training_data.sql import literal, row


def late_arrivals(
    engine: DuckDb,
    folder: Path,
    files: Sequence[LakeFile],
    last: Mapping[str, Any] | None,
    *,
    start: int,
) -> dict[str, Any] | None:
    """How many events the last run that went live never got; this one takes them.

    :param folder: of fetched files, numbered in the order of `files`.
    :param last: the report of that run, or None.
    :param start: of the window, in unix milliseconds: what is older enters no more.
    :returns: `events`, and of which run and cutoff; None when there is no run to speak of.
    """
    newest = (last or {}).get("source", {}).get("newest_file")
    if last is None or newest is None:
        return None
    paths = {path.stem: path for path in folder.glob("*.parquet")}
    fetched = [(file, paths[f"{at:08}"]) for at, file in enumerate(files) if f"{at:08}" in paths]
    new = [path for file, path in fetched if file.written_at > newest]
    old = [path for file, path in fetched if file.written_at <= newest]
    count = 0
    if new:
        engine.define(
            "late_ids",
            f"SELECT DISTINCT event_id FROM {_files(new)} WHERE received_at >= {start}"
            f" AND received_at < {last['cutoff']} AND event_type NOT LIKE {RESERVED}",
            keep=True,
        )
        (count,) = row(engine, "SELECT count(*) FROM late_ids")
        if count and old:  # a repeat of what was there in time is not late
            (there,) = row(
                engine,
                f"SELECT count(DISTINCT event_id) FROM {_files(old)} SEMI JOIN late_ids USING (event_id)",
            )
            count -= there
    return {"events": count, "missed_run": last["run_id"], "missed_cutoff": last["cutoff"]}


def _files(paths: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(literal(str(path)) for path in paths)}], union_by_name = true)"
