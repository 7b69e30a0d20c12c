"""The experiment is read beside requests; whatever is wrong with it, everyone gets the default."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from recommendations.configuration import Configuration
from recommendations.experiment import experiment_id
from tests.lambdas.recommendations.fakes import (
    AppConfig,
    Bucket,
    Clock,
    Personalize,
    configuration,
    recommends,
)
from tests.lambdas.recommendations.test_recommending import POPULAR, Service, ids, line_of
from vocabulary.experiment import PROBE
from vocabulary.lake import EXPOSURE_COLUMNS

SALT = "s" * 16
EXPOSED = {"exposed_at", "experiment", "unit_id", "variant"}


def running(control: int = 0, treatment: int = 0) -> dict[str, Any]:
    shares = {"exempt": 10_000 - control - treatment, "control": control, "treatment": treatment}
    return {"enabled": True, "salt": SALT, "allocation": shares}


def configuration_of(known: Configuration) -> tuple[object, object]:
    return known.experiment, known.problem


def test_a_newer_configuration_is_seen_after_a_minute_and_what_is_known_is_not_sent_again() -> None:
    appconfig, clock = AppConfig(running(control=10_000)), Clock()
    known = configuration(appconfig, clock)
    assert known.experiment is not None and known.experiment.control == 10_000
    clock.now += 60
    known.refresh()
    assert known.experiment.control == 10_000
    appconfig.deploy(running(treatment=10_000))
    clock.now += 59
    known.refresh()
    assert known.experiment.treatment == 0
    clock.now += 1
    known.refresh()
    assert known.experiment.treatment == 10_000
    assert appconfig.calls == ["POST /configurationsessions", *["GET /configuration"] * 3]


def test_what_was_read_last_outlives_appconfig_and_its_sessions() -> None:
    appconfig, clock = AppConfig(running(control=10_000)), Clock()
    known = configuration(appconfig, clock)
    appconfig.away = True
    clock.now += 60
    known.refresh()
    assert known.experiment is not None
    assert known.problem is None
    appconfig.away = False
    appconfig.forget_sessions()
    appconfig.deploy({"enabled": False})
    clock.now += 5
    known.refresh()
    assert configuration_of(known) == (None, None)


def test_a_poll_that_hangs_holds_up_neither_requests_nor_the_next_poll() -> None:
    clock, begun = Clock(), list[Callable[[], None]]()
    appconfig = AppConfig(running(control=10_000))
    known = Configuration(lambda: appconfig, ("a", "e", "p"), now=clock, begin=begun.append)
    known.refresh()
    known.refresh()
    assert (len(begun), known.experiment) == (1, None)
    clock.now += 60
    known.refresh()
    assert len(begun) == 2
    begun[1]()
    assert known.experiment is not None


@pytest.mark.parametrize(
    "appconfig",
    [AppConfig(b"<html>"), AppConfig({"enabled": True}), AppConfig(running(control=10_001)), AppConfig()],
    ids=["no JSON", "no salt", "shares that do not add up", "nothing deployed"],
)
def test_without_a_sensible_one_everyone_gets_the_default_and_it_is_counted(
    appconfig: AppConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    _, body = Service(Personalize(maize=recommends("a")), appconfig=appconfig).get()
    assert (body["variant"], body["source"], ids(body)) == (None, "personalize", ["a"])
    line = line_of(capsys)
    assert line["ExperimentUnknown"] == 1
    assert line["experiment_problem"]
    assert not EXPOSED & line.keys()


def test_one_that_breaks_while_it_runs_ends_the_experiment_for_everyone() -> None:
    appconfig, personalize = AppConfig(running(control=10_000)), Personalize(maize=recommends("a"))
    service = Service(personalize, appconfig=appconfig)
    assert service.get()[1]["source"] == "control"
    appconfig.deploy(b"{")
    service.clock.now += 60
    service.get()
    assert service.get()[1]["source"] == "personalize"


def test_one_that_is_off_is_no_problem(capsys: pytest.CaptureFixture[str]) -> None:
    _, body = Service(Personalize(maize=recommends("a")), appconfig=AppConfig({"enabled": False})).get()
    assert body["variant"] is None
    assert line_of(capsys)["ExperimentUnknown"] == 0


def test_control_sees_popular_items_and_personalize_is_not_asked(capsys: pytest.CaptureFixture[str]) -> None:
    personalize = Personalize(maize=recommends("a"))
    _, body = Service(personalize, appconfig=AppConfig(running(control=10_000))).get()
    assert (body["variant"], body["source"], body["colour"]) == ("control", "control", None)
    assert ids(body) == POPULAR
    assert personalize.questions == []
    line = line_of(capsys)
    assert (line["Fallbacks"], line["variant"]) == (0, "control")


def test_treatment_sees_recommendations_and_the_exposure_says_so_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    service = Service(Personalize(maize=recommends("a")), appconfig=AppConfig(running(treatment=10_000)))
    _, body = service.get("ann-the-secret")
    assert (body["variant"], body["source"]) == ("treatment", "personalize")
    line = line_of(capsys)
    assert (line["variant"], line["recommendation_id"]) == ("treatment", "RID-1")
    assert {column.name for column in EXPOSURE_COLUMNS} <= line.keys()  # so it is a row of the lake
    assert line["experiment"] == experiment_id(SALT)
    assert (line["placement"], line["answered_by"]) == ("recommended-for-you", "maize")
    assert "ann-the-secret" not in json.dumps(line)
    again = Service(Personalize(), appconfig=AppConfig(running(treatment=10_000)))
    again.get("ann-the-secret")
    assert line_of(capsys)["unit_id"] == line["unit_id"]


def test_who_is_exempt_sees_the_old_experience_and_is_not_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, body = Service(Personalize(maize=recommends("a")), appconfig=AppConfig(running())).get()
    assert (body["variant"], body["source"]) == ("exempt", "control")
    assert not EXPOSED & line_of(capsys).keys()


def test_treatment_falls_back_as_anybody_does() -> None:
    service = Service(
        Personalize(),
        appconfig=AppConfig(running(treatment=10_000)),
        bucket=Bucket(recommended_for_you=["p"]),
    )
    _, body = service.get()
    assert (body["variant"], body["source"], ids(body)) == ("treatment", "popular", ["p"])


def test_a_request_that_names_nobody_is_no_part_of_it() -> None:
    service = Service(Personalize(maize=recommends("a")), appconfig=AppConfig(running(control=10_000)))
    _, body = service.call("GET", "/similar/{item_id}", {"item_id": "i"}, {"placement": "similar-items"})
    assert (body["variant"], body["source"]) == (None, "personalize")


def test_our_own_probe_is_no_part_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    service = Service(Personalize(maize=recommends("a")), appconfig=AppConfig(running(control=10_000)))
    _, body = service.get(PROBE)
    assert (body["variant"], body["source"]) == (None, "personalize")
    assert not EXPOSED & line_of(capsys).keys()
