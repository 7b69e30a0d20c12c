"""The forwarder: every event to every open colour, whatever fails."""

from __future__ import annotations

import base64

import pytest

from tests.lambdas.clickstream.stand_ins import Scene, event, event_of, opened, record

T = 1_780_000_000_000
LIVE = opened("maize", T - 1_000_000)


def test_each_colour_gets_what_was_received_at_or_after_its_cutoff_and_nothing_earlier() -> None:
    scene = Scene([opened("maize", T), opened("blue", T + 10)])
    delivery = scene.deliver(event(0, T - 1), event(1, T), event(2, T + 9), event(3, T + 10))
    assert scene.taken("maize") == ["e1", "e2", "e3"]
    assert scene.taken("blue") == ["e3"]
    assert delivery.failed_from is None
    assert {colour: len(taken) for colour, taken in delivery.forwarded().items()} == {"maize": 3, "blue": 1}


def test_100_records_of_10_users_make_10_calls_for_each_colour() -> None:
    scene = Scene([LIVE, opened("blue", T)])
    events = [event(n, T, session_id=f"s{n % 10}", user_id=f"u{n % 10}") for n in range(100)]
    assert scene.deliver(*events).failed_from is None
    assert len(scene.personalize.calls) == 20
    assert len(scene.taken("maize")) == len(scene.taken("blue")) == 100


def test_nothing_is_to_do_while_no_colour_is_open() -> None:
    scene = Scene()
    delivery = scene.deliver(event(0, T))
    assert (delivery.failed_from, delivery.queued, scene.personalize.calls) == (None, 0, [])


def test_a_marker_is_skipped() -> None:
    scene = Scene([LIVE])
    assert scene.deliver(event(0, T, event_type="colorway:marker", item_id=None)).failed_from is None
    assert scene.personalize.calls == []


@pytest.mark.parametrize("fault", ["ThrottlingException", "InternalFailure", "lost answer", "AccessDenied"])
def test_a_passing_failure_is_tried_again_within_the_call(fault: str) -> None:
    scene = Scene([LIVE], faults=[fault, fault])
    assert scene.deliver(event(0, T)).failed_from is None
    assert scene.taken("maize") == ["e0"]


def test_a_batch_is_handed_back_from_the_first_event_that_was_not_taken() -> None:
    scene = Scene([LIVE], faults=[None, *["ThrottlingException"] * 1000])
    delivery = scene.deliver(*[event(n, T, session_id=f"s{n % 3}") for n in range(6)])
    # The call of session s0 (0 and 3) went through, that of s1 (1 and 4) did not
    assert delivery.failed_from == 1
    assert scene.taken("maize") == ["e0", "e3"]
    assert [each.position for each in delivery.forwarded()["maize"]] == [0]


def test_a_colour_that_does_not_answer_costs_the_other_nothing_but_time() -> None:
    scene = Scene([LIVE, opened("blue", T)], faults=["ThrottlingException"] * 11)
    delivery = scene.deliver(*[event(n, T) for n in range(5)])
    assert delivery.failed_from == 0
    assert scene.taken("maize") == []
    assert scene.taken("blue") == [f"e{n}" for n in range(5)]


def test_stops_in_time_when_every_call_is_slow() -> None:
    scene = Scene([LIVE])
    events = [event(n, T, session_id=f"s{n}") for n in range(100)]
    assert scene.deliver(*events, seconds=1.01).failed_from == 51
    assert scene.deliver(*events[51:], seconds=5.0).failed_from is None
    assert len(scene.taken("maize")) == 100


def test_of_ten_events_the_one_that_is_refused_goes_whole_to_the_failure_queue_and_nine_are_taken() -> None:
    scene = Scene([LIVE], poison=["i6"])
    delivery = scene.deliver(*[event(n, T) for n in range(10)])
    assert (delivery.failed_from, delivery.queued) == (None, 1)
    assert scene.taken("maize") == [f"e{n}" for n in range(10) if n != 6]
    (message,) = scene.sqs.messages
    assert (message["colour"], message["tracking_id"]) == ("maize", "tracker-maize")
    assert message["reason"] == "InvalidInputException: as told"
    assert event_of(message["record"]) == event(6, T)


def test_an_event_that_the_client_library_would_not_send_is_refused_too() -> None:
    import boto3

    scene = Scene([LIVE])
    real = boto3.client("personalize-events", region_name="us-east-1", aws_access_key_id="x",
                        aws_secret_access_key="x")  # fmt: skip
    scene.sender._personalize = real
    delivery = scene.deliver(event(0, T, properties={"user": "secret"}))
    assert (delivery.failed_from, delivery.queued) == (None, 1)
    assert "secret" not in scene.sqs.messages[0]["reason"]


def test_a_record_that_is_no_event_goes_to_the_failure_queue_and_blocks_nothing() -> None:
    scene = Scene([LIVE])
    delivery = scene.deliver(event(0, T), b"garbage", event(2, T))
    assert (delivery.failed_from, delivery.queued) == (None, 1)
    assert scene.taken("maize") == ["e0", "e2"]
    (message,) = scene.sqs.messages
    assert base64.b64decode(message["record"]["kinesis"]["data"]) == b"garbage"
    assert message["colour"] is None


