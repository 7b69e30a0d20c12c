"""The report of a run, to which every gate adds, and that of the last good run, to compare the next with."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from vocabulary.lake import LAST_GOOD_REPORT_KEY, lists_key, popular_key, report_key

_TRIES: Final = 20
"""Placements are judged side by side, five at most."""

_SOMEBODY_WAS_QUICKER: Final = ("PreconditionFailed", "ConditionalRequestConflict")


@dataclass(frozen=True)
class Reports:
    """The reports in the training bucket.

    :param s3: client that may list the bucket, read and write `runs/` and `last-good/`.
    """

    s3: Any
    bucket: str

    def add(self, run_id: str, gate: str, placement: str, told: dict[str, Any]) -> None:
        """Add what a gate says of a placement; what others add at the same time stays."""

        def add(report: dict[str, Any]) -> None:
            report[gate] = {**(report.get(gate) or {}), placement: told}

        self._change(run_id, add)

    def note(self, run_id: str, name: str, told: dict[str, Any]) -> None:
        """Say something of the whole run; nothing where it did not get as far as a report."""
        if self.of(run_id) is not None:
            self._change(run_id, lambda report: report.update({name: told}))

    def _change(self, run_id: str, change: Callable[[dict[str, Any]], None]) -> None:
        key = report_key(run_id)
        for spare in reversed(range(_TRIES)):
            found = self.s3.get_object(Bucket=self.bucket, Key=key)
            report = json.loads(found["Body"].read())
            change(report)
            try:
                self._write(key, report, IfMatch=found["ETag"])
                return
            except ClientError as error:
                if error.response["Error"]["Code"] not in _SOMEBODY_WAS_QUICKER or not spare:
                    raise

    def of(self, run_id: str) -> dict[str, Any] | None:
        """The report of a run, or None of one that did not get as far."""
        return self._read(report_key(run_id))

    def last_good(self) -> dict[str, Any] | None:
        """The report of the run that went live last and stayed, or None before the first."""
        return self._read(LAST_GOOD_REPORT_KEY)

    def keep(self, run_id: str) -> None:
        """From now on this run is the last good one."""
        report = self._read(report_key(run_id))
        assert report is not None, f"run {run_id} has no report"
        self._write(LAST_GOOD_REPORT_KEY, report)

    def popular(self, run_id: str, placement: str) -> list[str]:
        """The item ids of the run's popular items, best first."""
        found = self._read(popular_key(placement, run_id))
        return [each["item_id"] for each in found["items"]] if found else []

    def keep_lists(self, run_id: str, placement: str, told: dict[str, Any]) -> None:
        """Keep what was recommended when the run was proved, for people to look at."""
        self._write(lists_key(run_id, placement), told)

    def publish_popular(self, run_id: str, placements: Collection[str]) -> None:
        """Let serving fall back to the popular items of this run."""
        for placement in placements:
            self.s3.copy_object(
                Bucket=self.bucket,
                Key=popular_key(placement),
                CopySource={"Bucket": self.bucket, "Key": popular_key(placement, run_id)},
            )

    def forget_popular_except(self, placements: Collection[str]) -> None:
        """Delete the lists of placements that are no more."""
        kept = {popular_key(placement) for placement in placements}
        for key in self._keys("popular/"):
            if key not in kept:
                self.s3.delete_object(Bucket=self.bucket, Key=key)

    def _read(self, key: str) -> dict[str, Any] | None:
        if key not in self._keys(key):
            return None
        read: dict[str, Any] = json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())
        return read

    def _keys(self, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", ())]

    def _write(self, key: str, told: dict[str, Any], **condition: str) -> None:
        self.s3.put_object(
            Bucket=self.bucket,
            Key=key,
            Body=json.dumps(told, indent=2).encode(),
            ContentType="application/json",
            **condition,
        )
