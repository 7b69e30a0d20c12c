"""Customers who ask for recommendations steadily, and what each was answered."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple, Self

from local_cloud.live_api import ApiError, LiveApi


class Answer(NamedTuple):
    """What a request was answered.

    :param asked: seconds of the monotonic clock, as `answered`.
    :param anchor: the item that it asked for company for, if it did.
    :param colour: that it says answered, or None for popular items.
    :param items: their ids, in order.
    """

    asked: float
    answered: float
    placement: str
    anchor: str | None
    source: str
    colour: str | None
    items: tuple[str, ...]


class SteadyTraffic:
    """One client for each placement, until the block ends.

    :param users: who ask, in turn.
    :param anchors: items that company is asked for, in turn.
    :param pause: seconds between an answer and the client's next request.
    """

    def __init__(self, api: LiveApi, *, users: Sequence[str], anchors: Sequence[str], pause: float) -> None:
        self.answers: list[Answer] = []
        self.failures: list[str] = []
        self._api, self._users, self._anchors = api, users, anchors
        self._pause, self._stop = pause, threading.Event()
        self._clients = [
            threading.Thread(target=self._ask, args=(placement,)) for placement in api.placements
        ]

    def __enter__(self) -> Self:
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for client in self._clients:
            client.join()

    def _ask(self, placement: str) -> None:
        for user, anchor in zip(itertools.cycle(self._users), itertools.cycle(self._anchors), strict=False):
            if self._stop.wait(self._pause):
                return
            beside = anchor if placement == "similar-items" else None
            query = {"placement": placement, "num_results": "10"} | ({"item_id": beside} if beside else {})
            asked = time.monotonic()
            try:
                told = self._api.recommendations(user, **query)
            except (ApiError, OSError) as error:
                self.failures.append(str(error))
                continue
            if not told["items"]:
                self.failures.append(f"no items of {placement}")
            items = tuple(str(item["item_id"]) for item in told["items"])
            answer = Answer(asked, time.monotonic(), placement, beside, told["source"], told["colour"], items)
            self.answers.append(answer)
