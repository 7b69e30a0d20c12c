"""What was made for a request, kept for those that ask for the same."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")


class Kept(Generic[Key, Made]):
    """The things that were asked for last; safe to use from any thread.

    :param most: how many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: OrderedDict[Key, Made] = OrderedDict()
        self._changing = threading.Lock()

    def of(self, key: Key, make: Callable[[], Made]) -> Made:
        """What was made for a key; others need not wait while it is made."""
        with self._changing:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        made = make()
        with self._changing:
            self._made[key] = made
            if len(self._made) > self._most:
                self._made.popitem(last=False)
        return made
