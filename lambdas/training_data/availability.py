"""Whether there is enough to train on: cheap to say where there is much, exact where there is little."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import duckdb

from training_data.catalogue import CATALOGUES
from training_data.data_gate import check_amount
from training_data.database import DuckDb, database, define_table
from training_data.export import read_events, read_snapshot
from training_data.lake_files import Lake, LakeFile
from training_data.reading import leave_out_damaged, leave_out_unreadable
from training_data.room import require_room
from training_data.selection import Selection
from training_data.settings import Settings
from training_data.sql import literal, row
from training_data.window import Window

_PLENTY: Final = 20
"""So many times the minimum of events that count as interest is enough, whatever the rules drop of them."""

_LOOKED_AT_ONCE: Final = 64 * 2**20
"""Bytes of files, newest first, that are looked at before the rest is fetched."""


@dataclass(frozen=True)
class Availability:
    """A look at the lake.

    :param folder: an empty folder on disk; whoever made it removes it.
    """

    settings: Settings
    lake: Lake
    folder: Path

    def look(self, cutoff: int) -> dict[str, Any]:
        """Answer `interactions`, `minimum` and `enough`.

        With plenty, `interactions` counts events of the newest days before any rule; with less it is
        what an export would write now, and `enough` is what the data gate would say of the amount.

        :param cutoff: unix milliseconds.
        """
        window = Window.before(cutoff, days=self.settings.history_days)
        minimum = self.settings.minimum_interactions
        files = self.lake.events(window.first_day, window.last_day)
        selection = Selection(window, self.settings.event_types, has_catalogue=False)
        with database(self.folder, memory_mib=self.settings.memory_mib) as engine:
            types = ", ".join(map(literal, self.settings.event_types))
            counted = 0
            for number, batch in enumerate(_newest_first(files)):
                require_room(batch, self.folder)
                folder = self.folder / f"look-{number}"
                self.lake.fetch(batch, folder)
                leave_out_unreadable(engine, folder, batch, selection.columns_read)
                query = (
                    f"SELECT count(*) FROM looked_at WHERE event_type IN ({types}) AND item_id IS NOT NULL"
                    f" AND received_at >= {window.start} AND received_at < {window.cutoff}"
                )
                define_table(engine, "looked_at", selection.columns_read, folder)
                try:
                    (found,) = row(engine, query)
                except duckdb.OutOfMemoryException:
                    raise
                except duckdb.Error:
                    if not leave_out_damaged(engine, folder, batch):
                        raise
                    define_table(engine, "looked_at", selection.columns_read, folder)
                    (found,) = row(engine, query)
                counted += found
                for file in folder.iterdir():
                    file.unlink()
                if counted >= _PLENTY * minimum:
                    return {"interactions": counted, "minimum": minimum, "enough": True}
            if counted < minimum:
                return {"interactions": counted, "minimum": minimum, "enough": False}
            return self._exactly(engine, files, window)

    def _exactly(self, engine: DuckDb, files: list[LakeFile], window: Window) -> dict[str, Any]:
        items = next(each for each in CATALOGUES if each.kind == "items")
        snapshot = read_snapshot(engine, self.lake, items, self.lake.snapshots(items.folder), self.folder)
        selection = Selection(
            window,
            self.settings.event_types,
            has_catalogue=snapshot.day is not None,
            rules=self.settings.rules,
            extra=self.settings.extra,
        )
        require_room(files, self.folder)
        told, _ = read_events(engine, self.lake, files, selection, self.folder)
        minimum = self.settings.minimum_interactions
        checks = check_amount(told, minimum_interactions=minimum, gate=self.settings.data_gate)
        return {
            "interactions": told["rows_out"],
            "minimum": minimum,
            "enough": all(each.holds for each in checks),
        }


def _newest_first(files: list[LakeFile]) -> Iterator[list[LakeFile]]:
    """Batches of files, from the end of the window to its beginning."""
    ends = 0

    def batch_of(file: LakeFile) -> int:
        nonlocal ends
        ends += file.size
        return ends // _LOOKED_AT_ONCE

    for _, batch in groupby(reversed(files), batch_of):
        yield list(batch)
