"""How much of the lake may be unreadable before a person should see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from training_data.lake_files import LakeFile

_NAMED: Final = 20

_SNAPSHOTS: Final = 3
"""So many snapshots of a catalogue, newest first, are tried: one of some days ago is better than no training,
one of long ago would leave out whatever is new, and nobody would know."""


class LakeUnreadable(Exception):
    """Too many files cannot be read; the message says how many, which, and the limit."""


@dataclass(frozen=True)
class Snapshot:
    """The snapshot of a catalogue that counts.

    :param day: `YYYY-MM-DD`, or None where the lake has none.
    :param passed_over: files of newer days that cannot be read, for which those days do not count.
    """

    day: str | None
    files: list[LakeFile]
    passed_over: list[LakeFile]

    def told(self) -> dict[str, Any]:
        """Its part of the report."""
        return {"snapshot": self.day, "unreadable": [file.key for file in self.passed_over]}


def newest_whole(
    snapshots: Sequence[tuple[str, list[LakeFile]]], unreadable: Callable[[list[LakeFile]], list[LakeFile]]
) -> Snapshot:
    """The newest snapshot all of whose files can be read: a part of a catalogue is none.

    :param snapshots: of one catalogue, newest first.
    :param unreadable: which of a snapshot's files cannot be read.
    :raises LakeUnreadable: when none of the newest can be read whole.
    """
    broken: list[LakeFile] = []
    tried = snapshots[:_SNAPSHOTS]
    for day, files in tried:
        found = unreadable(files)
        if not found:
            return Snapshot(day, files, broken)
        broken += found
    if broken:
        raise LakeUnreadable(
            f"none of the catalogue's newest {len(tried)} snapshots (at most {_SNAPSHOTS} are tried) can be "
            f"read whole: {_names(broken)}"
        )
    return Snapshot(None, [], [])


def require_few(unreadable: Sequence[LakeFile], files: Sequence[LakeFile], most: float) -> None:
    """
    :param most: share of the files that may be unreadable.
    :raises LakeUnreadable: when there are more.
    """
    if len(unreadable) > most * len(files):
        raise LakeUnreadable(
            f"{len(unreadable)} of {len(files)} files of the lake cannot be read, at most {most:.1%} may: "
            f"{_names(unreadable)}"
        )


def _names(files: Sequence[LakeFile]) -> str:
    return ", ".join(file.key for file in files[:_NAMED])
