"""Names that stand for customers on a screen that others see, in text and in addresses alike."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inspector.history import History

PREFIX: Final = "customer-"
_SHOWN: Final = 12


@dataclass(frozen=True)
class Masks:
    """Masked names of customers.

    :param secret: hashed with each id, so that a list of ids does not tell whom a name stands for.
    """

    secret: str

    @classmethod
    def kept_in(cls, folder: Path) -> Masks:
        """With the secret of this machine, so that a masked address works again tomorrow."""
        path = folder / "mask-secret"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(16))
        return cls(path.read_text())

    def name(self, user_id: str) -> str:
        return PREFIX + hashlib.sha256((self.secret + user_id).encode()).hexdigest()[:_SHOWN]

    def user_of(self, history: History, name: str) -> str:
        """Whom a name stands for; a name that is no mask, or nobody's, stands for itself."""
        if not name.startswith(PREFIX) or len(name) != len(PREFIX) + _SHOWN:
            return name
        return history.called(self.secret, name.removeprefix(PREFIX)) or name
