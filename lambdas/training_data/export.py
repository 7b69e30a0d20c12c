"""The export: from the lake to the CSV files, popular items and report of one run."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from training_data.catalogue import CATALOGUES, Catalogue
from training_data.csv_files import write_csv
from training_data.database import DuckDb, database, define_table
from training_data.figures import transform
from training_data.lake_files import Lake, LakeFile
from training_data.late import late_arrivals
from training_data.popular import popular
from training_data.reading import leave_out_damaged, leave_out_unreadable
from training_data.reports import last_good_report, put_json
from training_data.room import fits_in_memory, require_room
from training_data.selection import Selection
from training_data.settings import Settings
from training_data.unreadable import Snapshot, newest_whole, require_few
from training_data.window import Window
from vocabulary.lake import Column, dataset_folder, popular_key, report_key
from vocabulary.schemas import DatasetKind, columns_of

_VALUES_IN = {"USER_ID": "users_seen", "ITEM_ID": "items_known", "EVENT_TYPE": "types_chosen"}


@dataclass(frozen=True)
class Export:
    """One run's export.

    :param s3: client that may write the training bucket.
    :param folder: an empty folder on disk; whoever made it removes it.
    """

    settings: Settings
    lake: Lake
    s3: Any
    folder: Path

    def run(self, run_id: str, cutoff: int) -> dict[str, Any]:
        """Write everything of the run.

        :param cutoff: unix milliseconds; only events received before it are taken.
        :returns: `interactions`, `users`, `items` (counts) and `datasets` (those that have a CSV).
        :raises DataTooLarge: before anything is read, when the data will not fit.
        :raises LakeUnreadable: when too many files cannot be read.
        """
        window = Window.before(cutoff, days=self.settings.history_days)
        events = self.lake.events(window.first_day, window.last_day)
        snapshots = {each.kind: self.lake.snapshots(each.folder) for each in CATALOGUES}
        newest = [file for days in snapshots.values() for _, files in days[:1] for file in files]
        require_room([*events, *newest], self.folder)
        report: dict[str, Any] = {
            "run_id": run_id,
            "cutoff": cutoff,
            "engine": "duckdb",
            "window": {"start": window.start, "days": self.settings.history_days},
            "source": {
                "files": len(events),
                "bytes": sum(file.size for file in events),
                "newest_file": max((file.written_at for file in events), default=None),
            },
            "gate": None,
        }
        compressed = not fits_in_memory(events, self.settings.memory_mib)
        with database(self.folder, memory_mib=self.settings.memory_mib, compressed=compressed) as engine:
            written: list[DatasetKind] = ["interactions"]
            for catalogue in CATALOGUES:
                snapshot = read_snapshot(engine, self.lake, catalogue, snapshots[catalogue.kind], self.folder)
                report[catalogue.kind] = None
                if snapshot.day is not None:
                    report[catalogue.kind] = snapshot.told() | catalogue.convert(engine)
                    self._write(engine, run_id, catalogue.kind, f"{catalogue.kind}_csv")
                    written.append(catalogue.kind)
            selection = Selection(
                window,
                self.settings.event_types,
                has_catalogue="items" in written,
                rules=self.settings.rules,
                extra=self.settings.extra,
            )
            last = last_good_report(self.s3, self.settings.training_bucket)
            told, read = read_events(engine, self.lake, events, selection, self.folder, last)
            report["interactions"] = told
            report["source"] |= read
            self._write(engine, run_id, "interactions", "interactions")
            self._write_popular(run_id, popular(engine, told["newest"]))
        put_json(self.s3, self.settings.training_bucket, report_key(run_id), report)
        return {
            "interactions": told["rows_out"],
            "users": told["users"],
            "items": told["items"],
            "datasets": written,
        }

    def _write(self, engine: DuckDb, run_id: str, kind: DatasetKind, table: str) -> None:
        path = self.folder / f"{kind}.csv"
        columns = columns_of(kind, self.settings.extra)
        values_in = _VALUES_IN if kind == "interactions" else None
        write_csv(engine, table, columns, path, values_in=values_in)
        key = f"{dataset_folder(run_id, kind)}{kind}.csv"
        self.s3.upload_file(str(path), self.settings.training_bucket, key)
        path.unlink()

    def _write_popular(self, run_id: str, items: list[dict[str, Any]]) -> None:
        for placement in self.settings.placements:
            body = {"placement": placement.name, "run_id": run_id, "items": items}
            put_json(self.s3, self.settings.training_bucket, popular_key(placement.name, run_id), body)


def read_snapshot(
    engine: DuckDb,
    lake: Lake,
    catalogue: Catalogue,
    snapshots: Sequence[tuple[str, list[LakeFile]]],
    folder: Path,
) -> Snapshot:
    """Define a catalogue's table of the newest snapshot that can be read whole; empty without one.

    :param snapshots: of the catalogue, newest first.
    :raises LakeUnreadable: when there are some, and none of the newest can be read whole.
    """
    fetched = folder / catalogue.kind

    def unreadable(files: list[LakeFile]) -> list[LakeFile]:
        shutil.rmtree(fetched, ignore_errors=True)
        lake.fetch(files, fetched)
        return leave_out_unreadable(engine, fetched, files, catalogue.columns) or leave_out_damaged(
            engine, fetched, files
        )

    snapshot = newest_whole(snapshots, unreadable)
    define_table(engine, catalogue.kind, catalogue.columns, fetched)
    return snapshot


def read_events(
    engine: DuckDb,
    lake: Lake,
    files: list[LakeFile],
    selection: Selection,
    folder: Path,
    last: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Define `judged` and `interactions` of these files.

    :param last: the report of the run that went live last.
    :returns: the report's parts on the interactions and on the files.
    :raises LakeUnreadable: when too many of them cannot be read.
    """
    events = folder / "events"
    lake.fetch(files, events)
    unreadable = leave_out_unreadable(engine, events, files, selection.columns_read)
    require_few(unreadable, files, selection.rules.most_unreadable)
    while True:
        define_table(engine, "raw_events", selection.columns_read, events)
        try:
            told = transform(engine, selection)
            late = late_arrivals(
                engine,
                files,
                last,
                start=selection.window.start,
                as_arrived=lake.as_arrived,
                define=partial(_define_files, engine, events, files),
            )
            break
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error:
            damaged = leave_out_damaged(engine, events, files)
            if not damaged:
                raise
            unreadable += damaged
            require_few(unreadable, files, selection.rules.most_unreadable)
    shutil.rmtree(events, ignore_errors=True)  # what follows needs its room
    return told, {"unreadable": sorted(file.key for file in unreadable), "late": late}


def _define_files(
    engine: DuckDb,
    folder: Path,
    files: list[LakeFile],
    name: str,
    columns: tuple[Column, ...],
    chosen: Sequence[LakeFile],
) -> None:
    """Define a view over some of the fetched files, which are numbered in their order."""
    wanted = set(chosen)
    paths = [folder / f"{at:08}.parquet" for at, file in enumerate(files) if file in wanted]
    define_table(engine, name, columns, folder, only=[path for path in paths if path.exists()])
