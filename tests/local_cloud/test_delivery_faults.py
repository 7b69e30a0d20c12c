"""What a fault makes of deliveries, and that the local cloud's Firehose obeys it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.error import HTTPError

import pytest

from local_cloud.connection import Connection
from local_cloud.delivery_faults import NONE, DeliveryFault, DeliveryFaults
from tests.local_cloud.test_ministack_firehose import Lake, record, until


def test_a_fault_is_known_by_its_json() -> None:
    fault = DeliveryFault(stream="a*", failing=True, twice=0.5, shuffled=True)
    assert DeliveryFault.from_json(fault.to_json()) == fault
    assert (fault.matches("abc"), fault.matches("b")) == (True, False)


def test_shuffling_loses_nothing_and_repeats_nothing() -> None:
    records = list(range(100))
    shuffled = DeliveryFault(shuffled=True).in_order(records, random.Random(1))
    assert sorted(shuffled) == records != shuffled
    assert NONE.in_order(records, random.Random(1)) == records


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"twice must be 0 to 1, got 1\.5"):
        DeliveryFault(twice=1.5)


@pytest.fixture
def lake(cloud: Connection, tmp_path: Path) -> Iterator[Lake]:
    with ExitStack() as cleanup:
        yield Lake(cloud, tmp_path, cleanup)


def test_what_could_not_be_delivered_for_a_while_arrives_once(cloud: Connection, lake: Lake) -> None:
    faults = DeliveryFaults(cloud)
    with faults.injected(DeliveryFault(stream=lake.name, failing=True)):
        before = faults.set(DeliveryFault(stream=lake.name, failing=True))
        lake.put([record(number) for number in range(10)])
        until(lambda: faults.set(DeliveryFault(stream=lake.name, failing=True)) > before)
        assert lake.objects("") == []
    until(lambda: len(lake.rows()) >= 10)
    assert [row[0] for row in lake.rows()] == [f"{number:04}" for number in range(10)]


def test_a_copy_follows_behind_the_next_delivery(cloud: Connection, lake: Lake) -> None:
    with DeliveryFaults(cloud).injected(DeliveryFault(stream=lake.name, twice=1, shuffled=True)):
        lake.put([record(1)])
        until(lambda: len(lake.rows()) == 1)
        lake.put([record(2)])
        until(lambda: len(lake.rows()) == 3)
    assert Counter(row[0] for row in lake.rows()) == {"0001": 2, "0002": 1}


def test_a_fault_that_is_none_is_refused_by_the_cloud(cloud: Connection) -> None:
    class Unknown(DeliveryFault):
        def to_json(self) -> dict[str, object]:
            return {"slow": True}

    with pytest.raises(HTTPError, match="400"):
        DeliveryFaults(cloud).set(Unknown())
