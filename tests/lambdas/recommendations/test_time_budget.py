"""The budget holds against what the timeouts of an HTTP client do not see."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

import boto3
import pytest
from botocore.config import Config

from recommendations.bulkhead import Bulkhead, TimedOut
from recommendations.campaigns import Campaigns
from recommendations.recommender import NoSuchCampaign, Ranking, Recommender
from recommendations.request import Request
from tests.lambdas.recommendations.fakes import PLACEMENTS, Bucket, Clock, popular_lists, settings
from vocabulary.colours import Colour

T = TypeVar("T")

REQUEST = Request(user_id="ann", placement=PLACEMENTS[0])


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that sends an endless answer, a byte every 10 ms; its URL."""
    over = threading.Event()

    class Drip(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "1000000")
            self.end_headers()
            while not over.wait(0.01):
                try:
                    self.wfile.write(b" ")
                except OSError:
                    return

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Drip)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_answer_that_drips_is_not_waited_for(dripping: str) -> None:
    client = boto3.client(
        "personalize-runtime",
        endpoint_url=dripping,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(connect_timeout=0.2, read_timeout=0.2, retries={"total_max_attempts": 1}),
    )
    recommender = Recommender(
        live_colour="maize",
        ranker=Campaigns(client, settings("maize").campaign_arn),
        popular=popular_lists(Bucket(recommended_for_you=["p1"])),
        bulkhead=Bulkhead(at_most=1),
        budget=0.2,
    )
    began = time.monotonic()
    answer = recommender.recommend(REQUEST)
    took = time.monotonic() - began
    assert (answer.source, answer.failures) == ("popular", ("TimedOut",))
    assert 0.2 <= took < 2  # with two shared cores in mind; the drip itself never ends


class Impatient(Bulkhead):
    """Notes how long a call may take, and lets it."""

    def __init__(self) -> None:
        super().__init__(at_most=1)
        self.allowed: list[float] = []

    def within(self, seconds: float, call: Callable[[], T]) -> T:
        self.allowed.append(round(seconds, 3))
        return super().within(60, call)


def test_the_other_colour_gets_only_what_the_first_left_of_the_budget() -> None:
    clock, bulkhead = Clock(), Impatient()

    class Gone:
        def rank(self, colour: Colour, request: Request) -> Ranking:
            clock.now += 0.12
            raise NoSuchCampaign(colour)

    answer = Recommender(
        live_colour="blue",
        ranker=Gone(),
        popular=popular_lists(Bucket(recommended_for_you=["p1"])),
        bulkhead=bulkhead,
        budget=0.3,
        clock=clock,
    ).recommend(REQUEST)
    assert bulkhead.allowed == [0.3, 0.18]
    assert answer.personalize_ms == pytest.approx(240)


def test_a_call_begun_after_the_deadline_is_not_made() -> None:
    made: list[int] = []
    with pytest.raises(TimedOut):
        Bulkhead(at_most=1).within(0, lambda: made.append(1))
    assert made == []
