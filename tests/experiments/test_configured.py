from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any, Final

import pytest

from experiments.configured import NoExperiment, configured
from experiments.plan import Plan
from local_cloud.connection import Connection
from recommendations.experiment import experiment_id
from tests.story.deployment import until

SALT = "0123456789abcdef"
HALF = {"exempt": 4000, "control": 3000, "treatment": 3000}
DELETED: Final = object()


class AppConfig:
    """Hosted versions of one profile, numbered from 1; pages hold one each, the last one first.

    :param deployed: version and state of each deployment, the first one first.
    """

    def __init__(self, *versions: Any, deployed: Sequence[tuple[int, str]]) -> None:
        self._versions = versions
        self._deployed = deployed

    def get_paginator(self, operation: str) -> SimpleNamespace:
        return SimpleNamespace(paginate=getattr(self, operation))

    def list_hosted_configuration_versions(
        self, *, ApplicationId: str, ConfigurationProfileId: str
    ) -> Iterator[dict[str, Any]]:
        assert (ApplicationId, ConfigurationProfileId) == ("app", "profile")
        for number in range(len(self._versions), 0, -1):
            if self._versions[number - 1] is not DELETED:
                yield {"Items": [{"VersionNumber": number}]}

    def list_deployments(self, *, ApplicationId: str, EnvironmentId: str) -> Iterator[dict[str, Any]]:
        assert (ApplicationId, EnvironmentId) == ("app", "environment")
        for number, (version, state) in reversed(list(enumerate(self._deployed, start=1))):
            yield {
                "Items": [{"DeploymentNumber": number, "ConfigurationVersion": str(version), "State": state}]
            }

    def get_hosted_configuration_version(self, *, VersionNumber: int, **_: str) -> dict[str, Any]:
        return {"Content": io.BytesIO(json.dumps(self._versions[VersionNumber - 1]).encode())}


def on(salt: str = SALT, allocation: Any = HALF, **other: Any) -> dict[str, Any]:
    return {"enabled": True, "salt": salt, "allocation": allocation, **other}


def ask(*versions: Any, wanted: str = "", deployed: Sequence[tuple[int, str]] | None = None) -> Any:
    """
    :param deployed: each version, one after the other, unless told.
    """
    every = [(number, "COMPLETE") for number in range(1, len(versions) + 1)]
    appconfig = AppConfig(*versions, deployed=every if deployed is None else deployed)
    return configured(appconfig, "app/environment/profile", wanted)


def test_the_last_experiment_that_was_on_is_the_one_reported_though_it_is_off_by_now() -> None:
    found = ask(on("another salt of others"), on(plan={"days": 7}), {"enabled": False})
    assert found.experiment.salt == SALT
    assert found.plan == Plan(days=7)
    assert "It is off by now" in found.notes[0]


def test_versions_and_deployments_are_read_as_appconfig_hands_them_out(cloud: Connection) -> None:
    appconfig = cloud.client("appconfig")
    application = appconfig.create_application(Name="experiments-configured")["Id"]
    which = {"ApplicationId": application}
    environment = appconfig.create_environment(**which, Name="test")["Id"]
    profile = appconfig.create_configuration_profile(**which, Name="experiment", LocationUri="hosted")["Id"]
    for told in (on(plan={"days": 21}), {"enabled": False}, on("another salt of others")):
        appconfig.create_hosted_configuration_version(
            **which,
            ConfigurationProfileId=profile,
            Content=json.dumps(told).encode(),
            ContentType="application/json",
        )
    at_once = appconfig.create_deployment_strategy(
        Name="at-once", DeploymentDurationInMinutes=0, GrowthFactor=100, FinalBakeTimeInMinutes=0
    )["Id"]
    for version in ("1", "2"):
        appconfig.start_deployment(
            **which,
            EnvironmentId=environment,
            ConfigurationProfileId=profile,
            ConfigurationVersion=version,
            DeploymentStrategyId=at_once,
        )
        until(lambda: _last_state(appconfig, application, environment) == "COMPLETE", "it is deployed")
    found = configured(appconfig, f"{application}/{environment}/{profile}")
    assert (found.experiment.salt, found.plan.days) == (SALT, 21)
    assert found.notes == ["It is off by now: version 2 of the configuration is deployed."]


