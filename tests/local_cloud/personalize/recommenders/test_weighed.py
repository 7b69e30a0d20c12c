"""Looking only at the head must give what sorting the whole catalogue gives."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray

from local_cloud.personalize.recommenders.weighed import Adder, Background, Weighed

_SIZE = 2000


def _weighed(seed: int, standing_out: int) -> tuple[Weighed, NDArray[np.float64]]:
    """Few distinct weights, so that many are equal; and all of them, as one array."""
    random = np.random.default_rng(seed)
    background = random.integers(1, 30, size=_SIZE) / 1000
    items = np.sort(random.choice(_SIZE, size=standing_out, replace=False)).astype(np.int32)
    weights = random.integers(1, 30, size=standing_out) / 2000
    whole = 0.5 * background
    whole[items] = weights
    return Weighed(Background(background), share=0.5, items=items, weights=weights), whole


@pytest.mark.parametrize("expected", [1, 25, 5000])
@pytest.mark.parametrize("standing_out", [0, 1, 700, _SIZE])
def test_the_order_is_that_of_a_full_sort_equal_ones_by_code(standing_out: int, expected: int) -> None:
    weighed, whole = _weighed(3, standing_out)

    found = list(weighed.best_first(expected=expected))

    order = np.argsort(-whole, kind="stable")
    assert [item for item, _ in found] == order.tolist()
    assert [weight for _, weight in found] == pytest.approx(whole[order].tolist())


@pytest.mark.parametrize("passing", [0.0, 0.003, 0.5])
def test_a_mask_leaves_the_others_in_their_order(passing: float) -> None:
    weighed, whole = _weighed(4, 700)
    among = np.random.default_rng(5).random(_SIZE) < passing

    found = [item for item, _ in weighed.best_first(expected=25, among=among)]

    assert found == [item for item in np.argsort(-whole, kind="stable").tolist() if among[item]]


def test_what_is_liked_can_come_before_all_others() -> None:
    """Items 3 and 4 are; item 0 is held back, and item 1 weighs what it does for everybody."""
    background = Background(np.array([0.4, 0.3, 0.2, 0.1, 0.0]))
    items, weights = np.array([0, 1, 3, 4], dtype=np.int32), np.array([0.01, 0.15, 0.06, 0.07])
    weighed = Weighed(background, share=0.5, items=items, weights=weights, apart=True)

    assert [item for item, _ in weighed.best_first(expected=1)] == [4, 3, 1, 2, 0]
    assert [item for item in range(5) if weighed.is_liked(item)] == [3, 4]
    assert weighed.total_of_liked == pytest.approx(0.13)
    lift = np.array([1.0, 1.0, 1.0, 9.0, 1.0])
    lifted = weighed.lifted(Background(background.weights * lift), lift)
    assert [item for item, _ in lifted.best_first(expected=1)] == [3, 4, 1, 2, 0]


def test_weights_and_their_total_are_those_of_the_whole_catalogue() -> None:
    weighed, whole = _weighed(6, 300)

    assert weighed.total == pytest.approx(whole.sum())
    np.testing.assert_allclose(weighed.of(np.arange(_SIZE, dtype=np.int32)), whole)


def test_each_item_is_added_up_once_and_the_room_is_left_clean() -> None:
    added = Adder(10)
    for _ in range(2):
        items, sums = added(np.array([7, 2, 7, 9, 2, 7], dtype=np.int32), np.array([1.0, 2, 3, 0, 5, 6]))
        assert items.tolist() == [2, 7, 9]
        assert sums.tolist() == [7, 10, 0]


def test_the_head_alone_is_looked_at() -> None:
    """A generator that sorted everything first would be as right, and slow: it may not touch the tail."""
    background = Background(np.linspace(1, 0.1, _SIZE))
    background.order[1000:] = -5  # reading on would fail or repeat

    found = [item for item, _ in islice(Weighed(background).best_first(expected=25), 100)]

    assert found == list(range(100))
