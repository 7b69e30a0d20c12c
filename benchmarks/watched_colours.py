"""When each colour's campaigns could answer, as Personalize itself says."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Final, Self

from benchmarks.watched_traffic import Answer
from local_cloud.connection import Connection

_LOOK_EVERY: Final = 0.1
_ANSWERS_WHILE: Final = ("ACTIVE", "UPDATE PENDING", "UPDATE IN_PROGRESS")


class WatchedColours:
    """Looks again and again which campaigns are there, until the block ends."""

    def __init__(self, connection: Connection) -> None:
        self._personalize = connection.client("personalize")
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._looks: dict[tuple[str, str], list[tuple[float, bool]]] = defaultdict(list)

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._watcher.join()

    def answered_after_deletion(self, answers: Iterable[Answer]) -> int:
        """How many answers name a colour whose campaign of their placement was gone when it was asked."""
        return sum(
            self._was_gone(answer) for answer in answers if answer.source == "personalize" and answer.colour
        )

    def _was_gone(self, answer: Answer) -> bool:
        """Whether the last look before the request and the first after the answer both found it gone."""
        looks = self._looks[answer.placement, str(answer.colour)]
        before = [there for at, there in looks if at <= answer.asked]
        after = next((there for at, there in looks if at >= answer.answered), None)
        return bool(before) and not before[-1] and after is False

    def _watch(self) -> None:
        known: set[tuple[str, str]] = set()
        while not self._stop.wait(_LOOK_EVERY):
            began = time.monotonic()
            there = set()
            try:
                for page in self._personalize.get_paginator("list_campaigns").paginate():
                    for campaign in page["campaigns"]:
                        if campaign["status"] in _ANSWERS_WHILE:
                            there.add(_placement_and_colour(campaign["name"]))
            except self._personalize.exceptions.ClientError:
                continue  # made to fail on purpose; the next look will tell
            known |= there
            for each in known:
                self._looks[each].append((began, each in there))


def _placement_and_colour(campaign: str) -> tuple[str, str]:
    """`{app}-{environment}-{colour}-{placement}`."""
    _, _, colour, placement = campaign.split("-", 3)
    return placement, colour
