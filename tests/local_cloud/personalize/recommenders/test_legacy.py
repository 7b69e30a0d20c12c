"""Developer guide, "HRNN-Coldstart recipe (legacy)": what is a cold item."""

from __future__ import annotations

import numpy as np
import pytest

from local_cloud.personalize.recommenders import Interactions
from local_cloud.personalize.recommenders.interactions import Catalogue, EventLog
from local_cloud.personalize.recommenders.legacy import cold_items

_DAY = 86_400


@pytest.mark.parametrize(
    ("parameters", "cold"),
    [
        ({}, {"young", "rare", "made long ago"}),
        ({"cold_start_max_interactions": "20"}, {"young", "rare", "made long ago", "old"}),
        ({"cold_start_max_interactions": "2"}, {"young", "made long ago"}),
        ({"cold_start_max_interactions": "2", "cold_start_max_duration": "3"}, {"made long ago"}),
        (
            {
                "cold_start_max_interactions": "2",
                "cold_start_max_duration": "3",
                "cold_start_relative_from": "latestItem",
            },
            {"young", "made long ago"},
        ),
    ],
)
def test_few_interactions_or_youth_make_an_item_cold(parameters: dict[str, str], cold: set[str]) -> None:
    """`old` has 20 interactions from day 0 on, `young` 30 from day 6 on; now is the end of day 10."""
    days = [*np.linspace(0, 9, 20), *np.linspace(6, 10, 30), 0, 1, 2]
    item_ids = ["old"] * 20 + ["young"] * 30 + ["rare"] * 3
    interactions = Interactions(
        user_ids=["u"] * len(days), item_ids=item_ids, timestamps=(np.array(days) * _DAY).astype(np.int64)
    )
    catalogue = Catalogue([*item_ids, "made long ago"])

    newcomers, _ = cold_items(EventLog.of(interactions, catalogue), {"made long ago": 0.0}, parameters)

    assert {catalogue.item_ids[item] for item in newcomers.younger_than(30)} == cold
