"""From an accepted event to changed recommendations: how long a customer's own clicks take to count.

    python -m benchmarks.freshness --samples 100

Deploys everything into a local cloud of its own and trains it. Then, customer by customer, three events of
another taste are sent, and the recommendations asked for again and again until they differ; the time runs
from the 202 to the answer that differs, so it is too long by up to one request. `ForwardLag` is our own part:
from `received_at` to the forwarder's having delivered, the stream's way to it included. Last, what the local
gateway itself bears: requests of 20 events from a few clients at once, which says nothing about AWS.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from benchmarks.filled_cloud import filled_cloud
from local_cloud import demo
from local_cloud.connection import Connection
from local_cloud.live_api import ApiError, LiveApi
from local_cloud.marketplace import Marketplace
from local_cloud.progress import Progress

_GIVES_UP: Final = 30.0
_CLIENTS: Final = 4
_PER_REQUEST: Final = 20


def measure(api: LiveApi, market: Marketplace, *, samples: int) -> tuple[list[float], list[float]]:
    """Milliseconds from the 202 until recommendations differed, and those of one request for them."""
    moved: list[float] = []
    requests: list[float] = []
    customers = [str(each) for each in market.customers["user_id"]]
    for customer in customers:
        if len(moved) == samples:
            break
        before = _items(api, customer)
        if _items(api, customer) != before:
            continue  # exploration varies the list by itself: a change would prove nothing
        others = market.another_taste(customer, 3)
        _send(api, customer, [{"event_type": "view", "item_id": each.item_id} for each in others])
        accepted = time.monotonic()
        while True:
            began = time.monotonic()
            after = _items(api, customer)
            now = time.monotonic()
            requests.append((now - began) * 1000)
            if after != before:
                moved.append((now - accepted) * 1000)
                break
            if now - accepted > _GIVES_UP:
                raise SystemExit(f"the recommendations of {customer} are the same {_GIVES_UP:.0f} s later")
    return moved, requests


def _send(api: LiveApi, customer: str, events: Sequence[dict[str, str]]) -> None:
    """As a client does: again, with the same ids, until they are accepted."""
    events = [{**event, "event_id": str(uuid.uuid4())} for event in events]
    session = str(uuid.uuid4())
    while True:
        try:
            api.send(customer, events, session_id=session)
        except ApiError:
            continue
        return


def _items(api: LiveApi, customer: str) -> list[str]:
    answer = api.recommendations(customer, num_results="10")
    assert answer["source"] == "personalize", answer
    return [str(item["item_id"]) for item in answer["items"]]


def gateway(api: LiveApi, market: Marketplace, *, seconds: float) -> float:
    """Events per second that a few clients at once are told are accepted."""
    item = market.items[0].item_id
    events = [{"event_type": "view", "item_id": item}] * _PER_REQUEST

    def send(client: int) -> int:
        sent, ends = 0, time.monotonic() + seconds
        while time.monotonic() < ends:
            _send(api, f"load-{client}", events)
            sent += _PER_REQUEST
        return sent

    began = time.monotonic()
    with ThreadPoolExecutor(_CLIENTS) as pool:
        sent = sum(pool.map(send, range(_CLIENTS)))
    return sent / (time.monotonic() - began)


def forward_lags(connection: Connection, *, since: float) -> list[float]:
    """Milliseconds of each batch, as the forwarder's log tells them.

    :param since: unix seconds.
    """
    logs, lambda_ = connection.client("logs"), connection.client("lambda")
    (function,) = (
        each
        for page in lambda_.get_paginator("list_functions").paginate()
        for each in page["Functions"]
        if each["Handler"] == "clickstream.forward_handler.handle"
    )
    configuration = lambda_.get_function_configuration(FunctionName=function["FunctionName"])
    lags: list[float] = []
    for page in logs.get_paginator("filter_log_events").paginate(
        logGroupName=configuration["LoggingConfig"]["LogGroup"], startTime=int(since * 1000)
    ):
        for event in page["events"]:
            if '"ForwardLag"' in event["message"]:
                line: dict[str, Any] = json.loads(event["message"])
                lags.append(float(line["ForwardLag"]))
    return lags


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, default=100, help="customers (default %(default)s)")
    samples = parser.parse_args().samples
    progress = Progress()
    with filled_cloud(progress, customers=max(600, samples)) as (connection, market):
        demo.train_first(connection, progress)
        api, since = LiveApi.of(connection), time.time()
        measure(api, market, samples=3)  # functions come into being
        moved, requests = measure(api, market, samples=samples)
        lags = forward_lags(connection, since=since)
        borne = gateway(api, market, seconds=10)
    print(f"\n{platform.machine()}, Python {platform.python_version()}; {samples} customers; milliseconds")
    print(f"{'':<44} {'p50':>7} {'p99':>7} {'most':>7}")
    for title, times in (
        ("from 202 to changed recommendations", moved),
        ("of which up to delivered (ForwardLag)", lags),
        ("one request for recommendations", requests),
    ):
        print(f"{title:<44} {_at(times, 0.5):>7.0f} {_at(times, 0.99):>7.0f} {max(times):>7.0f}")
    print(f"The local gateway bore {borne:.0f} events a second, of {_CLIENTS} clients at once")


def _at(times: Sequence[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


if __name__ == "__main__":
    main()
