"""An ordinary day and a drop, played to the running local cloud: `make load` beside `make demo`.

The day is a minute long, its traffic a wave. Then comes the drop: within 10 seconds 20 times as many
requests as at the day's height, and they stay. Each phase is reported by itself: latency as clients see it,
errors, fallbacks; and the function's own part by its log, without Personalize and without the local
gateway, whose 50 ms a call say nothing about AWS.

Run by locust: `python -m locust -f benchmarks/load.py --headless --only-summary`.
"""

from __future__ import annotations

import json
import math
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from locust import FastHttpUser, LoadTestShape, constant_throughput, events, task
from locust.env import Environment

from local_cloud import deployed
from local_cloud.connection import DEFAULT_STATE, connect
from local_cloud.live_api import LiveApi

HEIGHT: Final = float(os.environ.get("LOAD_HEIGHT", "1"))
"""Requests a second at the height of the day; the drop is 20 times that. Two cores carry all of it,
and twice as much makes clients wait for the local gateway (docs/benchmarks.md)."""

DAY: Final = 60.0
RISE: Final = 10.0
STAY: Final = 20.0
TIMES: Final = 20

CONNECTION: Final = connect(Path(os.environ.get("LOAD_STATE", str(DEFAULT_STATE))))
API: Final = LiveApi.of(CONNECTION)
# As the generated marketplace calls them; anybody else gets a newcomer's list
CUSTOMERS: Final = [f"u{number:05}" for number in range(1, 3001)]

phase = "an ordinary day"
sources: dict[str, Counter[str]] = {}


class Drop(LoadTestShape):
    """How many clients there are at each moment; each asks once a second."""

    def tick(self) -> tuple[int, float] | None:
        global phase
        now = self.get_run_time()
        if now < DAY:
            wave = (1 - math.cos(2 * math.pi * now / DAY)) / 2
            return max(1, round(HEIGHT * wave)), 100
        phase = "the drop"
        if now < DAY + RISE + STAY:
            share = min(1.0, (now - DAY) / RISE)
            return max(1, round(HEIGHT * TIMES * share)), 100
        return None


class Client(FastHttpUser):
    """Somebody who opens the home page, once a second."""

    host: ClassVar[str] = CONNECTION.endpoint
    wait_time = constant_throughput(1)

    @task
    def ask(self) -> None:
        target = urlsplit(API.url_for(random.choice(CUSTOMERS)))
        now = phase
        with self.client.get(
            f"{target.path}?{target.query}",
            headers={"x-api-key": API.key or ""},
            name=now,
            catch_response=True,
        ) as answer:
            seen = sources.setdefault(now, Counter())
            if answer.status_code != 200:
                seen["no answer"] += 1
                answer.failure(f"status {answer.status_code}")
                return
            body: dict[str, Any] = json.loads(answer.text or "{}")
            seen[str(body.get("source"))] += 1
            if not body.get("items"):
                answer.failure("no items")


@events.test_start.add_listener
def note_the_beginning(environment: Environment, **_: Any) -> None:
    environment.parsed_options.began = time.time()


@events.quitting.add_listener
def report(environment: Environment, **_: Any) -> None:
    """Say what came of it."""
    out = sys.stdout
    out.write(
        f"\n{'':18}{'requests':>9}{'errors':>8}{'fallback':>9}{'p50':>8}{'p99':>8}   as clients see it, ms\n"
    )
    for name, seen in sources.items():
        stats, every = environment.stats.get(name, "GET"), max(1, sum(seen.values()))
        errors, fallbacks = stats.num_failures / every, seen["popular"] / every
        middle, worst = (stats.get_response_time_percentile(share) for share in (0.5, 0.99))
        out.write(f"{name:18}{every:9}{errors:8.2%}{fallbacks:9.2%}{middle:8.0f}{worst:8.0f}\n")
    own = sorted(_own_parts(environment.parsed_options.began))
    if own:
        middle, worst = own[len(own) // 2], own[math.ceil(len(own) * 0.99) - 1]
        out.write(
            f"the function's own part, of {len(own)} requests: p50 {middle:.2f} ms, p99 {worst:.2f} ms\n"
        )


def _own_parts(began: float) -> list[float]:
    """Milliseconds of each request that were not spent waiting for Personalize, by the function's log."""
    function = deployed.output(CONNECTION, "ServingFunctionName")
    lambda_, logs = CONNECTION.client("lambda"), CONNECTION.client("logs")
    configuration = lambda_.get_function_configuration(FunctionName=function)
    group = configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function}"
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=int(began * 1000))
    found = []
    for page in pages:
        for event in page["events"]:
            try:
                line = json.loads(event["message"])
            except ValueError:
                continue
            if isinstance(line, dict) and "took_ms" in line:
                found.append(line["took_ms"] - line.get("PersonalizeLatency", 0))
    return found
