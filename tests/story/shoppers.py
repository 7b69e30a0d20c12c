"""Shoppers who send events as clients do, impatiently and twice, and a ledger of what was accepted."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from local_cloud.live_api import LiveApi

FIRST_SERIAL: Final = 1_000_000
"""Every event has a number of its own as its value, by which it is known again wherever it lies."""


@dataclass(frozen=True)
class Sent:
    """An event that a client was told is accepted."""

    event_id: str
    serial: int
    session_id: str
    user_id: str | None


@dataclass
class Ledger:
    """What was accepted; safe to use from any thread.

    :param answers: status codes, 0 for a connection that broke.
    :param sent_again: requests that were sent again although they had been accepted.
    """

    answers: Counter[int] = field(default_factory=Counter)
    sent_again: int = 0
    _accepted: dict[int, Sent] = field(default_factory=dict)
    _serial: int = FIRST_SERIAL
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def serials(self, count: int) -> range:
        with self._lock:
            first, self._serial = self._serial, self._serial + count
        return range(first, self._serial)

    def accept(self, sent: Sequence[Sent]) -> None:
        with self._lock:
            self._accepted.update({each.serial: each for each in sent})

    def count(self, status: int) -> None:
        with self._lock:
            self.answers[status] += 1

    def accepted(self) -> dict[int, Sent]:
        with self._lock:
            return dict(self._accepted)


class Shoppers:
    """Some clients at once, each going from visit to visit.

    Of their requests some come without event ids, some with clocks that are slow or fast, some are sent
    again though they were accepted; some visitors sign in on the way, some never do.

    :param users: whom they are, each for a few visits.
    :param items: what they look at.
    """

    def __init__(self, api: LiveApi, ledger: Ledger, *, users: Sequence[str], items: Sequence[str]) -> None:
        self._api, self._ledger = api, ledger
        self._users, self._items = users, items

    @contextmanager
    def at_work(self, *, clients: int, seed: int, pause: float = 0.05) -> Iterator[None]:
        """Shop for as long as the block takes; every request is settled when it has ended.

        :param pause: seconds between the requests of a client.
        """
        stop = threading.Event()
        failures: list[BaseException] = []

        def shop(number: int) -> None:
            try:
                draw = random.Random(f"{seed} {number}")
                for visit in range(1_000_000):
                    if stop.is_set():
                        return
                    self._visit(draw, f"visit-{seed}-{number}-{visit}", pause)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=shop, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert not failures, failures

    def send(self, user_id: str | None, session_id: str, count: int, *, ids: bool = True) -> None:
        """Send events until they are accepted."""
        draw = random.Random(session_id)
        self._settle(draw, session_id, user_id, count, ids=ids)

    def _visit(self, draw: random.Random, session_id: str, pause: float) -> None:
        user = draw.choice(self._users)
        signs_in_at = draw.choice([0, 0, 0, 1, 2, 99])
        for request in range(draw.randint(1, 4)):
            user_id = user if request >= signs_in_at else None
            self._settle(draw, session_id, user_id, draw.randint(1, 12), ids=draw.random() < 0.8)
            time.sleep(pause * draw.random())

    def _settle(
        self, draw: random.Random, session_id: str, user_id: str | None, count: int, *, ids: bool
    ) -> None:
        serials = self._ledger.serials(count)
        events = [self._event(draw, serial, ids=ids) for serial in serials]
        body: dict[str, Any] = {"session_id": session_id, "events": events}
        if user_id is not None:
            body["user_id"] = user_id
        while True:
            status, answer = self._post(body)
            if "event_ids" in answer:
                for event, event_id in zip(events, answer["event_ids"], strict=True):
                    event["event_id"] = event_id
            if status == 202:
                break
            assert status in (0, 429, 500, 502, 503, 504), f"{status}: {answer}"
            if not all("event_id" in event for event in events):
                # Nobody can say whether they are stored: they count as refused, and have serials of their own
                return
            time.sleep(0.05 + 0.2 * draw.random())
        self._ledger.accept(
            [
                Sent(event["event_id"], serial, session_id, user_id)
                for serial, event in zip(serials, events, strict=True)
            ]
        )
        if draw.random() < 0.06:
            self._ledger.sent_again += 1
            self._post(body)

    def _event(self, draw: random.Random, serial: int, *, ids: bool) -> dict[str, Any]:
        now = time.time()
        event: dict[str, Any] = {"event_type": "view", "item_id": draw.choice(self._items), "value": serial}
        if ids:
            event["event_id"] = f"client-{serial}"
        match draw.randrange(6):
            case 0:
                event["sent_at"] = int((now - draw.uniform(0, 3 * 3600)) * 1000)  # was offline
            case 1:
                event["sent_at"] = int((now + draw.uniform(0, 240)) * 1000)  # a fast clock
            case 2:
                event["sent_at"] = datetime.fromtimestamp(now, UTC).isoformat()
        if draw.random() < 0.2:
            event["impression"] = [event["item_id"], draw.choice(self._items)]
            event["properties"] = {"shelf": draw.choice(["top", "bottom"]), "position": draw.randrange(20)}
        return event

    def _post(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        request = Request(
            f"{self._api.events_url}events",
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json", "x-api-key": self._api.key or ""},
            method="POST",
        )
        try:
            with urlopen(request, timeout=30) as response:
                status, answer = int(response.status), response.read()
        except HTTPError as refused:
            with refused:
                status, answer = refused.code, refused.read()
        except OSError:
            status, answer = 0, b"{}"
        self._ledger.count(status)
        try:
            return status, dict(json.loads(answer))
        except ValueError:
            return status, {}