def _last_state(appconfig: Any, application: str, environment: str) -> str:
    items = appconfig.list_deployments(ApplicationId=application, EnvironmentId=environment)["Items"]
    return str(max(items, key=lambda each: each["DeploymentNumber"])["State"])


def test_a_version_that_was_saved_and_never_deployed_is_no_experiment() -> None:
    found = ask(on(plan={"days": 7}), on("another salt of others"), deployed=[(1, "COMPLETE")])
    assert (found.experiment.salt, found.notes) == (SALT, [])
    with pytest.raises(NoExperiment, match=r"has deployed has .* version 2 was saved and never deployed"):
        ask({"enabled": False}, on(), deployed=[(1, "COMPLETE")])


def test_a_plan_counts_from_when_it_was_deployed() -> None:
    saved = (on(plan={"days": 9}), on(plan={"days": 7}))
    assert ask(*saved, deployed=[(2, "COMPLETE")]).plan.days == 7
    assert ask(*saved, deployed=[(2, "COMPLETE"), (1, "COMPLETE")]).plan.days == 7


def test_one_that_was_taken_back_was_seen_and_is_off() -> None:
    found = ask({"enabled": False}, on(plan={}), deployed=[(1, "COMPLETE"), (2, "ROLLED_BACK")])
    assert found.experiment.salt == SALT
    assert found.notes == ["It is off by now: version 1 of the configuration is deployed."]
    canary = ask(on(plan={}), on(plan={}), deployed=[(1, "COMPLETE"), (2, "ROLLED_BACK")])
    assert canary.notes == []  # what was taken back was its growth
    assert ask(on(plan={}), deployed=[(1, "ROLLED_BACK")]).notes == ["It is off by now: it was taken back."]


def test_nothing_is_known_of_a_version_that_was_deleted() -> None:
    found = ask(on(plan={"days": 7}), DELETED)
    assert found.notes == ["It is off by now: version 2 of the configuration is deployed."]


def test_an_earlier_one_is_found_by_its_id() -> None:
    assert ask(on(), on("another salt of others"), wanted=experiment_id(SALT)[:6]).experiment.salt == SALT


@pytest.mark.parametrize("versions", [[], [{"enabled": False}], [{"enabled": True, "salt": "short"}]])
def test_none_is_said_with_what_to_do(versions: list[Any]) -> None:
    with pytest.raises(NoExperiment, match=r"docs/operations\.md"):
        ask(*versions)


def test_a_plan_that_is_changed_on_the_way_does_not_count() -> None:
    canary = {"exempt": 9800, "control": 100, "treatment": 100}
    stated = {"primary": "conversion", "days": 14, "starts": "2026-11-02"}
    found = ask(on(allocation=canary), on(plan=stated), on(plan={**stated, "days": 5}))
    assert found.plan == Plan("conversion", 14, date(2026, 11, 2))
    assert "changed later, in version 3 (conversion, 5 days" in found.notes[0]
    assert len(found.notes) == 1  # a canary of the same ratio mixes nothing


def test_a_plan_that_counts_days_from_before_it_was_stated_is_told_of() -> None:
    found = ask(on(), on(plan={"days": 5}))
    assert found.plan == Plan(days=5)
    assert "may have seen how it went" in found.notes[0]
    assert ask(on(plan={"days": 5}), on(plan={"days": 5})).notes == []


def test_a_ratio_that_is_changed_on_the_way_is_told() -> None:
    found = ask(on(plan={}), on(allocation={"exempt": 4000, "control": 1000, "treatment": 5000}))
    assert "ratio of treatment to control was changed" in found.notes[0]


def test_without_a_plan_the_default_is_kept_to_and_said() -> None:
    found = ask(on())
    assert found.plan == Plan()
    assert "No plan was stated" in found.notes[0]


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        ({"primary": "likes"}, "plan.primary must be one of conversion"),
        ({"days": 0}, "plan.days must be 1 to 366, got 0"),
        ({"starts": "soon"}, "plan.starts must be a date"),
        ({"starts": 20261102}, "plan.starts must be a date"),
    ],
)
def test_a_plan_that_says_nothing_sensible_is_refused(plan: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ask(on(plan=plan))
