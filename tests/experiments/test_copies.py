"""Copies stay in their folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from experiments import copies


class Bucket:
    """An S3 client that lists these keys."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys

    def get_paginator(self, _: str) -> Bucket:
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield {"Contents": [{"Key": key, "Size": 1} for key in self.keys]}


def test_a_key_that_would_lead_out_of_the_folder_is_refused() -> None:
    bucket = Bucket("events/day=2026-11-01/a..b.parquet", "events/../../.bashrc.parquet")
    found = copies.listed(bucket, "lake", "events/")
    assert next(found)[0] == "events/day=2026-11-01/a..b.parquet"
    with pytest.raises(OSError, match=r"lake has a key that leads out of its folder: events/\.\./"):
        next(found)
