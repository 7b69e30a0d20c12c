"""A retraining goes wrong at each of its calls in turn, and hurts nothing.

What can go wrong is read from the deployed definitions, and from the requests that a run is seen to make.
"""

from __future__ import annotations

import pytest

from local_cloud.faults import Fault
from tests.story.crashes import (
    FATAL,
    OF_FIRST_RUN,
    OF_SLOW_TRAINING,
    WAYS,
    Crashes,
    Machine,
    describe,
    only_looks,
    requests_of,
)
from tests.story.deployment import until
from tests.story.proof import Proof

pytestmark = [pytest.mark.story, pytest.mark.prove]

PASSING = {
    "lambda": (
        "Lambda.ServiceException",
        "Lambda.TooManyRequestsException",
        "Lambda.SdkClientException",
    ),
    "personalize": (
        "Personalize.ThrottlingException",
        "Personalize.LimitExceededException",
        "Personalize.ResourceInUseException",
        "Personalize.PersonalizeException",
        "Personalize.SdkClientException",
    ),
}
"""Per service, what a task may meet at its first attempt and not at its next."""


def test_01_while_the_first_training_waits_for_data_no_crash_leaves_anything(
    crashes: Crashes, proof: Proof
) -> None:
    for state in OF_FIRST_RUN:
        for way in WAYS:
            proof.fails(
                f"{state}, {describe(way)}", crashes.fault("retraining", state, **way), first_only=True
            )
    proof.succeeds("the next", first_only=True)
    assert crashes.story.pointer() == "none"
    proof.is_given()


def test_02_what_passes_stops_no_run_though_every_task_meets_it(live: Crashes, proof: Proof) -> None:
    for attempt in range(max(map(len, PASSING.values()))):
        for when in ("before", "after"):
            faults = []
            for state, resource in live.tasks("retraining").items():
                errors = PASSING["lambda" if "lambda" in resource else "personalize"]
                error = errors[attempt % len(errors)]
                faults.append(live.fault("retraining", state, when=when, error=error))
            proof.succeeds(f"{when}, {attempt}", *faults)
    proof.is_given()


def test_03_what_passes_stops_no_run_though_every_request_of_its_functions_meets_it(
    live: Crashes, proof: Proof
) -> None:
    for when in ("before", "after"):
        proof.succeeds(when, live.fault("retraining", operation="?*", when=when))
    proof.is_given()


def test_04_whichever_task_fails_is_stopped_or_times_out_nothing_is_hurt(live: Crashes, proof: Proof) -> None:
    for state in live.tasks("retraining"):
        if state not in (*OF_FIRST_RUN, *OF_SLOW_TRAINING):
            for way in WAYS:
                proof.fails(f"{state}, {describe(way)}", live.fault("retraining", state, **way))
            proof.succeeds(f"{state}, the next")
    proof.is_given()


def test_05_a_model_that_takes_too_long_is_stopped_and_a_crash_in_that_hurts_nothing(
    live: Crashes, proof: Proof
) -> None:
    for state in OF_SLOW_TRAINING:
        for way in WAYS:
            fault = live.fault("retraining", state, **way)
            proof.fails(f"{state}, {describe(way)}", fault, slow_model=True)
    proof.is_given()


def test_06_whichever_request_of_a_function_fails_nothing_is_hurt(live: Crashes, proof: Proof) -> None:
    proof.succeeds("one to see what it asks for")
    for fault in _for_good(live, "retraining"):
        proof.fails(f"{fault.state}, {fault.operation} {fault.nth}, {fault.when}", fault)
    proof.succeeds("the next")
    proof.is_given()


def test_07_where_the_clearing_fails_too_the_next_run_clears(live: Crashes, proof: Proof) -> None:
    in_training = live.fault("retraining", "train: create the campaign", when="after", error=FATAL)
    half_flipped = live.fault(
        "retraining", "flip: move the live alias", operation="lambda:UpdateAlias", lasting=True
    )
    for state in live.tasks("clearing"):
        for way in WAYS:
            what = f"{state}, {describe(way)}"
            proof.fails(what, in_training, live.fault("clearing", state, **way))
        proof.fails(f"{state}, half flipped", half_flipped, live.fault("clearing", state, error=FATAL))
    live.crash(in_training)
    for fault in _for_good(live, "clearing"):
        what = f"{fault.state}, {fault.operation} {fault.nth}, {fault.when}"
        proof.fails(what, in_training, fault)
    proof.is_given()


def _for_good(crashes: Crashes, machine: Machine) -> list[Fault]:
    """Faults at each request that was seen last, which no attempt gets past."""
    return [
        crashes.fault(machine, call.state, operation=call.operation, nth=call.nth, when=when, lasting=True)
        for call in requests_of(call for call in crashes.seen if crashes.is_of(call, machine))
        for when in (("before",) if only_looks(call) else ("before", "after"))
    ]


def test_08_of_two_starts_one_says_who_is_at_work_and_stops(live: Crashes) -> None:
    first, second = live.start(), live.start()
    until(live.nothing_runs, "both have ended", within=120)
    outcomes = {live.output(each)["outcome"]: each for each in (first, second)}
    assert set(outcomes) == {"done", "already-running"}
    assert outcomes["done"] in live.output(outcomes["already-running"])["says"]
    assert live.left_behind() == []


def test_09_a_start_during_a_clearing_says_so_and_stops(live: Crashes) -> None:
    live.faults.set(
        live.fault("retraining", "export: data gate", error=FATAL),
        live.fault("clearing", "clear: tear the colour down", how="hold", times=1),
    )
    failed = live.start()
    until(lambda: len(live.faults.struck()) == 2, "the clearing is at work")
    second = live.start()
    until(lambda: live.has_ended(second), "the second has ended")
    (clearing,) = live.clearings_of(failed)
    assert live.output(second) == {"outcome": "already-running", "says": f"{clearing} is at work"}
    live.faults.set()
    until(live.nothing_runs, "all is cleared")
    assert live.left_behind() == []


def test_10_a_start_that_is_quicker_than_the_clearing_does_its_work(live: Crashes) -> None:
    live.faults.set(
        live.fault("retraining", "train: start", when="after", error=FATAL, times=1),
        live.fault("clearing", "clear: take the lock of the failed run", how="hold", times=1),
    )
    failed = live.start()
    until(lambda: len(live.faults.struck()) == 2, "the clearing waits")
    second = live.start()
    until(lambda: live.has_ended(second), "the second has ended", within=120)
    live.faults.set()
    until(live.nothing_runs, "the clearing has ended")
    (clearing,) = live.clearings_of(failed)
    assert live.output(second)["outcome"] == "done"
    assert live.output(clearing)["outcome"] == "nothing-to-do"
    assert live.left_behind() == []


def test_11_what_a_function_does_after_its_run_was_stopped_and_cleared_away_hurts_nothing(
    live: Crashes, proof: Proof
) -> None:
    proof.succeeds("one to see what it asks for")
    for call in requests_of(call for call in live.seen if live.is_of(call, "retraining")):
        if not only_looks(call):
            proof.comes_late(call)
    proof.succeeds("the next")
    proof.is_given()
