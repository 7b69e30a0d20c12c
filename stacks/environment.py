"""The environments that Colorway is deployed to, and what may differ between them."""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from vocabulary.colours import COLOURS, Names
from vocabulary.placements import RECIPES, Placement

_ROOT: Final = Path(__file__).resolve().parent.parent

PERSONALIZE_REGIONS: Final = (
    "us-east-1", "us-east-2", "us-west-2", "ca-central-1", "eu-west-1", "eu-central-1",
    "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "cn-north-1",
)  # fmt: skip
"""Where Amazon Personalize has endpoints (botocore, endpoints.json)."""

Authorization = Literal["api-key", "iam"]


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Everything that may differ from one deployment to another; all else is the same.

    :param name: short and lower-case; part of every name in Personalize.
    :param app: prefix of every name, for several products in one account.
    :param account: 12 digits, or None for whichever account the credentials are of.
    :param region: one that has Amazon Personalize, or None for whichever the credentials choose.
    :param placements: what asks for recommendations; the first is the one this product began with.
    :param nightly_at: when retraining starts, hour and minute in UTC.
    :param history_days: how many days of events a model is trained on.
    :param event_types: the event types that count as interest, and are trained on.
    :param minimum_interactions: the data gate refuses fewer; Personalize itself refuses under 1000.
    :param cutoff_lead: from opening a colour's tracker to its cutoff; more than `forwarder_cache`, or the
        forwarder would not know the colour in time.
    :param collector_timeout: an event is on the stream this long after it was received, or never; the
        lake is complete up to a cutoff no sooner.
    :param forwarder_cache: how long the forwarder may rely on what it knows of open colours.
    :param poll: how often a state machine looks whether Personalize is done; each look is about nine of the
        25,000 history events that an execution may have.
    :param bake: how long the old colour is kept, under alarms, after the flip.
    :param longest_training: a retraining is stopped after this long.
    :param authorization: how clients prove who they are: `api-key` or `iam`.
    :param requests_per_second: what the API lets through per second and method; `burst` above it.
    :param time_budget: what a recommendation may take before popular items are answered instead.
    :param reserved_concurrency: of the serving function, or None for the account's shared pool.
    :param keep_data: whether `cdk destroy` leaves the buckets.
    :param on_call_email: who is paged, or None.
    :param runtime: of the functions.
    :param architecture: of the functions.
    :param host_wheels: functions run on this machine rather than on Lambda, with its wheels.
    :param bootstrap_roles: deploy through the roles of `cdk bootstrap` rather than the caller's own rights.
    """

    name: str
    app: str = "colorway"
    account: str | None = None
    region: str | None = None
    placements: tuple[Placement, ...] = (Placement(name="recommended-for-you"),)
    nightly_at: tuple[int, int] = (3, 0)
    history_days: int = 90
    event_types: tuple[str, ...] = ("view", "click", "add-to-cart", "purchase")
    minimum_interactions: int = 1000
    cutoff_lead: cdk.Duration = field(default_factory=lambda: cdk.Duration.seconds(90))
    collector_timeout: cdk.Duration = field(default_factory=lambda: cdk.Duration.seconds(10))
    forwarder_cache: cdk.Duration = field(default_factory=lambda: cdk.Duration.seconds(20))
    poll: cdk.Duration = field(default_factory=lambda: cdk.Duration.minutes(1))
    bake: cdk.Duration = field(default_factory=lambda: cdk.Duration.minutes(15))
    longest_training: cdk.Duration = field(default_factory=lambda: cdk.Duration.hours(12))
    authorization: Authorization = "api-key"
    requests_per_second: int = 500
    burst: int = 1000
    time_budget: cdk.Duration = field(default_factory=lambda: cdk.Duration.millis(300))
    reserved_concurrency: int | None = None
    keep_data: bool = True
    on_call_email: str | None = None
    runtime: lambda_.Runtime = lambda_.Runtime.PYTHON_3_13
    architecture: lambda_.Architecture = lambda_.Architecture.ARM_64
    host_wheels: bool = False
    bootstrap_roles: bool = True

    def __post_init__(self) -> None:
        self._require(
            "name", self.name, re.fullmatch(r"[a-z][a-z0-9]{1,11}", self.name), "2 to 12 of a-z and 0-9"
        )
        self._require(
            "app", self.app, re.fullmatch(r"[a-z][a-z0-9]{1,15}", self.app), "2 to 16 of a-z and 0-9"
        )
        self._require(
            "account",
            self.account,
            self.account is None or re.fullmatch(r"\d{12}", self.account),
            "12 digits or None",
        )
        self._require(
            "region",
            self.region,
            self.region in (None, *PERSONALIZE_REGIONS),
            f"None, {', '.join(PERSONALIZE_REGIONS)}",
        )
        self._require("placements", self.placements, self.placements, "at least one placement")
        names = [placement.name for placement in self.placements]
        self._require("placements", names, len(set(names)) == len(names), "each name once")
        self._require(
            "placements", names, len(names) <= 5, "at most 5, the campaigns a dataset group may have"
        )
        for placement in self.placements:
            where = f"placements[{placement.name}]"
            allowed = re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", placement.name)
            self._require(f"{where}.name", placement.name, allowed, "a-z, 0-9 and single '-' between them")
            self._require(
                f"{where}.recipe", placement.recipe, placement.recipe in RECIPES, ", ".join(RECIPES)
            )
            tps = placement.min_provisioned_tps
            self._require(f"{where}.min_provisioned_tps", tps, tps >= 1, "at least 1")
            for colour in COLOURS:
                longest = self.names.prefix + f"-{colour}-{placement.name}"
                self._require(
                    f"{where}.name", placement.name, len(longest) <= 63, f"{longest} of at most 63 characters"
                )
        hour, minute = self.nightly_at
        self._require(
            "nightly_at",
            self.nightly_at,
            0 <= hour <= 23 and 0 <= minute <= 59,
            "an hour of 0-23 and a minute of 0-59",
        )
        self._require("history_days", self.history_days, 1 <= self.history_days <= 3650, "1 to 3650")
        self._require("event_types", self.event_types, self.event_types, "at least one event type")
        self._require(
            "minimum_interactions", self.minimum_interactions, self.minimum_interactions >= 1000,
            "at least 1000, which Personalize demands",
        )  # fmt: skip
        lead, cache = self.cutoff_lead.to_seconds(), self.forwarder_cache.to_seconds()
        self._require("cutoff_lead", f"{lead} s", lead > cache, f"more than forwarder_cache ({cache} s)")
        self._require(
            "authorization", self.authorization, self.authorization in ("api-key", "iam"), "api-key, iam"
        )
        self._require(
            "requests_per_second", self.requests_per_second, self.requests_per_second >= 1, "at least 1"
        )
        self._require(
            "burst", self.burst, self.burst >= self.requests_per_second, "at least requests_per_second"
        )
        budget = self.time_budget.to_milliseconds()
        self._require("time_budget", f"{budget} ms", 50 <= budget <= 10_000, "50 ms to 10 s")

    @property
    def names(self) -> Names:
        """How everything of this deployment is called in Personalize."""
        return Names(self.app, self.name)

    @property
    def wheels(self) -> Path:
        """The folder of wheels for the functions; `make wheels` fills it."""
        return _ROOT / ".wheels" / ("host" if self.host_wheels else "lambda")

    @property
    def synthesizer(self) -> cdk.IReusableStackSynthesizer:
        """Through whose rights stacks are deployed."""
        if self.bootstrap_roles:
            return cdk.DefaultStackSynthesizer()
        return cdk.CliCredentialsStackSynthesizer()

    def _require(self, setting: str, value: object, holds: object, allowed: str) -> None:
        if not holds:
            raise ValueError(f"environment {self.name!r}: {setting} is {value!r}, allowed: {allowed}")


def _host_runtime() -> lambda_.Runtime:
    return lambda_.Runtime(f"python3.{sys.version_info.minor}", lambda_.RuntimeFamily.PYTHON)


def _host_architecture() -> lambda_.Architecture:
    return (
        lambda_.Architecture.ARM_64
        if platform.machine() in ("arm64", "aarch64")
        else lambda_.Architecture.X86_64
    )


SIMILAR_ITEMS: Final = Placement(name="similar-items", recipe="aws-similar-items")
POPULAR: Final = Placement(name="popular", recipe="aws-popularity-count")

LOCAL: Final = Environment(
    name="local",
    account="000000000000",
    region="us-east-1",
    cutoff_lead=cdk.Duration.seconds(3),
    collector_timeout=cdk.Duration.seconds(7),
    poll=cdk.Duration.seconds(30),
    forwarder_cache=cdk.Duration.seconds(1),
    bake=cdk.Duration.minutes(2),  # of the local cloud's scaled time
    time_budget=cdk.Duration.seconds(2),  # two cores carry the cloud, the functions and the caller
    keep_data=False,
    runtime=_host_runtime(),
    architecture=_host_architecture(),
    host_wheels=True,
    bootstrap_roles=False,
)

DEV: Final = Environment(
    name="dev",
    region="us-east-1",
    placements=(Placement(name="recommended-for-you"), SIMILAR_ITEMS, POPULAR),
    keep_data=False,
)

PROD: Final = Environment(
    name="prod",
    region="us-east-1",
    placements=(Placement(name="recommended-for-you", min_provisioned_tps=2),),
    requests_per_second=500,  # what a campaign takes before its quota is raised
    burst=1000,
    reserved_concurrency=100,
    authorization="iam",
)

ENVIRONMENTS: Final = {environment.name: environment for environment in (LOCAL, DEV, PROD)}
