from __future__ import annotations

from datetime import timedelta

import pytest

from inspector.deployment import Run
from inspector.timeline import phases, spans
from tests.inspector.deployments import NOW, a_night


def test_a_colour_is_built_live_and_torn_down_in_turn() -> None:
    first, first_states = a_night(1, "maize", hours=10)
    second, second_states = a_night(2, "blue", hours=5)
    running = Run("r", "RUNNING", NOW - timedelta(hours=1), None, "")
    failed = Run("f", "FAILED", NOW - timedelta(hours=2), NOW, "HeartbeatFailed")
    found, since = spans(
        [running, failed, second, first], {"run-1": first_states, "run-2": second_states}, now=NOW
    )
    assert since == first.started
    assert [(span.colour, span.doing) for span in found] == [
        ("maize", "built"),  # by the run in progress
        ("maize", "built"),
        ("maize", "live"),
        ("blue", "built"),
        ("blue", "live"),
        ("maize", "torn down"),
    ]
    live = [span for span in found if span.doing == "live"]
    assert live[0].start + live[0].width == pytest.approx(live[1].start)  # one is live at any moment
    assert live[1].start + live[1].width == pytest.approx(1)


def test_a_run_that_bakes_has_made_its_colour_live_and_the_old_one_is_still_there() -> None:
    first, first_states = a_night(1, "maize", hours=10)
    running = Run("r", "RUNNING", NOW - timedelta(hours=1), None, "")
    states = [("flip: move", NOW - timedelta(minutes=9)), ("bake: alarms quiet?", NOW - timedelta(minutes=8))]
    found, _ = spans([running, first], {"run-1": first_states, "r": states}, now=NOW)
    assert [(span.colour, span.doing) for span in found][-2:] == [("blue", "built"), ("blue", "live")]
    assert "torn down" not in [span.doing for span in found]


def test_before_the_first_colour_there_is_no_timeline() -> None:
    assert spans([Run("r", "RUNNING", NOW, None, "")], {}, now=NOW) == ([], None)


def test_phases_take_from_their_first_state_to_the_next_phases() -> None:
    states = [
        ("plan: begin", NOW),
        ("open: create", NOW + timedelta(seconds=2)),
        ("open: active?", NOW + timedelta(seconds=3)),
    ]
    found = {
        phase.name: (phase.stands, phase.seconds) for phase in phases(states, NOW + timedelta(seconds=7))
    }
    assert found["plan"] == ("done", 2)
    assert found["open"] == ("now", 5)
    assert found["export"] == ("to come", 0)


def test_a_run_that_has_failed_shows_that_it_clears_up() -> None:
    states = [("plan: begin", NOW), ("clear: the dormant colour", NOW)]
    assert [phase.name for phase in phases(states, NOW)] == ["clear"]
