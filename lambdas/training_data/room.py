"""Whether the data will fit on the disk and in the memory of a function, before the work begins."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from training_data.lake_files import LakeFile

DISK_PER_BYTE: Final = 1.75
"""Disk that an export takes per byte of Parquet: the Parquet, DuckDB's tables, then the CSV.

Measured: 1.0 where the tables fit in memory, 1.5 where they do not (docs/benchmarks.md); the rest is for
lakes that compress better. Time bounds nothing before the disk does: what fills the 10 GB that a function
can have takes two to four of its fifteen minutes.
"""

MEMORY_PER_BYTE: Final = 1.7
"""Memory that the kept tables take, as they are, per byte of Parquet; measured: 1.5."""


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
            f"of disk and {_gb(free)} are free: lower history_days, or raise training_disk_gib (at most 10), "
            "or set training_engine to glue"
        )


def _gb(size: float) -> str:
    return f"{size / 1e9:.2f} GB"


def fits_in_memory(files: Sequence[LakeFile], memory_mib: int | None) -> bool:
    """Whether what is kept of the events can stay in memory as it is."""
    stored = sum(file.size for file in files)
    return memory_mib is None or stored * MEMORY_PER_BYTE < memory_mib * 2**20 * 0.5
