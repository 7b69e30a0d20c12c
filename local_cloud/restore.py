"""Bring back what of the lake was overwritten or deleted, from the versions that its bucket keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from local_cloud.connection import LocalCloudError
from vocabulary.lake import EVENTS_FOLDER, EXPOSURES_FOLDER, ITEMS_FOLDER, USERS_FOLDER

_FOLDERS: Final = (EVENTS_FOLDER, EXPOSURES_FOLDER, ITEMS_FOLDER, USERS_FOLDER)
_SHOWN: Final = 5


@dataclass(frozen=True)
class Earlier:
    """A version that was current, and is not any more.

    :param bytes: its size.
    :param was: what happened to it, `deleted` or `overwritten`.
    """

    key: str
    version: str
    bytes: int
    was: str


def restore(s3: Any, bucket: str, at: datetime, *, apply: bool) -> list[str]:
    """Bring back every object of the tables as it was at a moment; answers lines that say what was, or would
    be, done.

    What came later stays: events and exposures are told apart by their ids, so a file that is there twice,
    small and merged with others, counts once.

    :param at: with its zone.
    :raises LocalCloudError: when the bucket keeps no versions, or the moment is to come.
    """
    if at > datetime.now(UTC):
        raise LocalCloudError(f"AT is {at:%Y-%m-%d %H:%M:%S} UTC, allowed: a moment that has been")
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        raise LocalCloudError(
            f"{bucket} keeps no versions, so nothing can be brought back. Set recover_days=14, say, of "
            "the environment in stacks/environment.py, and deploy: from then on it keeps them"
        )
    found = list(changed_since(s3, bucket, at))
    for each in found if apply else ():
        source = {"Bucket": bucket, "Key": each.key, "VersionId": each.version}
        s3.copy_object(Bucket=bucket, Key=each.key, CopySource=source)
    megabytes = sum(each.bytes for each in found) / 1e6
    did = "were brought back" if apply else "could be brought back; nothing was changed"
    lines = [f"{len(found)} files, {megabytes:,.1f} MB, as of {at:%Y-%m-%d %H:%M:%S} UTC, {did}."]
    lines += [f"  {each.key} ({each.was})" for each in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"  … and {len(found) - _SHOWN} more")
    if apply and found:
        lines.append("Users that were erased since then are there again: erase them again. Then retrain.")
    return lines


def changed_since(s3: Any, bucket: str, at: datetime) -> Iterator[Earlier]:
    """What was current at a moment and is not now, by key."""
    for folder in _FOLDERS:
        entries: dict[str, list[dict[str, Any]]] = defaultdict(list)
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=f"{folder}/")
        for page in pages:
            for kind in ("Versions", "DeleteMarkers"):
                for each in page.get(kind, ()):
                    entries[each["Key"]].append({**each, "marker": kind == "DeleteMarkers"})
        for key, versions in sorted(entries.items()):
            before = [each for each in versions if each["LastModified"] <= at]
            # Two of one second: the listing has the newer first, and max takes the first of equals
            then = max(before, key=lambda each: each["LastModified"], default=None)
            (now,) = [each for each in versions if each["IsLatest"]]
            if then is None or then["marker"] or then is now:
                continue
            if not now["marker"] and now["ETag"] == then["ETag"]:
                continue  # brought back already
            was = "deleted" if now["marker"] else "overwritten"
            yield Earlier(key, then["VersionId"], int(then["Size"]), was)
