"""What real clickstreams hold besides: repeats, bots, late arrivals, wrong clocks, unknown items."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from local_cloud.marketplace.catalogue import DAY, Catalogue
from local_cloud.marketplace.funnel import Columns

BOTS: Final = 3
_BOT_VISITS: Final = 600
_LATE: Final = 0.008
_WRONG_CLOCK: Final = 0.003
_UNKNOWN_ITEM: Final = 0.003
_TWICE: Final = 0.006


def soil(
    rng: np.random.Generator, events: Columns, catalogue: Catalogue, *, start: int, days: int
) -> Columns:
    """The same events with an `event_id` and everything that goes wrong on the way."""
    events = _append(events, _bots(rng, catalogue, start=start, days=days))
    count = len(events["sent_at"])
    late = rng.random(count) < _LATE  # phones without a network
    events["received_at"] = events["received_at"] + late * (
        rng.exponential(0.3 * DAY, size=count).astype(np.int64) + 600_000
    )
    wrong = rng.random(count) < _WRONG_CLOCK
    events["sent_at"] = events["sent_at"] + wrong * rng.integers(60_000, 3_600_000, size=count)
    unknown = np.flatnonzero(rng.random(count) < _UNKNOWN_ITEM)
    events["item_id"][unknown] = [f"withdrawn-{number}" for number in rng.integers(1, 40, size=len(unknown))]
    events["event_id"] = _event_ids(rng, count)
    twice = np.flatnonzero(rng.random(count) < _TWICE)
    repeats = {name: column[twice] for name, column in events.items()}
    repeats["received_at"] = repeats["received_at"] + rng.integers(200, 120_000, size=len(twice))
    return _append(events, repeats)


def bot_ids() -> NDArray[np.object_]:
    """User ids of the bots, in the pattern of customers' but beyond theirs."""
    return np.array([f"u9{number:04d}" for number in range(1, BOTS + 1)], dtype=object)


def _bots(rng: np.random.Generator, catalogue: Catalogue, *, start: int, days: int) -> Columns:
    """Crawlers: one product after the other, a second apart, each visit of one night."""
    count = BOTS * _BOT_VISITS
    number = np.repeat(np.arange(BOTS), _BOT_VISITS)
    turn = np.tile(np.arange(_BOT_VISITS), BOTS)
    night = rng.integers(days // 2, days - 1, size=BOTS)
    sent_at = start + (night[number] * DAY) + 3 * 3_600_000 + turn * 1000 + rng.integers(0, 200, size=count)
    created = np.array([product.created_at for product in catalogue.products])
    old = np.flatnonzero(created < start)
    item_ids = np.array([product.item_id for product in catalogue.products], dtype=object)
    nothing = np.full(count, None, dtype=object)
    return {
        "received_at": sent_at + 30,
        "sent_at": sent_at,
        "session_id": np.array([f"b{each + 1:07d}" for each in range(BOTS)], dtype=object)[number],
        "user_id": bot_ids()[number],
        "event_type": np.full(count, "view", dtype=object),
        "item_id": item_ids[old[(turn + 50 * number) % len(old)]],
        "value": np.full(count, np.nan),
        "properties": nothing,
        "impression": nothing.copy(),
        "recommendation_id": nothing.copy(),
        "session": np.full(count, -1),
    }


def _event_ids(rng: np.random.Generator, count: int) -> NDArray[np.object_]:
    text = rng.bytes(16 * count).hex()
    return np.array([text[at : at + 32] for at in range(0, 32 * count, 32)], dtype=object)


def _append(events: Columns, more: Columns) -> Columns:
    return {name: np.concatenate([column, more[name]]) for name, column in events.items()}
