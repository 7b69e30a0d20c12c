"""When each colour's campaigns could answer, and what they list, as Personalize itself says."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, Self

from benchmarks.watched_traffic import Answer
from local_cloud.connection import Connection

_LOOK_EVERY: Final = 0.1
_ANSWERS_WHILE: Final = ("ACTIVE", "UPDATE PENDING", "UPDATE IN_PROGRESS")


class WatchedColours:
    """Looks again and again which campaigns are there, until the block ends.

    A new campaign for similar items is asked past the API what it lists beside each anchor, before
    the traffic moves to it: no two models list the same.

    :param anchors: item ids.
    """

    def __init__(self, connection: Connection, *, anchors: Sequence[str]) -> None:
        self._personalize = connection.client("personalize")
        self._runtime = connection.client("personalize-runtime")
        self._anchors = anchors
        self._models: dict[str, list[tuple[float, dict[str, tuple[str, ...]]]]] = defaultdict(list)
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

    def mixed(self, answers: Iterable[Answer]) -> int:
        """How many answers beside an anchor are not wholly the list of the model that they name."""
        wrong = 0
        for answer in answers:
            if answer.anchor is None or answer.source != "personalize":
                continue
            models = [lists for since, lists in self._models[str(answer.colour)] if since <= answer.answered]
            wrong += not models or models[-1][answer.anchor] != answer.items
        return wrong

    def _was_gone(self, answer: Answer) -> bool:
        """Whether the last look before the request and the first after the answer both found it gone."""
        looks = self._looks[answer.placement, str(answer.colour)]
        before = [there for at, there in looks if at <= answer.asked]
        after = next((there for at, there in looks if at >= answer.answered), None)
        return bool(before) and not before[-1] and after is False

    def _watch(self) -> None:
        known: dict[tuple[str, str], str] = {}
        while not self._stop.wait(_LOOK_EVERY):
            began = time.monotonic()
            there = {}
            try:
                for page in self._personalize.get_paginator("list_campaigns").paginate():
                    for campaign in page["campaigns"]:
                        if campaign["status"] in _ANSWERS_WHILE:
                            there[_placement_and_colour(campaign["name"])] = campaign["campaignArn"]
                for placement, colour in there.keys() - self._there_before(known):
                    if placement == "similar-items":
                        lists = {each: self._list(there[placement, colour], each) for each in self._anchors}
                        self._models[colour].append((began, lists))
            except (self._personalize.exceptions.ClientError, self._runtime.exceptions.ClientError):
                continue  # made to fail on purpose; the next look will tell
            known |= there
            for each in known:
                self._looks[each].append((began, each in there))

    def _there_before(self, known: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        return {each for each in known if self._looks[each][-1][1]}

    def _list(self, campaign: str, anchor: str) -> tuple[str, ...]:
        answer = self._runtime.get_recommendations(campaignArn=campaign, itemId=anchor, numResults=10)
        return tuple(item["itemId"] for item in answer["itemList"])


def _placement_and_colour(campaign: str) -> tuple[str, str]:
    """`{app}-{environment}-{colour}-{placement}`."""
    _, _, colour, placement = campaign.split("-", 3)
    return placement, colour
