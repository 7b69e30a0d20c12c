from __future__ import annotations

import threading

import pytest

from local_cloud import delivery_buffer
from local_cloud.delivery_buffer import DeliveryBuffer

DONE = -1


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is delivered because of the time that has gone by."""
    monkeypatch.setattr(delivery_buffer, "_SECONDS", 3600)


@pytest.mark.usefixtures("unhurried")
def test_what_comes_while_a_batch_is_delivered_goes_with_the_next_in_order() -> None:
    batches: list[list[int]] = []
    delivering, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def deliver(batch: list[int]) -> None:
        batches.append(batch)
        delivering.set()
        go_on.wait(30)
        if DONE in batch:
            done.set()

    buffer = DeliveryBuffer(deliver)
    buffer.add([1, 2])
    buffer.add([3])
    assert batches == []
    buffer.flush(within=0)
    assert delivering.wait(30)
    # Did it wait for the delivery, each number would go by itself
    for number in range(4, 1003):
        buffer.add([number])
    buffer.add([DONE])
    go_on.set()
    assert done.wait(30)
    buffer.flush(within=30)
    assert [len(batch) for batch in batches] == [3, 500, 500]
    assert [number for batch in batches for number in batch] == [*range(1, 1003), DONE]


def test_after_a_pause_it_delivers_again() -> None:
    batches: list[list[int]] = []
    buffer = DeliveryBuffer(batches.append)
    for number in range(3):
        buffer.add([number])
        buffer.flush(within=30)
    assert batches == [[0], [1], [2]]


@pytest.mark.usefixtures("unhurried")
def test_a_full_batch_does_not_wait() -> None:
    delivered = threading.Event()
    buffer = DeliveryBuffer[int](lambda _: delivered.set())
    buffer.add(range(500))
    assert delivered.wait(30)
    buffer.flush(within=30)


def test_flushing_what_is_empty_does_nothing() -> None:
    DeliveryBuffer[int](lambda _: None).flush(within=1)
