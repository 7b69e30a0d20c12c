"""The export: from the lake to the CSV files, popular items and report of one run."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from training_data.catalogue import CATALOGUES
from training_data.csv_files import write_csv
from training_data.database import database, define_table
from training_data.figures import figures, transform
from training_data.interactions import COLUMNS_READ, Selection
from training_data.lake_files import Lake, LakeFile
from training_data.popular import popular
from training_data.room import require_room
from training_data.settings import Settings
from training_data.window import Window
from vocabulary.lake import dataset_folder, popular_key, report_key
from vocabulary.schemas import DatasetKind, columns_of


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
        """
        window = Window.before(cutoff, days=self.settings.history_days)
        events = self.lake.events(window.first_day, window.last_day)
        snapshots = {each.kind: self.lake.newest_snapshot(each.folder) for each in CATALOGUES}
        require_room([*events, *(file for _, files in snapshots.values() for file in files)], self.folder)
        report: dict[str, Any] = {
            "run_id": run_id,
            "cutoff": cutoff,
            "window": {"start": window.start, "days": self.settings.history_days},
            "source": {"files": len(events), "bytes": sum(file.size for file in events)},
            "gate": None,
        }
        with database(self.folder, memory_mib=self.settings.memory_mib) as connection:
            written: list[DatasetKind] = ["interactions"]
            for catalogue in CATALOGUES:
                day, files = snapshots[catalogue.kind]
                report[catalogue.kind] = None
                if day is not None:
                    self.lake.fetch(files, self.folder / catalogue.kind)
                    define_table(connection, catalogue.kind, catalogue.columns, self.folder / catalogue.kind)
                    report[catalogue.kind] = {"snapshot": day, **catalogue.convert(connection)}
                    self._write(connection, run_id, catalogue.kind, f"{catalogue.kind}_csv")
                    written.append(catalogue.kind)
            selection = Selection(window, self.settings.event_types, has_catalogue="items" in written)
            told = read_events(connection, self.lake, events, selection, self.folder)
            report["interactions"] = told
            self._write(connection, run_id, "interactions", "interactions")
            self._write_popular(run_id, popular(connection))
        put_json(self.s3, self.settings.training_bucket, report_key(run_id), report)
        return {
            "interactions": told["rows_out"],
            "users": told["users"],
            "items": told["items"],
            "datasets": written,
        }

    def _write(
        self, connection: duckdb.DuckDBPyConnection, run_id: str, kind: DatasetKind, table: str
    ) -> None:
        path = self.folder / f"{kind}.csv"
        write_csv(connection, table, columns_of(kind), path)
        key = f"{dataset_folder(run_id, kind)}{kind}.csv"
        self.s3.upload_file(str(path), self.settings.training_bucket, key)
        path.unlink()

    def _write_popular(self, run_id: str, items: list[dict[str, Any]]) -> None:
        for placement in self.settings.placements:
            body = {"placement": placement.name, "run_id": run_id, "items": items}
            put_json(self.s3, self.settings.training_bucket, popular_key(placement.name, run_id), body)


def read_events(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    files: list[LakeFile],
    selection: Selection,
    folder: Path,
) -> dict[str, Any]:
    """Make the tables `judged_events` and `interactions` of these files; answer their figures."""
    lake.fetch(files, folder / "events")
    define_table(connection, "raw_events", COLUMNS_READ, folder / "events")
    transform(connection, selection)
    shutil.rmtree(folder / "events")  # what follows needs its room
    return figures(connection, selection)


def put_json(s3: Any, bucket: str, key: str, body: dict[str, Any]) -> None:
    s3.put_object(
        Bucket=bucket, Key=key, Body=json.dumps(body, indent=2).encode(), ContentType="application/json"
    )
