"""The export as a Spark job: the same definition, report and files as `training_data.export`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from training_data.catalogue import CATALOGUES
from training_data.figures import transform
from training_data.lake_files import Lake, LakeFile
from training_data.late import late_arrivals
from training_data.popular import popular
from training_data.reports import last_good_report, put_json
from training_data.selection import Selection
from training_data.settings import Settings
from training_data.unreadable import newest_whole, require_few
from training_data.window import Window
from training_data_job.spark_engine import (
    Spark,
    can_be_read,
    define_table,
    ending,
    misfits,
    rows_by_file,
    write_csv,
)
from vocabulary.lake import Column, dataset_folder, popular_key, report_key
from vocabulary.schemas import DatasetKind, columns_of


@dataclass(frozen=True)
class SparkExport:
    """One run's export.

    :param lake_at: how Spark calls the lake bucket, e.g. `s3://bucket`.
    :param training_at: how Spark calls the training bucket.
    """

    settings: Settings
    lake: Lake
    s3: Any
    spark: Spark
    lake_at: str
    training_at: str

    def run(self, run_id: str, cutoff: int) -> dict[str, Any]:
        """Write everything of the run; answers and raises as `training_data.export.Export.run`."""
        settings = self.settings
        window = Window.before(cutoff, days=settings.history_days)
        events = self.lake.events(window.first_day, window.last_day)
        selection = Selection(
            window, settings.event_types, has_catalogue=False, rules=settings.rules, extra=settings.extra
        )
        folders = self._folders(events)
        rows = rows_by_file(self.spark, folders)
        odd = misfits(self.spark, folders, selection.columns_read)
        unreadable = [
            file
            for file in events
            if ending(file.key) in odd or (ending(file.key) not in rows and not self._can_be_read([file]))
        ]
        require_few(unreadable, events, settings.rules.most_unreadable)
        report: dict[str, Any] = {
            "run_id": run_id,
            "cutoff": cutoff,
            "engine": "glue",
            "window": {"start": window.start, "days": settings.history_days},
            "source": {
                "files": len(events),
                "bytes": sum(file.size for file in events),
                "newest_file": max((file.written_at for file in events), default=None),
            },
            "gate": None,
        }
        written: list[DatasetKind] = ["interactions"]
        for catalogue in CATALOGUES:
            snapshot = newest_whole(
                self.lake.snapshots(catalogue.folder), partial(self._not_whole, catalogue.columns)
            )
            report[catalogue.kind] = None
            if snapshot.day is not None:
                define_table(self.spark, catalogue.kind, catalogue.columns, self._folders(snapshot.files))
                report[catalogue.kind] = snapshot.told() | catalogue.convert(self.spark)
                self._write(run_id, catalogue.kind, f"{catalogue.kind}_csv")
                written.append(catalogue.kind)
        selection = replace(selection, has_catalogue="items" in written)
        there = define_table(self.spark, "raw_events", selection.columns_read, folders)
        told = transform(self.spark, selection)
        if there - rows.keys():  # the stream goes on delivering
            rows |= rows_by_file(self.spark, folders)
        if told["rows_in"] < sum(rows.get(name, 0) for name in there):
            # Spark goes on where a file is damaged; then part of it would be in, and nobody would know
            read = rows_by_file(self.spark, folders, selection.columns_read)
            unreadable += [
                file for file in events if file not in unreadable and _fewer(read, rows, ending(file.key))
            ]
            require_few(unreadable, events, settings.rules.most_unreadable)
            rest = [file for file in events if file not in unreadable]
            self._define_files("raw_events", selection.columns_read, rest)
            told = transform(self.spark, selection)
        report["interactions"] = told
        report["source"] |= {
            "unreadable": sorted(file.key for file in unreadable),
            "late": late_arrivals(
                self.spark,
                [file for file in events if file not in unreadable],
                last_good_report(self.s3, settings.training_bucket),
                start=window.start,
                as_arrived=self.lake.as_arrived,
                define=self._define_files,
            ),
        }
        self._write(run_id, "interactions", "interactions")
        items = popular(self.spark, told["newest"])
        for placement in settings.placements:
            body = {"placement": placement.name, "run_id": run_id, "items": items}
            put_json(self.s3, settings.training_bucket, popular_key(placement.name, run_id), body)
        put_json(self.s3, settings.training_bucket, report_key(run_id), report)
        return {
            "interactions": told["rows_out"],
            "users": told["users"],
            "items": told["items"],
            "datasets": written,
        }

    def _define_files(self, name: str, columns: tuple[Column, ...], files: Sequence[LakeFile]) -> None:
        define_table(self.spark, name, columns, self._folders(files), only=[file.key for file in files])

    def _not_whole(self, columns: Sequence[Column], files: Sequence[LakeFile]) -> list[LakeFile]:
        """A snapshot's files that cannot be read whole."""
        odd = misfits(self.spark, [f"{self.lake_at}/{file.key}" for file in files], columns)
        if not odd and self._can_be_read(files):
            return []
        return [file for file in files if ending(file.key) in odd or not self._can_be_read([file])]

    def _can_be_read(self, files: Sequence[LakeFile]) -> bool:
        return can_be_read(self.spark, [f"{self.lake_at}/{file.key}" for file in files])

    def _folders(self, files: Sequence[LakeFile]) -> list[str]:
        return sorted({f"{self.lake_at}/{file.key.rpartition('/')[0]}" for file in files})

    def _write(self, run_id: str, kind: DatasetKind, table: str) -> None:
        columns = columns_of(kind, self.settings.extra)
        write_csv(self.spark, table, columns, f"{self.training_at}/{dataset_folder(run_id, kind)}")


def _fewer(read: Mapping[str, int], rows: Mapping[str, int], name: str) -> bool:
    return read.get(name, 0) < rows.get(name, 0)
