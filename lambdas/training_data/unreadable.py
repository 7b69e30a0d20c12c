"""How much of the lake may be unreadable before a person should see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from training_data.lake_files import LakeFile

_NAMED: Final = 20


class LakeUnreadable(Exception):
    """Too many files cannot be read; the message says how many, which, and the limit."""


def require_few(unreadable: Sequence[LakeFile], files: Sequence[LakeFile], most: float) -> None:
    """
    :param most: share of the files that may be unreadable.
    :raises LakeUnreadable: when there are more.
    """
    if len(unreadable) > most * len(files):
        named = ", ".join(file.key for file in unreadable[:_NAMED])
        raise LakeUnreadable(
            f"{len(unreadable)} of {len(files)} files of the lake cannot be read, at most {most:.1%} may: "
            f"{named}"
        )
