"""Treatment beside control: difference, lift, interval, p-value, and what could have been found at all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from scipy import stats

from experiments.sums import Sums

_Name = TypeVar("_Name", bound=str)

LEVEL: Final = 0.95
POWER: Final = 0.8
MISMATCH: Final = 0.001
"""Below this p-value the shares of users do not fit the allocation, and nothing is concluded."""

ENOUGH: Final = 20
"""Users who did something, and users who did not, that an interval of a share needs: with fewer its
coverage is not what it says."""


@dataclass(frozen=True)
class Comparison:
    """A metric in both variants. Where `says` is not empty, it says why there is no interval.

    :param difference: treatment less control, in the metric's own unit; `low` to `high` is its interval.
    :param lift: the same relative to control, with its interval; None where control is at 0.
    :param p_value: two-sided, that there is no lift: below 0.05 just where the lift's interval leaves out 0.
    :param detectable: the smallest difference that would be found in four of five experiments of this size.
    """

    treatment: float
    control: float
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    lift: float | None = None
    lift_low: float | None = None
    lift_high: float | None = None
    p_value: float | None = None
    detectable: float | None = None
    detectable_lift: float | None = None
    says: str = ""


def compare(treatment: Sums, control: Sums, *, does: str, share: bool = False) -> Comparison:
    """Welch's intervals of two means, or ratios of means, over users; the test is that of the lift.

    One test, of what is shown: where few are beside many, that of the difference often says otherwise, and
    its errors fall to one side.

    :param does: what a user does who counts, in words: "bought".
    :param share: whether each user's `y` is 0 or 1.
    """
    means = Comparison(treatment.mean, control.mean)
    why = _too_little(treatment, control, does=does, share=share)
    if why:
        return Comparison(means.treatment, means.control, says=why)
    of_treatment, of_control = treatment.spread / treatment.users, control.spread / control.users
    error, wide, _ = _welch(of_treatment, of_control, treatment.users, control.users)
    difference = means.treatment - means.control
    detectable = (wide + float(stats.norm.ppf(POWER))) * error
    # Of the logarithm, which is nearer to normal than the ratio and cannot fall below nothing
    ratio = means.treatment / means.control
    of_log, wide_log, freedom = _welch(
        of_treatment / means.treatment**2, of_control / means.control**2, treatment.users, control.users
    )
    return Comparison(
        treatment=means.treatment,
        control=means.control,
        difference=difference,
        low=difference - wide * error,
        high=difference + wide * error,
        lift=ratio - 1,
        lift_low=ratio * math.exp(-wide_log * of_log) - 1,
        lift_high=ratio * math.exp(wide_log * of_log) - 1,
        p_value=2 * float(stats.t.sf(abs(math.log(ratio)) / of_log, freedom)),
        detectable=detectable,
        detectable_lift=detectable / means.control,
    )


def _welch(of_treatment: float, of_control: float, treated: int, controls: int) -> tuple[float, float, float]:
    """A difference's standard error, how many of them its interval reaches either way, and its freedom.

    :param of_treatment: the squared standard error in treatment, of `treated` users; `of_control` likewise.
    """
    variance = of_treatment + of_control
    freedom = variance**2 / (of_treatment**2 / (treated - 1) + of_control**2 / (controls - 1))
    return math.sqrt(variance), float(stats.t.ppf((1 + LEVEL) / 2, freedom)), freedom


def _too_little(treatment: Sums, control: Sums, *, does: str, share: bool) -> str:
    for name, sums in (("treatment", treatment), ("control", control)):
        if sums.users == 0:
            return f"nobody was exposed to {name}"
        if sums.active < ENOUGH:
            return (
                f"{sums.active} of {sums.users:,} users in {name} {does}: {ENOUGH} are needed for an interval"
            )
        if share and sums.users - sums.active < ENOUGH:
            return (
                f"all but {sums.users - sums.active} users in {name} {does}: {ENOUGH} are needed who did not"
            )
        if sums.mean <= 0:
            return f"{name} adds up to {sums.y:,.2f}: a lift needs more than nothing"
    if not treatment.spread and not control.spread:
        return "all users are alike: there is no spread to hold a difference against"
    return ""


def detectable(both: Sums, *, treatment: int, control: int) -> float | None:
    """The difference that could be found with so many users, told without looking at what the difference is.

    :param both: the metric over the users of both variants together.
    """
    if not treatment or not control or not both.spread:
        return None
    return _standard_deviations() * math.sqrt(both.spread * (1 / treatment + 1 / control))


def users_needed(*, spread: float, difference: float, treatment_share: float) -> int:
    """Measured users, of both variants together, with whom `difference` is found in four of five experiments.

    :param spread: the metric's variance between users; p * (1 - p) for a share p of users.
    :param treatment_share: of the measured users.
    """
    a_user = spread * (1 / treatment_share + 1 / (1 - treatment_share))
    return math.ceil(_standard_deviations() ** 2 * a_user / difference**2)


def _standard_deviations() -> float:
    return float(stats.norm.ppf((1 + LEVEL) / 2) + stats.norm.ppf(POWER))


@dataclass(frozen=True)
class SampleRatio:
    """Whether users fell to the variants as the allocation says.

    :param expected: treatment's share of the measured users.
    :param p_value: of an exact binomial test; None where there is nobody to count, or one variant alone.
    """

    treatment: int
    control: int
    expected: float
    p_value: float | None

    @property
    def broken(self) -> bool:
        return self.p_value is not None and self.p_value < MISMATCH

    @property
    def untold(self) -> str:
        """Why there is no p-value, where there is none."""
        return (
            "the allocation measures one variant only" if self.treatment + self.control else "nobody to count"
        )


def sample_ratio(*, treatment: int, control: int, shares: tuple[int, int]) -> SampleRatio:
    """Hold users against the allocation's shares (treatment, control), in basis points."""
    expected = shares[0] / sum(shares) if sum(shares) else 0.0
    users = treatment + control
    if not users:
        return SampleRatio(treatment, control, expected, None)
    if expected in (0.0, 1.0):  # nobody should be there: one who is, is one too many
        stray = control if expected else treatment
        return SampleRatio(treatment, control, expected, 0.0 if stray else None)
    # The exact form of the chi-square test: a canary has few users
    return SampleRatio(
        treatment, control, expected, float(stats.binomtest(treatment, users, expected).pvalue)
    )


def holm(p_values: Mapping[_Name, float]) -> dict[_Name, float]:
    """P-values adjusted for how many there are, by Holm's step-down method."""
    adjusted: dict[_Name, float] = {}
    least = 0.0
    order: Sequence[_Name] = sorted(p_values, key=lambda name: p_values[name])
    for place, name in enumerate(order):
        least = max(least, min(1.0, (len(order) - place) * p_values[name]))
        adjusted[name] = least
    return adjusted
