"""Sending side by side: many sessions at once, each in its order, and no colour waits for another."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from clickstream.backoff import Backoff
from clickstream.forwarding import Arrival
from clickstream.open_colours import OpenColours
from clickstream.sending import Sender, Sent
from tests.lambdas.clickstream.stand_ins import FakeClock, FakeTable, error, event, opened
from vocabulary.coordination import OpenColour

T = 1_780_000_000_000
MAIZE, BLUE = opened("maize", T), opened("blue", T)


class Personalize:
    """Holds up every call until `together` of them are there at the same time.

    :param hanging: a tracker whose calls end only when `let_go` is set.
    """

    def __init__(self, together: int = 1, hanging: str | None = None) -> None:
        self.barrier = threading.Barrier(together)
        self.hanging = hanging
        self.let_go = threading.Event()
        self.lock = threading.Lock()
        self.taken: list[tuple[str, str, str]] = []

    def put_events(self, **request: Any) -> None:
        if request["trackingId"] == self.hanging:
            assert self.let_go.wait(10)
            raise error("ThrottlingException", "PutEvents")
        self.barrier.wait(timeout=10)
        with self.lock:
            for each in request["eventList"]:
                self.taken.append((request["trackingId"], request["sessionId"], each["eventId"]))
            if len(self.taken) == 20:
                self.let_go.set()


def send(personalize: Personalize, *colours: OpenColour, arrivals: list[Arrival]) -> list[Sent]:
    clock = FakeClock()
    pools = {colour.colour: ThreadPoolExecutor(4) for colour in colours}
    sender = Sender(
        personalize=personalize,
        colours=OpenColours(FakeTable(colours), cache_seconds=20, now=clock),
        backoff=Backoff(clock, clock.sleep),
        pool_of=pools.__getitem__,
    )
    sent = sender.send([(colour, arrivals) for colour in colours], deadline=clock() + 50)
    for pool in pools.values():
        pool.shutdown()
    return [each for _, each in sent]


def arrivals(count: int, sessions: int) -> list[Arrival]:
    return [Arrival(n, event(n, T, session_id=f"s{n % sessions}", user_id=None)) for n in range(count)]


def test_calls_of_different_sessions_are_under_way_at_the_same_time() -> None:
    # The barrier would break if calls came one after the other
    (sent,) = send(Personalize(together=4), MAIZE, arrivals=arrivals(16, sessions=16))
    assert len(sent.taken) == 16


def test_what_is_of_one_session_goes_in_its_order_also_when_it_takes_many_calls() -> None:
    personalize = Personalize()
    (sent,) = send(personalize, MAIZE, arrivals=arrivals(300, sessions=7))
    assert len(sent.taken) == 300
    for session in range(7):
        ids = [int(event_id[1:]) for _, of, event_id in personalize.taken if of == f"s{session}"]
        assert ids == list(range(session, 300, 7))


def test_a_colour_that_hangs_does_not_keep_the_other_waiting() -> None:
    personalize = Personalize(hanging="tracker-maize")
    # maize's calls end only after blue has all of its 20 events
    maize, blue = send(personalize, MAIZE, BLUE, arrivals=arrivals(20, sessions=2))
    assert len(blue.taken) == 20
    assert (maize.taken, len(maize.waiting)) == ([], 20)
