"""Events that missed the bulk they belonged to: received before its cutoff, in the lake after its export."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from training_data.lake_files import LakeFile
from training_data.selection import RESERVED
from training_data.sql import Engine, row
from vocabulary.lake import EVENT_COLUMNS, Column

COLUMNS: Final = tuple(
    column for column in EVENT_COLUMNS if column.name in ("event_id", "received_at", "event_type")
)
"""What is read of the files."""


def late_arrivals(
    engine: Engine,
    files: Sequence[LakeFile],
    last: Mapping[str, Any] | None,
    *,
    start: int,
    as_arrived: Callable[[Sequence[LakeFile]], list[LakeFile]],
    define: Callable[[str, tuple[Column, ...], Sequence[LakeFile]], None],
) -> dict[str, Any] | None:
    """How many events the last run that went live never got; this one takes them.

    :param files: of the window.
    :param last: the report of that run, or None.
    :param start: of the window, in unix milliseconds: what is older enters no more.
    :param as_arrived: tells of files when their content arrived, also where they were written again since,
        as an erasure does.
    :param define: gives a name to those columns of some of the files, without what cannot be read.
    :returns: `events`, and of which run and cutoff; None when there is no run to speak of.
    """
    newest = (last or {}).get("source", {}).get("newest_file")
    if last is None or newest is None:
        return None
    new = {file for file in files if file.written_at > newest}
    count = _only_in(new, engine, files, start=start, cutoff=last["cutoff"], define=define)
    if count:  # which is seldom, and a request for each file
        since = {file.key for file in as_arrived(list(new)) if file.written_at > newest}
        if again := {file for file in new if file.key not in since}:
            new -= again
            count = _only_in(new, engine, files, start=start, cutoff=last["cutoff"], define=define)
    return {"events": count, "missed_run": last["run_id"], "missed_cutoff": last["cutoff"]}


def _only_in(
    new: Collection[LakeFile],
    engine: Engine,
    files: Sequence[LakeFile],
    *,
    start: int,
    cutoff: int,
    define: Callable[[str, tuple[Column, ...], Sequence[LakeFile]], None],
) -> int:
    """How many events of the window that were received before a cutoff only these of the files have."""
    if not new:
        return 0
    define("arrived_since", COLUMNS, [file for file in files if file in new])
    engine.define(
        "late_ids",
        f"SELECT DISTINCT event_id FROM arrived_since WHERE received_at >= {start}"
        f" AND received_at < {cutoff} AND event_type NOT LIKE {RESERVED}"
        " AND event_id IS NOT NULL",
        keep=True,
    )
    (count,) = row(engine, "SELECT count(*) FROM late_ids")
    old = [file for file in files if file not in new]
    if count and old:  # a repeat of what was there in time is not late
        define("arrived_in_time", COLUMNS, old)
        (there,) = row(
            engine,
            "SELECT count(DISTINCT event_id) FROM arrived_in_time"
            " WHERE event_id IN (SELECT event_id FROM late_ids)",
        )
        count -= there
    return int(count)
