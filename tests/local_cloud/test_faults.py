from __future__ import annotations

import pytest

from local_cloud.faults import Call, Fault, Faults

CALL = Call(machine="m", state="flip: move", operation="ssm:PutParameter")


def test_a_fault_strikes_the_calls_that_it_matches_at_its_time_only() -> None:
    faults = Faults()
    faults.set([Fault(state="flip: *", operation="ssm:*", when="after")])
    assert faults.take(CALL, "before") is None
    assert faults.take(Call(machine="m", state="flip: move"), "after") is None
    assert faults.take(Call(machine="m", state="plan: begin", operation="ssm:GetParameter"), "after") is None
    assert faults.take(CALL, "after") is not None
    assert faults.struck() == [CALL]


def test_what_passes_lets_the_next_attempt_through_and_what_lasts_does_not() -> None:
    again = Call(machine="m", state=CALL.state, operation=CALL.operation, attempt=2)
    faults = Faults()
    faults.set([Fault(operation="*")])
    assert (faults.take(CALL, "before") is None, faults.take(again, "before") is None) == (False, True)
    faults.set([Fault(operation="*", lasting=True)])
    assert (faults.take(CALL, "before") is None, faults.take(again, "before") is None) == (False, False)


def test_a_fault_is_spent_after_its_times() -> None:
    faults = Faults()
    faults.set([Fault(operation="*", times=2)])
    assert [faults.take(CALL, "before") is not None for _ in range(3)] == [True, True, False]


def test_each_call_is_remembered_once_until_other_faults_are_set() -> None:
    faults = Faults()
    for call in (CALL, Call(machine="m", state="plan: begin"), CALL):
        faults.see(call)
    assert [call.state for call in faults.seen()] == ["flip: move", "plan: begin"]
    faults.set([])
    assert (faults.seen(), faults.struck()) == ([], [])


def test_a_fault_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"how must be one of error, stop, time-out, hold, got 'explode'"):
        Fault.from_json({"how": "explode"})
