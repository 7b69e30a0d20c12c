from __future__ import annotations

import threading
import time

from local_cloud.delivery_buffer import DeliveryBuffer


def test_what_comes_while_a_batch_is_delivered_goes_with_the_next_in_order() -> None:
    batches: list[list[int]] = []
    delivering, go_on = threading.Event(), threading.Event()

    def deliver(batch: list[int]) -> None:
        batches.append(batch)
        delivering.set()
        go_on.wait(10)

    buffer = DeliveryBuffer(deliver)
    began = time.monotonic()
    buffer.add([1, 2])
    buffer.add([3])
    assert time.monotonic() - began < 0.2
    assert delivering.wait(10)
    for number in range(4, 1004):
        buffer.add([number])
    go_on.set()
    buffer.flush(within=10)
    assert [len(batch) for batch in batches] == [3, 500, 500]
    assert [number for batch in batches for number in batch] == list(range(1, 1004))
    buffer.add([0])
    buffer.flush(within=10)
    assert batches[-1] == [0]


def test_a_full_batch_does_not_wait() -> None:
    delivered = threading.Event()
    buffer = DeliveryBuffer[int](lambda _: delivered.set())
    began = time.monotonic()
    buffer.add(range(500))
    assert delivered.wait(10)
    assert time.monotonic() - began < 0.25


def test_flushing_what_is_empty_does_nothing() -> None:
    DeliveryBuffer[int](lambda _: None).flush(within=1)