def test_a_record_too_large_for_the_failure_queue_is_cut_rather_than_blocking_the_stream() -> None:
    scene = Scene([LIVE])
    assert scene.deliver(b"x" * 1_000_000).failed_from is None
    assert len(str(scene.sqs.messages)) < 256 * 1024
    assert "only the first" in scene.sqs.messages[0]["reason"]


def test_what_is_handed_back_is_not_queued_until_it_is_done() -> None:
    scene = Scene([LIVE], poison=["i2"], faults=["ThrottlingException"] * 11)
    events = [event(0, T), event(1, T, session_id="s2"), event(2, T, session_id="s3"), b"garbage"]
    delivery = scene.deliver(*events)
    assert (delivery.failed_from, delivery.queued) == (0, 0)
    assert scene.deliver(*events).queued == 2
    assert len(scene.sqs.messages) == 2


def test_a_record_that_cannot_even_be_queued_is_handed_back() -> None:
    scene = Scene([LIVE], queue_faults=[True])
    assert scene.deliver(event(0, T), b"garbage", b"more").failed_from == 1
    assert scene.sqs.messages == []


def test_events_for_a_colour_that_was_retired_are_dropped_without_an_error() -> None:
    blue = opened("blue", T)
    scene = Scene([LIVE, blue])
    scene.deliver(event(0, T))  # it now knows of both
    scene.table.close(blue)
    del scene.personalize.trackers["tracker-blue"]
    delivery = scene.deliver(*[event(n, T, session_id=f"s{n}") for n in range(1, 30)])
    assert (delivery.failed_from, delivery.queued) == (None, 0)
    assert len(scene.taken("maize")) == 30
    assert len([call for call in scene.personalize.calls if call["trackingId"] == "tracker-blue"]) == 2


def test_events_that_an_open_colours_tracker_refuses_are_kept_in_the_failure_queue() -> None:
    scene = Scene([LIVE])
    del scene.personalize.trackers["tracker-maize"]
    delivery = scene.deliver(event(0, T), event(1, T))
    assert (delivery.failed_from, delivery.queued) == (None, 2)
    assert scene.sqs.event_ids == [("maize", "e0"), ("maize", "e1")]


def test_events_that_waited_too_long_are_queued_whole_so_that_the_stream_goes_on() -> None:
    scene = Scene([LIVE], faults=["ThrottlingException"] * 11, patience_seconds=60)
    old, new = event(0, scene.now - 60_001), event(1, scene.now)
    delivery = scene.deliver(old, new)
    assert (delivery.failed_from, delivery.queued) == (1, 1)
    assert scene.sqs.event_ids == [("maize", "e0")]
    assert scene.sqs.messages[0]["reason"] == "PutEvents: ThrottlingException, for too long"


def test_a_batch_is_handed_back_while_the_open_colours_cannot_be_read() -> None:
    scene = Scene([LIVE])
    scene.table.down = True
    assert scene.deliver(event(0, scene.now)).failed_from == 0
    scene.table.down = False
    assert scene.deliver(event(0, scene.now)).failed_from is None
    assert scene.taken("maize") == ["e0"]


def test_a_colour_that_opens_is_known_within_the_cache_time_and_not_looked_up_for_every_batch() -> None:
    scene = Scene([LIVE])
    for _ in range(10):
        scene.deliver(event(0, scene.now))
    assert scene.table.reads == 2  # one for each colour
    blue = opened("blue", scene.now)
    scene.table.items.update(Scene([blue]).table.items)
    scene.personalize.open("tracker-blue")
    scene.clock.now += 20
    scene.deliver(event(1, scene.now))
    assert scene.taken("blue") == ["e1"]


def test_an_event_that_missed_a_colours_bulk_import_is_counted_as_late_and_not_sent() -> None:
    scene = Scene([opened("maize", T), opened("blue", T + 5_000)])
    settled = T + 5_000 + 10_000
    records = [
        record(event(0, T + 4_999), arrived_at=settled),  # as late as the collector may be: not late
        record(event(1, T + 4_999), arrived_at=settled + 1),
        record(event(2, T + 5_000), arrived_at=settled + 1),
    ]
    delivery = scene.forwarder.deliver(records, seconds=50)
    late = {
        colour: [each.event["event_id"] for each in arrivals] for colour, arrivals in delivery.late().items()
    }
    assert late == {"maize": [], "blue": ["e1"]}
    assert scene.taken("blue") == ["e2"]
    assert scene.taken("maize") == ["e0", "e1", "e2"]


def test_records_that_are_no_events_are_counted_apart_from_events_that_are_refused() -> None:
    scene = Scene([LIVE], poison=["i0"])
    delivery = scene.deliver(event(0, T), b"garbage", event(2, T))
    assert (delivery.queued, delivery.malformed) == (2, 1)
