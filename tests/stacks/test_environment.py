from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest

from stacks.environment import ENVIRONMENTS, Environment
from vocabulary.drops import Drop
from vocabulary.placements import Placement

ONE = Drop(placement="recommended-for-you", starts="FRI 09:00", hours=2, tps=1)


@pytest.mark.parametrize(
    ("setting", "value", "allowed"),
    [
        ("name", "Dev", "a-z"),
        ("app", "a_shop", "a-z"),
        ("account", "1234", "12 digits"),
        ("region", "eu-north-1", "eu-west-1"),
        ("placements", (), "at least one"),
        ("placements", (Placement(name="row"), Placement(name="row")), "each name once"),
        ("placements", (Placement(name="Row 1"),), "single '-'"),
        ("placements", (Placement(name="row", recipe="aws-hrnn"),), "aws-user-personalization"),
        ("placements", (Placement(name="row", min_provisioned_tps=0),), "at least 1"),
        ("drops", (Drop(placement="row", starts="FRI 09:00", hours=2, tps=9),), "recommended-for-you"),
        ("drops", (ONE,), "more than the placement's min_provisioned_tps"),
        ("nightly_at", (24, 0), "hour of 0-23"),
        ("history_days", 0, "1 to 3650"),
        ("event_types", (), "at least one"),
        ("event_types", ("view", "view, twice"), "without commas"),
        ("event_types", ("colorway:marker",), "not colorway:"),
        ("event_types", tuple(f"type-{n}" for n in range(11)), "10 with 0 properties"),
        ("training_memory_mib", 1024, "1769"),
        ("training_memory_mib", 10_241, "10240"),
        ("training_disk_gib", 11, "1 to 10"),
        ("minimum_interactions", 999, "at least 1000"),
        ("cutoff_lead", cdk.Duration.seconds(20), "more than forwarder_cache"),
        ("longest_model", cdk.Duration.hours(12), "less than longest_training"),
        ("canary", cdk.Duration.seconds(0), "more than 0 s"),
        ("authorization", "none", "api-key, iam"),
        ("requests_per_second", 0, "at least 1"),
        ("burst", 1, "at least requests_per_second"),
        ("time_budget", cdk.Duration.millis(10), "50 ms to 10 s"),
        ("provisioned_concurrency", 0, "1 to 1000"),
        ("allowed_origins", ("shop.example",), "scheme and host"),
        ("allowed_origins", ("https://shop.example/path",), "scheme and host"),
        ("requests_per_address", 9, "10 to"),
        ("experiment_spread", cdk.Duration.hours(25), "0 to 1440"),
        ("placements", (Placement(name="row", filters={"Not": "EXCLUDE x"}),), "a-z"),
        ("placements", (Placement(name="row", filters={"not": "DROP x"}),), "INCLUDE"),
        ("placements", (Placement(name="row", filters={"not-" + "x" * 60: "EXCLUDE x"}),), "63"),
        ("placements", (Placement(name="row", metadata=("C",) * 11),), "at most 10"),
        (
            "placements",
            (
                Placement(name="row", filters={"of-men-not-bought": "EXCLUDE x"}),
                Placement(name="row-of-men", filters={"not-bought": "EXCLUDE y"}),
            ),
            "each once",
        ),
        ("placements", (Placement(name="row", filters={f"n{n}": "EXCLUDE x" for n in range(31)}),), "30"),
    ],
)
def test_a_setting_out_of_bounds_is_refused_with_its_name_and_what_is_allowed(
    setting: str, value: Any, allowed: str
) -> None:
    settings: dict[str, Any] = {"name": "test", setting: value}
    with pytest.raises(ValueError, match=rf"{setting}.*allowed: .*{allowed}"):
        Environment(**settings)


def test_containers_kept_ready_and_a_canary_exclude_each_other() -> None:
    with pytest.raises(ValueError, match=r"provisioned_concurrency is 3, allowed: None, where"):
        Environment(name="test", provisioned_concurrency=3, canary=cdk.Duration.minutes(5))
    with pytest.raises(ValueError, match=r"provisioned_concurrency is 3, allowed: 1 to 2"):
        Environment(name="test", provisioned_concurrency=3, reserved_concurrency=2)


def test_a_refusal_shows_the_value_and_whose_it_is() -> None:
    with pytest.raises(ValueError, match=r"environment 'test': history_days is 0, allowed: 1 to 3650"):
        Environment(name="test", history_days=0)


def test_the_longest_names_leave_room_for_what_a_run_adds() -> None:
    longest = Environment(name="e" * 12, app="a" * 15)
    assert len(longest.names.job("maize", "20261129T031500", "interactions")) == 63
    with pytest.raises(ValueError, match="allowed: 27 letters together with app"):
        Environment(name="e" * 12, app="a" * 16)


def test_every_environment_keeps_its_own_names_in_personalize() -> None:
    prefixes = {environment.names.prefix for environment in ENVIRONMENTS.values()}
    assert len(prefixes) == len(ENVIRONMENTS)


def test_production_keeps_its_data() -> None:
    assert ENVIRONMENTS["prod"].keep_data
