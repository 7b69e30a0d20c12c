"""Each event reaches each colour of its span once, in its session's order, whatever fails and comes again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import event as note
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lambdas.clickstream.stand_ins import Scene, event, opened, record
from vocabulary.colours import COLOURS

T = 1_780_000_000_000
SPAN = 40

FAULTS = [None, None, "ThrottlingException", "InternalFailure", "lost answer"]


@dataclass
class Case:
    """A stream, two cutoffs and what goes wrong. Times are milliseconds after T."""

    received: list[int]
    sessions: list[int]
    cutoffs: list[int]
    faults: list[str | None]
    queue_faults: list[bool]
    poison: set[int]
    batch: int
    again: list[bool] = field(default_factory=list)
    """After which batches the function is called once more, as after a crash before its answer."""


def cases() -> st.SearchStrategy[Case]:
    return st.integers(1, 60).flatmap(
        lambda count: st.builds(
            Case,
            received=st.lists(st.integers(0, SPAN), min_size=count, max_size=count),
            sessions=st.lists(st.integers(0, 3), min_size=count, max_size=count),
            cutoffs=st.lists(st.integers(-1, SPAN + 1), min_size=2, max_size=2),
            # A call is tried 10 times or so: runs of failures outlast it, too
            faults=st.lists(st.sampled_from(FAULTS).flatmap(_run), max_size=8).map(_flat),
            queue_faults=st.lists(st.booleans(), max_size=4),
            poison=st.sets(st.integers(0, count - 1), max_size=4),
            batch=st.integers(1, 100),
            again=st.lists(st.booleans(), max_size=10),
        )
    )


def _run(fault: str | None) -> st.SearchStrategy[list[str | None]]:
    return st.sampled_from([1, 2, 15]).map(lambda times: [fault] * times)


def _flat(runs: Sequence[list[str | None]]) -> list[str | None]:
    return [fault for run in runs for fault in run]


def stream_to_the_end(scene: Scene, records: list[dict[str, Any]], case: Case) -> int:
    """What Lambda does: batches in order, from where the function says it got to. Answers the repeats."""
    position, repeats = 0, 0
    again = iter(case.again)
    for _ in range(1000):
        if position == len(records):
            return repeats
        batch = records[position : position + case.batch]
        if next(again, False):
            scene.forwarder.deliver(batch, seconds=50)
            repeats += 1
        done = scene.forwarder.deliver(batch, seconds=50).failed_from
        position += len(batch) if done is None else done
    raise AssertionError(f"the stream is stuck at {position}")


@settings(max_examples=300, deadline=None)
@given(cases())
def test_each_event_reaches_each_colour_of_its_span_once_and_no_other(case: Case) -> None:
    colours = [opened(colour, T + cutoff) for colour, cutoff in zip(COLOURS, case.cutoffs, strict=True)]
    scene = Scene(
        colours,
        faults=case.faults,
        queue_faults=case.queue_faults,
        poison=[f"i{number}" for number in case.poison],
        patience_seconds=10_000,
    )
    events = [
        # Two users share a session, and a user has several
        event(number, T + received, session_id=f"s{session // 2}", user_id=f"u{session}")
        for number, (received, session) in enumerate(zip(case.received, case.sessions, strict=True))
    ]
    repeats = stream_to_the_end(scene, [record(each, n) for n, each in enumerate(events)], case)
    note(f"repeats: {repeats > 0}")
    note(f"handed back: {len(scene.personalize.calls) > len(events)}")

    queued = Counter(scene.sqs.event_ids)
    for colour in colours:
        due = [each for each in events if each["received_at"] >= colour.cutoff]
        good = [each for each in due if int(each["event_id"][1:]) not in case.poison]
        taken = scene.personalize.trackers[colour.tracking_id]
        assert sorted(taken) == sorted(each["event_id"] for each in good)
        for each in good:
            assert taken[each["event_id"]]["userId"] == each["user_id"]
            assert taken[each["event_id"]]["sessionId"] == each["session_id"]
        for user in {each["user_id"] for each in good}:
            in_order = [each["event_id"] for each in good if each["user_id"] == user]
            assert [key for key, value in taken.items() if value["userId"] == user] == in_order
        for each in due:
            times = queued[(colour.colour, each["event_id"])]
            if each in good:
                assert times == 0
            elif not repeats and not any(case.queue_faults):
                assert times == 1
            else:
                assert times >= 1
    assert sum(queued.values()) == len(scene.sqs.messages)
