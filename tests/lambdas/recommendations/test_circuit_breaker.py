from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from recommendations.circuit_breaker import CircuitBreaker
from recommendations.service import ServiceError
from tests.lambdas.recommendations.fakes import Clock, Personalize, fails, recommends
from tests.lambdas.recommendations.test_recommending import POPULAR, Service, ids


def broken(clock: Clock) -> CircuitBreaker:
    breaker = CircuitBreaker(now=clock)
    for _ in range(5):
        breaker.failed()
    return breaker


def test_half_of_the_last_ten_calls_failing_opens_it() -> None:
    breaker = CircuitBreaker(now=Clock())
    for _ in range(4):
        breaker.failed()
        breaker.succeeded()
    assert not breaker.is_open
    breaker.failed()
    assert breaker.is_open


def test_failures_that_are_long_past_do_not_count() -> None:
    breaker = CircuitBreaker(now=Clock())
    for _ in range(4):
        breaker.failed()
    for _ in range(10):
        breaker.succeeded()
    for _ in range(4):
        breaker.failed()
    assert not breaker.is_open


def test_it_probes_after_pauses_that_double_up_to_half_a_minute() -> None:
    clock = Clock()
    breaker = broken(clock)
    pauses = []
    for _ in range(8):
        began = clock.now
        while breaker.is_open:
            clock.now += 0.25
        pauses.append(clock.now - began)
        breaker.failed()
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_one_good_probe_closes_it_and_forgets_what_was() -> None:
    clock = Clock()
    breaker = broken(clock)
    clock.now += 1
    breaker.succeeded()
    for _ in range(4):
        breaker.failed()
    assert not breaker.is_open


def test_a_clock_that_was_set_back_does_not_keep_it_open() -> None:
    clock = Clock()
    breaker = broken(clock)
    clock.now -= 3600
    assert not breaker.is_open


def test_a_campaign_that_was_not_asked_was_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    service = Service(Personalize(maize=fails("InternalServerError"), takes=0.1))
    for _ in range(8):
        service.get()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("PersonalizeLatency") for line in lines] == [pytest.approx(100)] * 5 + [None] * 3


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError"])
def test_a_campaign_that_fails_is_left_alone_and_found_again(code: str) -> None:
    personalize = Personalize(maize=fails(code))
    service = Service(personalize)
    answered = [service.get()[1] for _ in range(50)]
    assert len(personalize.questions) == 5
    assert [ids(body) for body in answered] == [POPULAR] * 50
    personalize.colours["maize"] = recommends("a")
    service.clock.now += 1
    assert service.get()[1]["source"] == "personalize"
    assert service.get()[1]["source"] == "personalize"


def test_what_is_answered_while_it_is_open_counts_as_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    service = Service(Personalize(maize=fails("ThrottlingException")))
    for _ in range(6):
        service.get()
    last = capsys.readouterr().out.splitlines()[-1]
    assert '"failures":["CircuitOpen"]' in last
    assert '"Fallbacks":1,"PersonalizeErrors":1' in last


def test_placements_have_one_each() -> None:
    def only_similar(question: dict[str, str]) -> object:
        name = "similar-items" if question["campaignArn"].endswith("similar-items") else ""
        return (recommends("a") if name else fails("InternalServerError"))(question)

    service = Service(Personalize(maize=only_similar))
    for _ in range(6):
        service.get()
    _, body = service.get(placement="similar-items", item_id="i")
    assert body["source"] == "personalize"


def test_a_colour_found_missing_again_and_again_is_passed_over_for_the_other() -> None:
    personalize = Personalize(blue=recommends("x"))
    service = Service(personalize)
    for _ in range(20):
        assert service.get()[1]["colour"] == "blue"
    assert len(personalize.questions) == 5 * 2 + 15
    personalize.colours["maize"] = recommends("a")
    service.clock.now += 1
    assert service.get()[1]["colour"] == "maize"


def test_one_clients_nonsense_does_not_cut_everybody_off() -> None:
    def refuses_bob(question: dict[str, str]) -> object:
        return (fails("InvalidInputException") if question["userId"] == "bob" else recommends("a"))(question)

    service = Service(Personalize(maize=refuses_bob))
    for _ in range(20):
        assert service.get("bob")[1]["source"] == "popular"
    assert service.get("ann")[1]["source"] == "personalize"


def test_every_pattern_of_outcomes_leaves_it_able_to_close() -> None:
    for outcomes in itertools.product((True, False), repeat=7):
        clock = Clock()
        breaker = CircuitBreaker(now=clock)
        for well in outcomes:
            (breaker.succeeded if well else breaker.failed)()
        clock.now += 30
        assert not breaker.is_open
        breaker.succeeded()
        assert not breaker.is_open


def test_a_filter_that_the_live_colour_has_not_got_yet_takes_nobody_elses_recommendations() -> None:
    def has_no_filters(question: dict[str, Any]) -> Any:
        if "filterArn" in question:  # a deploy has brought it, and the next retraining is to make it
            told = f"Resource Arn {question['filterArn']} does not exist."
            raise ServiceError("ResourceNotFoundException", 404, told)
        return recommends("a")(question)

    service = Service(Personalize(maize=has_no_filters))
    for _ in range(10):
        _, body = service.get(filter="not-bought")
        assert body["source"] == "popular"
        _, body = service.get()
        assert (body["source"], body["colour"]) == ("personalize", "maize")


def test_a_filter_is_looked_for_in_the_other_colour_as_the_campaign_is() -> None:
    service = Service(Personalize(maize=lacks_everything, blue=recommends("b")))
    for _ in range(10):
        _, body = service.get(filter="not-bought")
        assert (body["source"], body["colour"]) == ("personalize", "blue")


def lacks_everything(question: dict[str, Any]) -> Any:
    """As a colour that was torn down, to whoever looks for the filter first."""
    arn = question.get("filterArn", question["campaignArn"])
    raise ServiceError("ResourceNotFoundException", 404, f"Resource Arn {arn} does not exist.")
