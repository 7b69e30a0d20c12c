"""Who is where, and that nobody is moved; what a configuration may say."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.experiment import Experiment, Unreadable, experiment_id
from vocabulary.experiment import BUCKETS

SALT = "home page row, autumn"
USERS = 1_000_000

shares = st.tuples(st.integers(0, BUCKETS), st.integers(0, BUCKETS)).filter(lambda two: sum(two) <= BUCKETS)
"""Of control and treatment."""


def buckets(salt: str, users: int) -> list[int]:
    bucket_of = Experiment(salt, 0, 0).bucket_of
    return [bucket_of(f"user-{n}") for n in range(users)]


@pytest.fixture(scope="module")
def million() -> list[int]:
    return buckets(SALT, USERS)


@pytest.mark.parametrize(
    ("control", "treatment"),
    [(100, 100), (3000, 3000), (5000, 5000), (0, 1)],
    ids=["1 % canary", "60 % ramp", "all", "one basis point"],
)
def test_shares_are_what_they_say(control: int, treatment: int, million: list[int]) -> None:
    experiment = Experiment(SALT, control, treatment)
    seen = Counter(experiment.variant_of(bucket) for bucket in million)
    wanted = {"control": control, "treatment": treatment, "exempt": BUCKETS - control - treatment}
    for variant, share in wanted.items():
        chance = share / BUCKETS
        # Five standard deviations of a binomial: one run in two million would be off by more
        off = 5 * math.sqrt(USERS * chance * (1 - chance))
        assert abs(seen[variant] - USERS * chance) <= off  # type: ignore[index]


def test_every_bucket_is_as_likely_as_any_other(million: list[int]) -> None:
    counts = Counter(million)
    expected = USERS / BUCKETS
    chi_squared = sum((counts[bucket] - expected) ** 2 / expected for bucket in range(BUCKETS))
    # Its mean is the number of buckets less one, its variance twice that
    assert abs(chi_squared - (BUCKETS - 1)) <= 5 * math.sqrt(2 * (BUCKETS - 1))


@given(before=shares, more=shares)
def test_growing_the_ramp_moves_nobody_between_control_and_treatment(
    before: tuple[int, int], more: tuple[int, int]
) -> None:
    control, treatment = before
    # As much of what is exempt as there is
    control_now = min(control + more[0], BUCKETS - treatment)
    treatment_now = min(treatment + more[1], BUCKETS - control_now)
    old, new = Experiment(SALT, control, treatment), Experiment(SALT, control_now, treatment_now)
    for bucket in range(0, BUCKETS, 7):
        assert old.variant_of(bucket) in (new.variant_of(bucket), "exempt")


def test_the_canary_is_part_of_the_ramp() -> None:
    canary, ramp = Experiment(SALT, 100, 100), Experiment(SALT, 3000, 3000)
    users = [f"user-{n}" for n in range(20_000)]
    for variant in ("control", "treatment"):
        first = {user for user in users if canary.assign(user).variant == variant}
        assert first
        assert first < {user for user in users if ramp.assign(user).variant == variant}


def test_a_user_stays_where_they_are() -> None:
    one, other = Experiment(SALT, 3000, 3000), Experiment(SALT, 3000, 3000)
    for user in ("ann", "é", "\ud800", "x" * 256):
        assert one.assign(user) == other.assign(user)


def test_another_salt_deals_everybody_anew(million: list[int]) -> None:
    other = buckets("home page row, winter", 20_000)
    treated = [bucket < 3000 for bucket in million[:20_000]]
    treated_again = [bucket < 3000 for bucket in other]
    both = sum(one and two for one, two in zip(treated, treated_again, strict=True))
    # As many as of independent draws
    assert abs(both - 20_000 * 0.09) <= 5 * math.sqrt(20_000 * 0.09 * 0.91)
    assert Experiment(SALT, 0, 1).assign("ann").unit_id != Experiment("other" * 4, 0, 1).assign("ann").unit_id


def test_the_unit_tells_neither_the_user_nor_the_bucket() -> None:
    experiment = Experiment(SALT, 5000, 5000)
    units = {experiment.assign(f"user-{n}").unit_id for n in range(10_000)}
    assert len(units) == 10_000
    assert {len(unit) for unit in units} == {32}
    assert not any("user" in unit for unit in units)


def test_an_experiment_has_an_id_by_its_salt_alone() -> None:
    assert Experiment(SALT, 100, 100).id == Experiment(SALT, 3000, 3000).id == experiment_id(SALT)
    assert Experiment(SALT, 100, 100).assign("ann").experiment == experiment_id(SALT)
    assert experiment_id(SALT) != experiment_id("home page row, winter")
    assert len(experiment_id(SALT)) == 16


def allocation(**shares: Any) -> dict[str, Any]:
    return {"exempt": 4000, "control": 3000, "treatment": 3000, **shares}


def test_a_configuration_is_read() -> None:
    text = json.dumps({"enabled": True, "salt": SALT, "allocation": allocation()})
    assert Experiment.read(text) == Experiment(SALT, 3000, 3000)
    assert Experiment.read('{"enabled": false}') is None


@pytest.mark.parametrize(
    ("configuration", "says"),
    [
        ("{", "not JSON"),
        ([], "enabled"),
        ({}, "enabled"),
        ({"enabled": "yes"}, "enabled"),
        ({"enabled": True}, "salt"),
        ({"enabled": True, "salt": "short", "allocation": allocation()}, "salt"),
        ({"enabled": True, "salt": "\ud800" + SALT, "allocation": allocation()}, "salt"),
        ({"enabled": True, "salt": SALT}, "allocation"),
        ({"enabled": True, "salt": SALT, "allocation": {"control": 10_000}}, "allocation must have"),
        ({"enabled": True, "salt": SALT, "allocation": allocation(control=-1)}, "allocation.control"),
        ({"enabled": True, "salt": SALT, "allocation": allocation(control=True)}, "allocation.control"),
        ({"enabled": True, "salt": SALT, "allocation": allocation(control=3000.0)}, "allocation.control"),
        ({"enabled": True, "salt": SALT, "allocation": allocation(control=3001)}, "add up to 10000"),
    ],
)
def test_a_configuration_that_says_nothing_sensible_is_refused(configuration: Any, says: str) -> None:
    text = configuration if isinstance(configuration, str) else json.dumps(configuration)
    with pytest.raises(Unreadable, match=says):
        Experiment.read(text)
