"""How fast the local recommenders learn and answer, at a size of one's choice.

    python -m benchmarks.recommenders --items 100000 --interactions 20000000

Events are generated, streamed into columns, and never held as Python objects. Latency is that of one thread
asking the model itself, without HTTP.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from local_cloud.personalize.recommenders import Condition, Exploration, IdColumn, Interactions, Model, train

_CHUNK = 500_000
DAYS = 90
START = 1_700_000_000
_COMMUNITIES = 500
_AT_HOME = 0.8
_COLOURS = ("black", "white", "red", "blue", "green", "grey", "gold", "pink")
_WORDS = 2000


@dataclass(frozen=True, kw_only=True)
class Size:
    items: int
    users: int
    interactions: int


def generate(size: Size, *, seed: int = 0) -> Interactions:
    """Users with a home among 500 communities of items; popularity by Zipf's law within each."""
    users, items = IdColumn(), IdColumn()
    timestamps = np.empty(size.interactions, dtype=np.int64)
    filled = 0
    for user_ids, item_ids, moments in chunks(size, seed=seed):
        users.extend(map("u{}".format, user_ids.tolist()))
        items.extend(map("i{:06}".format, item_ids.tolist()))
        timestamps[filled : filled + len(moments)] = moments
        filled += len(moments)
    return Interactions(user_ids=users, item_ids=items, timestamps=timestamps)


def chunks(
    size: Size, *, seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    random = np.random.default_rng(seed)
    each = max(1, size.items // _COMMUNITIES)
    rank = np.cumsum(1 / np.arange(1, each + 1) ** 0.8)
    left = size.interactions
    while left:
        count = min(_CHUNK, left)
        left -= count
        # Some users do far more than others
        users = (size.users * random.random(count) ** 2).astype(np.int64)
        away = random.random(count) > _AT_HOME
        community = np.where(away, random.integers(_COMMUNITIES, size=count), users % _COMMUNITIES)
        within = np.searchsorted(rank, random.random(count) * rank[-1])
        yield users, (community * each + within) % size.items, START + _times(random, count)


def _times(random: np.random.Generator, count: int) -> NDArray[np.int64]:
    return (random.random(count) * DAYS * 86_400).astype(np.int64)


def describe(size: Size, *, seed: int = 1) -> dict[str, dict[str, object]]:
    """An Items dataset: brand, colour, title and time of creation; one item in 50 is of the last month."""
    random = np.random.default_rng(seed)
    each = max(1, size.items // _COMMUNITIES)
    titles = random.integers(_WORDS, size=(size.items, 4)).tolist()
    colours = random.integers(len(_COLOURS), size=size.items).tolist()
    days = np.where(random.random(size.items) < 0.02, DAYS - 30 * random.random(size.items), -365).tolist()
    return {
        f"i{item:06}": {
            "BRAND": f"brand {item // each % 200}",
            "COLOUR": _COLOURS[colours[item]],
            "TITLE": " ".join(f"word{word}" for word in titles[item]),
            "CREATION_TIMESTAMP": START + days[item] * 86_400,
        }
        for item in range(size.items)
    }


def latency(ask: Callable[[int], object], *, requests: int) -> str:
    """As clients see it, and the CPU of the thread, which other work on the machine does not make longer.

    :param ask: makes the n-th request.
    """
    for request in range(min(50, requests)):
        ask(request)
    took, worked = [], []
    for request in range(requests):
        began, before = time.perf_counter(), time.thread_time()
        ask(request)
        took.append((time.perf_counter() - began) * 1000)
        worked.append((time.thread_time() - before) * 1000)
    (p50, p99), (cpu_50, cpu_99) = np.percentile(took, [50, 99]), np.percentile(worked, [50, 99])
    return f"p50 {p50:.2f} ms, p99 {p99:.2f} ms (of CPU {cpu_50:.2f} and {cpu_99:.2f})"


def peak_mib() -> int:
    """The most memory that this process has held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (2**20 if sys.platform == "darwin" else 2**10)


def ask_for_everything(model: Model, size: Size, *, requests: int) -> None:
    few = Condition(lambda item_id: item_id.endswith("077"), key="few")
    explore = Exploration()

    def user(request: int) -> str:
        return f"u{request * 7919 % size.users}"

    kinds: dict[str, Callable[[int], object]] = {
        "25 items": lambda n: model.recommend(user_id=user(n), item_id=None, count=25),
        "500 items": lambda n: model.recommend(user_id=user(n), item_id=None, count=500),
        "25 items, exploring": lambda n: model.recommend(
            user_id=user(n), item_id=None, count=25, explore=explore
        ),
        "25 items, 1 in 1000 allowed": lambda n: model.recommend(
            user_id=user(n), item_id=None, count=25, allowed=few
        ),
        "unknown user": lambda n: model.recommend(user_id=f"nobody {n}", item_id=None, count=25),
        "an event": lambda n: model.record(user(n), f"i{n % size.items:06}", START + DAYS * 86_400 + n),
    }
    for kind, ask in kinds.items():
        print(f"  {kind}: {latency(ask, requests=requests)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--users", type=int, default=0, help="default: one per 50 interactions")
    parser.add_argument("--interactions", type=int, default=1_000_000)
    parser.add_argument("--recipe", default="aws-user-personalization")
    parser.add_argument("--metadata", action="store_true", help="train with an Items dataset")
    parser.add_argument("--requests", type=int, default=2000)
    arguments = parser.parse_args()
    size = Size(
        items=arguments.items,
        users=arguments.users or max(1, arguments.interactions // 50),
        interactions=arguments.interactions,
    )
    began = time.perf_counter()
    interactions = generate(size)
    items = describe(size) if arguments.metadata else None
    print(f"generated in {time.perf_counter() - began:.1f} s, {peak_mib()} MiB at most", flush=True)
    began = time.perf_counter()
    model = train(arguments.recipe, interactions, items=items)
    took = time.perf_counter() - began
    print(
        f"{arguments.recipe}: {size.interactions} interactions, {size.items} items, {size.users} users: "
        f"trained and measured in {took:.1f} s ({size.interactions / took:,.0f} a second), "
        f"{peak_mib()} MiB at most"
    )
    print(f"  {model.metrics}", flush=True)
    if arguments.recipe.startswith("aws-user-personalization"):
        ask_for_everything(model, size, requests=arguments.requests)


if __name__ == "__main__":
    main()
