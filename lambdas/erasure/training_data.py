"""Takes users out of what runs have left in the training bucket."""

from __future__ import annotations

from typing import Any, Final

from vocabulary.lake import RUNS_FOLDER

_HOLD_USERS: Final = ("interactions", "users")
"""The data sets of a run that name users; all else that it leaves holds figures and items."""


def delete_exports(s3: Any, bucket: str) -> int:
    """Delete the CSVs of all runs, which their imports have long read; answer how many.

    Not to be called while a run is at work.

    :raises RuntimeError: when one cannot be deleted; the others of its thousand are.
    """
    keys = [
        entry["Key"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{RUNS_FOLDER}/")
        for entry in page.get("Contents", ())
        if entry["Key"].split("/")[2:3] and entry["Key"].split("/")[2] in _HOLD_USERS
    ]
    for at in range(0, len(keys), 1000):
        objects = [{"Key": key} for key in keys[at : at + 1000]]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        if errors := answer.get("Errors"):
            raise RuntimeError(f"{errors[0]['Key']} cannot be deleted: {errors[0]['Message']}")
    return len(keys)
