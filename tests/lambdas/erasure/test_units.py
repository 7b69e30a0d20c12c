"""A user's unit ids: one for every salt that AppConfig still has."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from erasure.units import salts_of, units_of
from recommendations.experiment import Experiment


class AppConfig:
    """Versions of one configuration, a page each."""

    def __init__(self, *contents: object) -> None:
        self.contents = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in contents]

    def get_paginator(self, operation: str) -> AppConfig:
        assert operation == "list_hosted_configuration_versions"
        return self

    def paginate(self, *, ApplicationId: str, ConfigurationProfileId: str) -> Iterator[dict[str, Any]]:
        assert (ApplicationId, ConfigurationProfileId) == ("a", "p")
        for at in range(len(self.contents)):
            yield {"Items": [{"VersionNumber": at}]}

    def get_hosted_configuration_version(
        self, *, ApplicationId: str, ConfigurationProfileId: str, VersionNumber: int
    ) -> dict[str, Any]:
        return {"Content": io.BytesIO(self.contents[VersionNumber])}


def test_each_experiment_there_has_been_counts_once_whatever_its_allocation() -> None:
    shares = {"exempt": 0, "control": 5000, "treatment": 5000}
    appconfig = AppConfig(
        {"enabled": False},
        {"enabled": True, "salt": "the first salt there was", "allocation": shares},
        {"enabled": True, "salt": "the first salt there was", "allocation": {"exempt": 10_000}},
        {"enabled": False, "salt": "another salt, now off"},
        {"enabled": True, "salt": 7},
        {"enabled": True, "salt": "half a character: \ud800"},
        b"no JSON",
        [],
    )
    salts = salts_of(appconfig, "a/e/p")
    assert salts == {"the first salt there was", "another salt, now off"}


def test_a_user_is_as_many_units_as_ids_that_serving_was_asked_for() -> None:
    salts = ("the first salt there was", "another salt, now off")
    units = units_of(salts, {"u1", "s1"})
    assert units == sorted(
        Experiment(salt, 1, 1).assign(who).unit_id for salt in salts for who in ("u1", "s1")
    )
