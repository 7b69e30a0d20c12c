"""Whether the stream has brought the lake everything up to a moment: marker records tell."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from training_data.database import database, define_table
from training_data.lake_files import Lake
from training_data.reading import leave_out_unreadable
from training_data.sql import literal
from training_data.window import day_of
from vocabulary.lake import EVENT_COLUMNS, MARKER_EVENT_TYPE

_READ: Final = tuple(column for column in EVENT_COLUMNS if column.name in ("event_id", "event_type"))

_CLOCKS_APART: Final = 5 * 60_000
"""Milliseconds by which S3's clock may be behind that of whoever put the markers."""


def missing_markers(
    lake: Lake, markers: Collection[str], *, since: int, now: int, folder: Path, memory_mib: int | None = None
) -> list[str]:
    """The markers that are not in the lake yet, in their order.

    Only files written since the markers were put are read.

    :param markers: event ids.
    :param since: when the first of them was put, unix milliseconds.
    :param now: unix milliseconds.
    :param folder: an empty folder on disk; whoever made it removes it.
    """
    first, last = day_of(since) - timedelta(days=1), day_of(now) + timedelta(days=1)
    files = [file for file in lake.events(first, last) if file.written_at >= since - _CLOCKS_APART]
    lake.fetch(files, folder / "events")
    with database(folder, memory_mib=memory_mib) as engine:
        leave_out_unreadable(engine, folder / "events", files, _READ)
        define_table(engine, "raw_events", _READ, folder / "events")
        rows = engine.rows(
            f"SELECT DISTINCT event_id FROM raw_events WHERE event_type = {literal(MARKER_EVENT_TYPE)}"
        )
    arrived: set[Any] = {event_id for (event_id,) in rows}
    return [marker for marker in markers if marker not in arrived]
