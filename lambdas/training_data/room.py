"""Whether the data will fit on the disk of a function, before the work begins."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from training_data.lake_files import LakeFile

DISK_PER_BYTE: Final = 3
"""Disk that an export takes per byte of Parquet: the Parquet, then DuckDB's table, then the CSV beside it.

Of 1 and 10 million generated events it took 1.3 at most; the rest is for what DuckDB spills where memory
runs short, and for lakes that compress better.
"""


class DataTooLarge(Exception):
    """The data in the window do not fit; the message says how much there is and what can be done."""


def require_room(files: Sequence[LakeFile], folder: Path) -> None:
    """Refuse what the disk under `folder` cannot hold.

    :raises DataTooLarge: naming the bytes there are, those needed and those free.
    """
    stored = sum(file.size for file in files)
    needed, free = stored * DISK_PER_BYTE, shutil.disk_usage(folder).free
    if needed > free:
        raise DataTooLarge(
            f"the window holds {_gb(stored)} in {len(files)} files; to export them takes about {_gb(needed)} "
            f"of disk and {_gb(free)} are free: lower history_days, or give the function more ephemeral "
            "storage (at most 10 GB)"
        )


def _gb(size: int) -> str:
    return f"{size / 1e9:.2f} GB"
