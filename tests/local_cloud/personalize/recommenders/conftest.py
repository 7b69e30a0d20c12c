"""A shop whose structure is known: communities of taste, popularity within them, people who come back."""

from __future__ import annotations

import numpy as np
import pytest

from local_cloud.personalize.recommenders import Interactions

COMMUNITIES = 12
ITEMS_PER_COMMUNITY = 25
USERS = 400


@pytest.fixture(scope="session")
def shop() -> Interactions:
    """About 12,000 events. `c3-07` is the eighth most popular item of community 3; user `u15` is of 15 % 12.

    Nine of ten events stay in the user's community, which popularity alone cannot know.
    """
    random = np.random.default_rng(7)
    attraction = 1 / np.arange(1, ITEMS_PER_COMMUNITY + 1) ** 0.8
    attraction /= attraction.sum()
    user_ids, item_ids, timestamps = [], [], []
    for user in range(USERS):
        clock = 1_700_000_000 + int(random.integers(0, 20 * 86_400))
        for _ in range(int(random.integers(10, 51))):
            clock += int(random.choice([40, 86_400], p=[0.85, 0.15]))
            at_home = random.random() < 0.9
            community = user % COMMUNITIES if at_home else int(random.integers(COMMUNITIES))
            user_ids.append(f"u{user}")
            item_ids.append(f"c{community}-{int(random.choice(ITEMS_PER_COMMUNITY, p=attraction)):02}")
            timestamps.append(clock)
    return Interactions(user_ids=user_ids, item_ids=item_ids, timestamps=np.array(timestamps, dtype=np.int64))
