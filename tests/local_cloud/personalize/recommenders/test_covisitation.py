"""Held against the method in plain loops: a slip in sparse indices would cost quality, silently."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from local_cloud.personalize.recommenders import Interactions, covisitation
from local_cloud.personalize.recommenders.covisitation import CoVisitation
from local_cloud.personalize.recommenders.interactions import Catalogue, EventLog


@pytest.mark.parametrize("block", [50, 1_000_000], ids=["in blocks", "at once"])
def test_votes_are_those_of_the_method_in_plain_loops(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(covisitation, "_BLOCK", block)
    interactions = _random_interactions(events=600, users=15, items=40)
    log = EventLog.of(interactions, Catalogue(interactions.item_ids))

    together = CoVisitation(log, neighbours=1000)

    np.testing.assert_allclose(_rows(together, len(log.catalogue)), _in_plain_loops(interactions), rtol=1e-4)


def test_the_order_in_which_events_arrive_does_not_matter() -> None:
    given = _random_interactions(events=300, users=9, items=20)
    order = np.random.default_rng(3).permutation(300)
    shuffled = Interactions(
        user_ids=[given.user_ids[place] for place in order],
        item_ids=[given.item_ids[place] for place in order],
        timestamps=given.timestamps[order],
    )

    rows = [
        _rows(CoVisitation(EventLog.of(events, Catalogue(events.item_ids)), neighbours=1000), 20)
        for events in (given, shuffled)
    ]

    np.testing.assert_allclose(rows[0], rows[1], rtol=1e-5)


def test_the_strongest_neighbours_are_kept_and_no_others() -> None:
    interactions = _random_interactions(events=600, users=15, items=40)
    log = EventLog.of(interactions, Catalogue(interactions.item_ids))
    whole = _rows(CoVisitation(log, neighbours=1000), 40)

    cut = _rows(CoVisitation(log, neighbours=5), 40)

    for full_row, cut_row in zip(whole, cut, strict=True):
        assert np.sort(cut_row)[-5:].tolist() == np.sort(full_row)[-5:].tolist()
        assert np.count_nonzero(cut_row) == 5


def test_rows_add_up_with_their_weights() -> None:
    interactions = _random_interactions(events=600, users=15, items=40)
    together = CoVisitation(EventLog.of(interactions, Catalogue(interactions.item_ids)), neighbours=10)
    rows = _rows(together, 40)

    near, strengths = together.around(np.array([3, 7, 3], dtype=np.int32), np.array([1.0, 0.5, 0.25]))

    added = np.bincount(near, weights=strengths, minlength=40)
    np.testing.assert_allclose(added, 1.25 * rows[3] + 0.5 * rows[7])


def _random_interactions(*, events: int, users: int, items: int) -> Interactions:
    """Every item occurs, no two events share a second, and pauses are about as common as not."""
    random = np.random.default_rng(11)
    gaps = random.choice([1, 100, 4000], size=events)
    return Interactions(
        user_ids=[f"u{user}" for user in random.integers(users, size=events)],
        item_ids=[f"i{item:03}" for item in [*range(items), *random.integers(items, size=events - items)]],
        timestamps=np.cumsum(gaps).astype(np.int64),
    )


def _rows(together: CoVisitation, items: int) -> NDArray[np.float64]:
    rows = (together.around(np.array([item], dtype=np.int32), np.ones(1)) for item in range(items))
    return np.array([np.bincount(near, weights=strengths, minlength=items) for near, strengths in rows])


def _in_plain_loops(interactions: Interactions) -> NDArray[np.float64]:
    item_ids = sorted(set(interactions.item_ids))
    counts = Counter(interactions.item_ids)
    events = sorted(
        zip(interactions.user_ids, interactions.timestamps.tolist(), interactions.item_ids, strict=True)
    )
    votes: Counter[tuple[str, str]] = Counter()
    for user in set(interactions.user_ids):
        history = [(time, item) for owner, time, item in events if owner == user]
        for later in range(len(history)):
            for earlier in range(max(0, later - 20), later):
                times = [time for time, _ in history[earlier : later + 1]]
                paused = any(after - before > 1800 for before, after in pairwise(times))
                vote = (later - earlier) ** -0.75 * (0.7 if paused else 1.0)
                first, second = history[earlier][1], history[later][1]
                votes[first, second] += vote
                votes[second, first] += 0.8 * vote
    return np.array(
        [
            [votes[source, target] * counts[source] ** -0.7 * counts[target] ** -0.2 for target in item_ids]
            for source in item_ids
        ]
    )
