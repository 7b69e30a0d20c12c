from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from experiments.comparing import compare, detectable, holm, sample_ratio, users_needed
from experiments.sums import Sums


def test_a_difference_of_means_is_welch_s() -> None:
    draw = np.random.default_rng(1)
    treatment, control = draw.lognormal(1.1, 1, 400), draw.lognormal(1, 0.5, 900)
    found = compare(Sums.of(treatment), Sums.of(control), does="bought")
    test = stats.ttest_ind(treatment, control, equal_var=False)
    interval = test.confidence_interval(0.95)
    assert [found.low, found.high] == pytest.approx([interval.low, interval.high])
    assert found.lift == pytest.approx(treatment.mean() / control.mean() - 1)


def test_a_lift_is_tested_as_welch_tests_the_logarithms_of_means() -> None:
    draw = np.random.default_rng(1)
    treatment, control = draw.lognormal(1.1, 1, 400), draw.lognormal(1, 0.5, 900)
    found = compare(Sums.of(treatment), Sums.of(control), does="bought")
    (mean, spread), (other, others) = ((each.mean(), each.std(ddof=1)) for each in (treatment, control))
    logarithms = (np.log(mean), spread / mean, 400), (np.log(other), others / other, 900)
    test = stats.ttest_ind_from_stats(*logarithms[0], *logarithms[1], equal_var=False)
    assert found.p_value == pytest.approx(test.pvalue)


def test_an_effect_is_concluded_just_where_the_interval_of_the_lift_leaves_none_out() -> None:
    """A canary beside everybody: a test of the difference would say otherwise in one of ten experiments."""
    draw = np.random.default_rng(4)
    concluded = 0
    for buyers in draw.binomial(1000, 0.065, 300):
        found = compare(_buyers(buyers, 1000), _buyers(4950, 99_000), does="bought", share=True)
        assert found.p_value is not None and found.lift_low is not None and found.lift_high is not None
        assert (found.p_value < 0.05) == (not found.lift_low <= 0 <= found.lift_high)
        concluded += found.p_value < 0.05
    assert 100 < concluded < 250


def _buyers(buyers: int, users: int) -> Sums:
    return Sums.of(np.arange(users) < buyers)


def test_a_ratio_s_spread_is_that_of_the_ratio_over_resampled_users() -> None:
    draw = np.random.default_rng(2)
    exposures = draw.geometric(0.2, 2000)
    clicks = draw.binomial(exposures, draw.beta(1, 4, 2000))
    chosen = draw.integers(0, 2000, (2000, 2000))
    ratios = clicks[chosen].sum(1) / exposures[chosen].sum(1)
    assert math.sqrt(Sums.of(clicks, exposures).spread / 2000) == pytest.approx(ratios.std(), rel=0.05)


def test_what_could_be_found_is_found_in_four_of_five() -> None:
    draw = np.random.default_rng(3)
    needed = users_needed(spread=0.1 * 0.9, difference=0.02, treatment_share=0.25)
    treatment = needed // 4
    p_values = [
        compare(
            Sums.of(draw.random(treatment) < 0.12),
            Sums.of(draw.random(needed - treatment) < 0.10),
            does="bought",
            share=True,
        ).p_value
        for _ in range(500)
    ]
    assert 0.74 < sum(p is not None and p < 0.05 for p in p_values) / 500 < 0.86
    both = Sums.of(np.arange(needed) < needed // 10)
    assert detectable(both, treatment=treatment, control=needed - treatment) == pytest.approx(0.02, rel=0.01)


@pytest.mark.parametrize(
    ("treatment", "control", "says"),
    [
        ([], [1, 0] * 50, "nobody was exposed to treatment"),
        ([1, 0] * 50, [], "nobody was exposed to control"),
        ([0] * 100, [0] * 100, "0 of 100 users in treatment bought"),
        ([1, 0] * 50, [1] + [0] * 99, "1 of 100 users in control bought"),
        ([1] * 100, [1] * 100, "all but 0 users in treatment bought"),
        ([1], [0], "1 of 1 users in treatment bought"),
    ],
)
def test_what_cannot_be_told_is_said_and_no_figure_made_up(
    treatment: list[int], control: list[int], says: str
) -> None:
    found = compare(Sums.of(np.array(treatment)), Sums.of(np.array(control)), does="bought", share=True)
    assert says in found.says
    assert found.p_value is None
    assert found.low is None
    assert found.lift is None


def test_users_who_are_all_alike_have_no_spread_to_hold_a_difference_against() -> None:
    alike = Sums.of(np.full(1000, 0.1))
    assert alike.spread == 0
    assert alike.skew == 0
    assert "alike" in compare(alike, alike, does="bought").says


def test_refunds_that_outweigh_purchases_leave_no_lift() -> None:
    found = compare(Sums.of(np.full(30, 5.0)), Sums.of(np.linspace(-9, 5, 30)), does="bought")
    assert "a lift needs more than nothing" in found.says


def test_users_are_held_against_the_allocation() -> None:
    assert not sample_ratio(treatment=5050, control=4950, shares=(3000, 3000)).broken
    assert sample_ratio(treatment=5300, control=4700, shares=(3000, 3000)).broken
    assert not sample_ratio(treatment=103, control=9900, shares=(100, 9900)).broken
    assert sample_ratio(treatment=1, control=50, shares=(10_000, 0)).broken
    assert sample_ratio(treatment=0, control=0, shares=(3000, 3000)).p_value is None


def test_the_more_metrics_the_less_a_small_p_value_is_worth() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"b": 1.0, "a": 1.0}
    assert holm({}) == {}
