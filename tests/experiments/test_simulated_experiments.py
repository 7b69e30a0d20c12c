"""Many simulated experiments of known effect: intervals cover as often as they say, and not less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.random import Generator
from scipy import stats

from experiments.comparing import compare
from experiments.plan import Plan, Window
from experiments.reading import Found
from experiments.report import report
from experiments.sums import Sums
from vocabulary.experiment import METRICS

Draw = Callable[[Generator, int, bool], Sums]


@dataclass(frozen=True)
class Shop:
    """Users of one variant, and what they are by truth.

    :param draw: generator, number of users, whether they are treated.
    :param control: the metric's true value in control; `treatment` likewise.
    """

    draw: Draw
    control: float
    treatment: float
    share: bool = False


def _conversion(rate: float, treated_rate: float) -> Shop:
    def draw(random: Generator, users: int, treated: bool) -> Sums:
        return Sums.of(random.random(users) < (treated_rate if treated else rate))

    return Shop(draw, rate, treated_rate, share=True)


def _clicks(rate: float, treated_rate: float) -> Shop:
    """Each user has a rate of their own, and is exposed once or fifty times: exposures are no units."""

    def draw(random: Generator, users: int, treated: bool) -> Sums:
        mean = treated_rate if treated else rate
        exposures = random.geometric(0.15, users)
        clicks = random.binomial(exposures, random.beta(3 * mean, 3 * (1 - mean), users))
        return Sums.of(clicks, exposures)

    return Shop(draw, rate, treated_rate)


def _revenue(rate: float, treated_rate: float) -> Shop:
    """Most spend nothing, some much: log-normal baskets."""
    basket = float(np.exp(3 + 0.7**2 / 2))

    def draw(random: Generator, users: int, treated: bool) -> Sums:
        buys = random.random(users) < (treated_rate if treated else rate)
        return Sums.of(np.where(buys, random.lognormal(3, 0.7, users), 0))

    return Shop(draw, rate * basket, treated_rate * basket)


SHOPS = {
    "conversion, half and half": (_conversion(0.05, 0.06), 2000, 2000),
    "conversion, 60 to 40": (_conversion(0.05, 0.06), 2400, 1600),
    "conversion, a 1 % canary": (_conversion(0.05, 0.06), 1000, 99_000),
    "clicks per exposure, half and half": (_clicks(0.10, 0.11), 1500, 1500),
    "clicks per exposure, 60 to 40": (_clicks(0.10, 0.11), 1800, 1200),
    "clicks per exposure, a canary": (_clicks(0.10, 0.11), 500, 9500),
    "revenue per user, half and half": (_revenue(0.10, 0.12), 2500, 2500),
    "revenue per user, 60 to 40": (_revenue(0.10, 0.12), 3000, 2000),
}
"""Shop, users in treatment and in control."""

OFF: float = 0.005
"""How far coverage may be from nominal in truth: intervals from normal approximations are near, not exact."""


@pytest.mark.parametrize("name", SHOPS)
def test_intervals_cover_the_truth_as_often_as_they_say(name: str) -> None:
    _covers(name, experiments=300)


@pytest.mark.prove
@pytest.mark.parametrize("name", SHOPS)
def test_over_thousands_of_experiments_intervals_cover_the_truth_as_often_as_they_say(name: str) -> None:
    _covers(name, experiments=5000)


@pytest.mark.parametrize("name", SHOPS)
def test_where_there_is_no_effect_one_is_found_as_seldom_as_the_level_says(name: str) -> None:
    _finds_nothing(name, experiments=300)


@pytest.mark.prove
@pytest.mark.parametrize("name", SHOPS)
def test_over_thousands_of_experiments_none_is_found_oftener_than_the_level_says(name: str) -> None:
    _finds_nothing(name, experiments=5000)


def test_to_count_exposures_as_if_each_were_somebody_else_would_find_effects_that_are_not_there() -> None:
    """That the tests above can fail: the same traffic, and the interval that ignores who clicked."""
    shop, users, _ = SHOPS["clicks per exposure, half and half"]
    random, wrong = np.random.default_rng(7), 0
    for _ in range(300):
        one, other = shop.draw(random, users, False), shop.draw(random, users, False)
        pooled = (one.y + other.y) / (one.d + other.d)
        error = (pooled * (1 - pooled) * (1 / one.d + 1 / other.d)) ** 0.5
        wrong += abs(one.mean - other.mean) > 1.96 * error
    assert wrong / 300 > 0.10


def test_whoever_looks_every_day_and_stops_at_the_first_effect_is_not_misled() -> None:
    _peeks(experiments=400)


@pytest.mark.prove
def test_over_thousands_of_experiments_looking_every_day_misleads_nobody() -> None:
    _peeks(experiments=3000)


def _covers(name: str, *, experiments: int) -> None:
    shop, treated, controls = SHOPS[name]
    random = np.random.default_rng(11)
    difference, lift = shop.treatment - shop.control, shop.treatment / shop.control - 1
    of_difference = of_lift = 0
    for _ in range(experiments):
        found = compare(
            shop.draw(random, treated, True), shop.draw(random, controls, False), does="did", share=shop.share
        )
        assert found.low is not None and found.high is not None, found.says
        assert found.lift_low is not None and found.lift_high is not None
        of_difference += found.low <= difference <= found.high
        of_lift += found.lift_low <= lift <= found.lift_high
    assert _near(of_difference, experiments, 0.95), of_difference / experiments
    assert _near(of_lift, experiments, 0.95), of_lift / experiments


def _finds_nothing(name: str, *, experiments: int) -> None:
    shop, treated, controls = SHOPS[name]
    random = np.random.default_rng(13)
    found = 0
    for _ in range(experiments):
        compared = compare(
            shop.draw(random, treated, False),
            shop.draw(random, controls, False),
            does="did",
            share=shop.share,
        )
        assert compared.p_value is not None, compared.says
        found += compared.p_value < 0.05
    assert _near(found, experiments, 0.05), found / experiments


def _peeks(*, experiments: int) -> None:
    """A naive reader, who tests every day, and one of the report, who may stop when it shows an effect."""
    random, days, a_day = np.random.default_rng(17), 14, 200
    window = Window(date(2026, 11, 2), days)
    naive = read = 0
    for _ in range(experiments):
        bought = {name: random.random(days * a_day) < 0.1 for name in ("treatment", "control")}
        found_naively = found = False
        for day in range(1, days + 1):
            totals = {name: Sums.of(each[: day * a_day]) for name, each in bought.items()}
            p_value = compare(totals["treatment"], totals["control"], does="bought", share=True).p_value
            found_naively |= p_value is not None and p_value < 0.05
            found |= _concludes(totals, window, day)
        naive += found_naively
        read += found
    assert naive / experiments > 0.15
    assert _near(read, experiments, 0.05), read / experiments


def _concludes(totals: dict[str, Sums], window: Window, day: int) -> bool:
    everything: Any = {name: dict.fromkeys(METRICS, sums) for name, sums in totals.items()}
    shown = report(
        Found(totals=everything, by_day={day - 1: everything}),
        experiment="e",
        shares=(3000, 3000),
        plan=Plan(days=window.days),
        window=window,
        now=datetime(2026, 11, 2, 1, tzinfo=UTC) + timedelta(days=day),
    )
    return any(each.primary and each.adjusted is not None and each.adjusted < 0.05 for each in shown.results)


def _near(count: int, of: int, share: float) -> bool:
    """Whether a share is what it should be, give or take `OFF` and what chance does once in ten thousand."""
    low = stats.binom.ppf(0.00005, of, share - OFF)
    high = stats.binom.ppf(0.99995, of, share + OFF)
    return bool(low <= count <= high)
