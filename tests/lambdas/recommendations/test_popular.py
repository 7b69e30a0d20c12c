from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from recommendations.popular import PopularLists, read_from
from tests.lambdas.recommendations.fakes import Bucket, Clock, at_once


def lists(bucket: Bucket, clock: Clock) -> PopularLists:
    return PopularLists(read_from(lambda: bucket), ["row", "slot"], now=clock, begin=at_once)


def test_a_list_is_read_again_once_it_is_a_minute_old() -> None:
    bucket, clock = Bucket(row=["a"], slot=["s"]), Clock()
    popular = lists(bucket, clock)
    popular.refresh()
    bucket.put_popular("row", ["b"])
    clock.now += 59
    popular.refresh()
    assert popular.items("row", wait=0) == ["a"]
    clock.now += 1
    popular.refresh()
    assert popular.items("row", wait=0) == ["b"]


def test_the_last_known_list_outlives_s3_and_garbage() -> None:
    bucket, clock = Bucket(row=["a"], slot=["s"]), Clock()
    popular = lists(bucket, clock)
    popular.refresh()
    bucket.away = True
    clock.now += 60
    popular.refresh()
    assert popular.items("row", wait=0) == ["a"]
    bucket.away = False
    bucket.objects["/popular/row.json"] = b"<html>"
    clock.now += 60
    popular.refresh()
    assert popular.items("row", wait=0) == ["a"]


def test_a_list_that_could_not_be_read_is_tried_again_soon() -> None:
    bucket, clock = Bucket(slot=["s"]), Clock()
    popular = lists(bucket, clock)
    popular.refresh()
    bucket.put_popular("row", ["a"])
    clock.now += 5
    popular.refresh()
    assert popular.items("row", wait=0) == ["a"]
    assert popular.items("slot", wait=0) == ["s"]


def test_one_placement_without_a_list_leaves_the_others_theirs() -> None:
    popular = lists(Bucket(slot=["s"]), Clock())
    popular.refresh()
    assert popular.items("row", wait=0) == []
    assert popular.items("slot", wait=0) == ["s"]


def test_a_reading_that_hangs_holds_up_neither_requests_nor_the_next_reading() -> None:
    clock, begun = Clock(), list[Callable[[], None]]()
    popular = PopularLists(read_from(lambda: Bucket(row=["a"])), ["row"], now=clock, begin=begun.append)
    popular.refresh()
    popular.refresh()
    assert len(begun) == 1
    assert popular.items("row", wait=0) == []
    clock.now += 60
    popular.refresh()
    assert len(begun) == 2
    begun[1]()
    assert popular.items("row", wait=0) == ["a"]


def test_the_first_reading_is_waited_for() -> None:
    gate = threading.Event()

    def read(placement: str) -> list[str]:
        gate.wait()
        return ["a"]

    popular = PopularLists(read, ["row"])
    popular.refresh()
    assert popular.items("row", wait=0.01) == []
    gate.set()
    assert popular.items("row", wait=30) == ["a"]


def test_a_sandbox_that_can_start_no_thread_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    popular = PopularLists(read_from(lambda: Bucket(row=["a"])), ["row"])
    monkeypatch.setattr(threading.Thread, "start", refuse)
    popular.refresh()
    assert popular.items("row", wait=0) == []


def test_a_clock_that_was_set_back_does_not_put_off_the_next_reading() -> None:
    bucket, clock = Bucket(row=["a"], slot=["s"]), Clock()
    popular = lists(bucket, clock)
    popular.refresh()
    bucket.put_popular("row", ["b"])
    clock.now -= 3600
    popular.refresh()
    assert popular.items("row", wait=0) == ["b"]
