from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest

from stacks.environment import ENVIRONMENTS, Environment
from vocabulary.placements import Placement


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
        ("nightly_at", (24, 0), "hour of 0-23"),
        ("history_days", 0, "1 to 3650"),
        ("event_types", (), "at least one"),
        ("minimum_interactions", 999, "at least 1000"),
        ("cutoff_lead", cdk.Duration.seconds(20), "more than forwarder_cache"),
        ("authorization", "none", "api-key, iam"),
        ("requests_per_second", 0, "at least 1"),
        ("burst", 1, "at least requests_per_second"),
        ("time_budget", cdk.Duration.millis(10), "50 ms to 10 s"),
    ],
)
def test_a_setting_out_of_bounds_is_refused_with_its_name_and_what_is_allowed(
    setting: str, value: Any, allowed: str
) -> None:
    settings: dict[str, Any] = {"name": "test", setting: value}
    with pytest.raises(ValueError, match=rf"{setting}.*allowed: .*{allowed}"):
        Environment(**settings)


def test_a_refusal_shows_the_value_and_whose_it_is() -> None:
    with pytest.raises(ValueError, match=r"environment 'test': history_days is 0, allowed: 1 to 3650"):
        Environment(name="test", history_days=0)


def test_every_environment_keeps_its_own_names_in_personalize() -> None:
    prefixes = {environment.names.prefix for environment in ENVIRONMENTS.values()}
    assert len(prefixes) == len(ENVIRONMENTS)


def test_production_keeps_its_data() -> None:
    assert ENVIRONMENTS["prod"].keep_data
