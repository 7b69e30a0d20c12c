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
from vocabulary.drops import Drop
from vocabulary.gates import DataGate, HeartbeatGate, MetricsGate
from vocabulary.lake import RESERVED_EVENT_TYPE_PREFIX
from vocabulary.placements import RECIPES, Placement
from vocabulary.schemas import ExtraColumns
from vocabulary.training_rules import TrainingRules

_ROOT: Final = Path(__file__).resolve().parent.parent

PERSONALIZE_REGIONS: Final = (
    "us-east-1", "us-east-2", "us-west-2", "ca-central-1", "eu-west-1", "eu-central-1",
    "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "cn-north-1",
)  # fmt: skip
"""Where Amazon Personalize has endpoints (botocore, endpoints.json)."""

Authorization = Literal["api-key", "iam"]
TrainingEngine = Literal["duckdb", "glue"]


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Everything that may differ from one deployment to another; all else is the same.

    :param name: short and lower-case; part of every name in Personalize.
    :param app: prefix of every name, for several products in one account.
    :param account: 12 digits, or None for whichever account the credentials are of.
    :param region: one that has Amazon Personalize, or None for whichever the credentials choose.
    :param placements: what asks for recommendations; the first is the one this product began with.
    :param drops: what campaigns provide, and are paid for, during known rushes (vocabulary/drops.py); an
        entry has to stand until its raise is over.
    :param nightly_at: when retraining starts, hour and minute in UTC.
    :param history_days: how many days of events a model is trained on.
    :param event_types: the event types that count as interest, and are trained on.
    :param minimum_interactions: the data gate refuses fewer; Personalize itself refuses under 1000.
    :param training_rules: which events are left out of training data, and which are too many; each with its
        reason (vocabulary/training_rules.py).
    :param extra_columns: what interactions have beyond the five columns: impressions, and declared properties
        of events (vocabulary/schemas.py).
    :param training_engine: what makes the training data: `duckdb` in a function, or `glue` (Spark) where a
        window of events outgrows that; `glue_workers` of type G.1X, each 4 CPUs and 16 GB.
    :param training_memory_mib: of that function; the default is the most that Lambda gives a new account. A
        window's Parquet of up to 0.29 of it is worked on in memory, more on disk, a third slower.
    :param training_disk_gib: of that function: 1.75 times the window's Parquet.
    :param data_gate: what else training data are held against; every limit says why (vocabulary/gates.py).
    :param metrics_gate: how far offline metrics may fall behind the live model's; floors are the placement's.
    :param heartbeat_gate: what a new colour must answer before it gets traffic.
    :param cutoff_lead: from opening a colour's tracker to its cutoff; more than `forwarder_cache`, or the
        forwarder would not know the colour in time. On AWS by a minute: so long may writing it down take.
    :param collector_timeout: an event is on the stream this long after it was received, or never; the
        lake is complete up to a cutoff no sooner.
    :param forwarder_cache: how long the forwarder may rely on what it knows of open colours.
    :param poll: how long a state machine waits before it looks again whether something is done, or None for
        as long as suits what it waits for (constructs/colorway/polling.py).
    :param canary: how long the new colour takes a tenth of the traffic before it takes all, or None for at
        once. Meanwhile a customer may see the lists of both in turn.
    :param bake: how long the old colour is kept, under alarms, after the flip.
    :param longest_model: a model that trains for longer is stopped, and the retraining fails. User-
        Personalization takes 20 to 50 minutes for little data, 6 hours for 25 million interactions.
    :param longest_training: a retraining is stopped after this long, whatever it does.
    :param authorization: how clients prove who they are: `api-key` or `iam`.
    :param requests_per_second: what the API lets through per second and method; `burst` above it.
    :param time_budget: what a recommendation may take before popular items are answered instead.
    :param reserved_concurrency: of the serving function, or None for the account's shared pool.
    :param provisioned_concurrency: sandboxes of the serving function that are kept ready (and paid for),
        or None. Lambda refuses it on an alias that shares its traffic, as a canary's does.
    :param allowed_origins: of web pages that may call both APIs from a browser: `https://…`, or `*`.
    :param requests_per_address: from one address in five minutes; a firewall (AWS WAF) in front of the
        recommendations blocks more, and known attacks. None for no firewall.
    :param experiment_spread: how long a changed experiment takes to reach every sandbox; it is watched for as
        long again, and taken back when an alarm rings.
    :param stream_shards: of the clickstream, each for 1,000 events a second, or None for as many as the load
        needs; docs/scaling-events.md says when which is better.
    :param forwarders_per_shard: how many batches of a shard are on their way to Personalize at a time.
    :param keep_events_days: how long the lake keeps events and exposures after they were written, or None
        for ever; what customers are promised about their data. At least a week more than `history_days`.
    :param keep_aside_days: how long the lake keeps records that could not be converted, and files that could
        not be read, for somebody to mend. An erasure cannot look into them: a user who was erased is in there
        as long, and `recover_days` more. Two weeks twice are the month in which the GDPR wants it done
        (Article 12(3)).
    :param recover_days: for how long what was overwritten or deleted in the lake can be brought back
        (`make restore`), or None for not at all. A user who was erased is in there as long.
    :param keep_data: whether `cdk destroy` leaves the buckets.
    :param on_call_email: who is paged, or None.
    :param on_call_endpoint: of a paging service, `https://…`, that is paged, or None. It stands in the
        template: take one whose key may only open incidents, as paging services give out for this.
    :param notices_email: who reads notices, which can wait for the next working day, or None.
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
    drops: tuple[Drop, ...] = ()
    nightly_at: tuple[int, int] = (3, 0)
    history_days: int = 90
    event_types: tuple[str, ...] = ("view", "click", "add-to-cart", "purchase")
    minimum_interactions: int = 1000
    training_rules: TrainingRules = field(default_factory=TrainingRules)
    extra_columns: ExtraColumns = field(default_factory=ExtraColumns)
    training_engine: TrainingEngine = "duckdb"
    glue_workers: int = 4
    training_memory_mib: int = 3008
    training_disk_gib: int = 4
    data_gate: DataGate = field(default_factory=DataGate)
    metrics_gate: MetricsGate = field(default_factory=MetricsGate)
    heartbeat_gate: HeartbeatGate = field(default_factory=HeartbeatGate)
    cutoff_lead: cdk.Duration = field(default_factory=lambda: cdk.Duration.seconds(90))
    collector_timeout: cdk.Duration = field(default_factory=lambda: cdk.Duration.seconds(10))
    forwarder_cache: cdk.Duration = field(default_factory=lambda: cdk.Duration.seconds(20))
    poll: cdk.Duration | None = None
    canary: cdk.Duration | None = None
    bake: cdk.Duration = field(default_factory=lambda: cdk.Duration.minutes(15))
    longest_model: cdk.Duration = field(default_factory=lambda: cdk.Duration.hours(8))
    longest_training: cdk.Duration = field(default_factory=lambda: cdk.Duration.hours(12))
    authorization: Authorization = "api-key"
    requests_per_second: int = 500
    burst: int = 1000
    time_budget: cdk.Duration = field(default_factory=lambda: cdk.Duration.millis(300))
    reserved_concurrency: int | None = None
    provisioned_concurrency: int | None = None
    allowed_origins: tuple[str, ...] = ()
    requests_per_address: int | None = None
    experiment_spread: cdk.Duration = field(default_factory=lambda: cdk.Duration.minutes(10))
    stream_shards: int | None = None
    forwarders_per_shard: int = 1
    keep_events_days: int | None = None
    keep_aside_days: int = 14
    recover_days: int | None = None
    keep_data: bool = True
    on_call_email: str | None = None
    on_call_endpoint: str | None = None
    notices_email: str | None = None
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
        # A run's import jobs carry both, the colour, the run's id and a kind, in the 63 of Personalize
        prefix = f"{self.app}-{self.name}"
        self._require("name", prefix, len(prefix) <= 28, "27 letters together with app")
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
            self._require_of_filters(placement)
            for colour in COLOURS:
                longest = self.names.prefix + f"-{colour}-{placement.name}"
                self._require(
                    f"{where}.name", placement.name, len(longest) <= 63, f"{longest} of at most 63 characters"
                )
        floors = {each.name: each.min_provisioned_tps for each in self.placements}
        for drop in self.drops:
            self._require("drops", drop.placement, drop.placement in floors, ", ".join(floors))
            least = floors[drop.placement]
            self._require(
                f"drops[{drop.placement} {drop.starts}].tps",
                drop.tps,
                drop.tps > least,
                f"more than the placement's min_provisioned_tps ({least})",
            )
        hour, minute = self.nightly_at
        self._require(
            "nightly_at",
            self.nightly_at,
            0 <= hour <= 23 and 0 <= minute <= 59,
            "an hour of 0-23 and a minute of 0-59",
        )
        self._require("history_days", self.history_days, 1 <= self.history_days <= 3650, "1 to 3650")
        shards, forwarders = self.stream_shards, self.forwarders_per_shard
        self._require("stream_shards", shards, shards is None or shards >= 1, "None or at least 1")
        self._require("forwarders_per_shard", forwarders, 1 <= forwarders <= 10, "1 to 10")
        keep, least = self.keep_events_days, self.history_days + 7
        self._require(
            "keep_events_days",
            keep,
            keep is None or keep >= least,
            f"None or at least {least}, a week more than history_days",
        )
        aside = self.keep_aside_days
        self._require("keep_aside_days", aside, 1 <= aside <= 365, "1 to 365")
        days = self.recover_days
        self._require("recover_days", days, days is None or 1 <= days <= 365, "None or 1 to 365")
        self._require("event_types", self.event_types, self.event_types, "at least one event type")
        for kind in self.event_types:
            is_name = re.fullmatch(rf"(?!{RESERVED_EVENT_TYPE_PREFIX})[^,\x00-\x1f]{{1,256}}", kind)
            spelled = f"1 to 256 characters without commas, not {RESERVED_EVENT_TYPE_PREFIX}…"
            self._require("event_types", kind, is_name, spelled)
        kinds, extra = len(self.event_types), len(self.extra_columns.properties)
        self._require("event_types", self.event_types, kinds + extra <= 10, f"10 with {extra} properties")
        for kind in self.training_rules.event_values:
            known = kind in self.event_types
            self._require("training_rules.event_values", kind, known, ", ".join(self.event_types))
        engine = self.training_engine
        self._require("training_engine", engine, engine in ("duckdb", "glue"), "duckdb, glue")
        self._require("glue_workers", self.glue_workers, 2 <= self.glue_workers <= 299, "2 to 299")
        memory, disk = self.training_memory_mib, self.training_disk_gib
        self._require("training_memory_mib", memory, 1769 <= memory <= 10_240, "1769 (a CPU) to 10240")
        self._require("training_disk_gib", disk, 1 <= disk <= 10, "1 to 10")
        self._require(
            "minimum_interactions", self.minimum_interactions, self.minimum_interactions >= 1000,
            "at least 1000, which Personalize demands",
        )  # fmt: skip
        model, training = self.longest_model.to_seconds(), self.longest_training.to_seconds()
        self._require(
            "longest_model", f"{model} s", 0 < model < training, f"less than longest_training ({training} s)"
        )
        for name, lasting in (("canary", self.canary), ("bake", self.bake)):
            seconds = None if lasting is None else lasting.to_seconds()
            self._require(name, f"{seconds} s", seconds is None or seconds > 0, "more than 0 s")
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
        ready = self.provisioned_concurrency
        if ready is not None:
            most = self.reserved_concurrency or 1000
            self._require("provisioned_concurrency", ready, 1 <= ready <= most, f"1 to {most}, or None")
            self._require(
                "provisioned_concurrency", ready, self.canary is None, "None, where there is a canary"
            )
        for origin in self.allowed_origins:
            page = re.fullmatch(r"\*|https?://[a-z0-9.-]+(:\d+)?", origin)
            self._require("allowed_origins", origin, page, "scheme and host of a page, or '*'")
        asked = self.requests_per_address
        self._require(
            "requests_per_address", asked, asked is None or 10 <= asked <= 10**9, "10 to 1,000,000,000"
        )
        for setting, address in (
            ("on_call_email", self.on_call_email),
            ("notices_email", self.notices_email),
        ):
            is_one = address is None or re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", address)
            self._require(setting, address, is_one, "an address like on-call@example.com, or None")
        endpoint = self.on_call_endpoint
        self._require(
            "on_call_endpoint",
            endpoint,
            endpoint is None or re.fullmatch(r"https://[\w.-]+/\S*", endpoint),
            "a URL like https://events.example.com/integration/1/enqueue, or None",
        )
        spread = self.experiment_spread.to_minutes(integral=False)
        self._require("experiment_spread", f"{spread} min", 0 <= spread <= 1440, "0 to 1440 whole minutes")
        budget = self.time_budget.to_milliseconds()
        self._require("time_budget", f"{budget} ms", 50 <= budget <= 10_000, "50 ms to 10 s")

        filters = [f"{placement.name}-{name}" for placement in self.placements for name in placement.filters]
        self._require(
            "placements", len(filters), len(filters) <= 30, "at most 30 filters, as a dataset group may have"
        )
        # As Personalize knows them: the second would be taken for the first, which is there already
        self._require(
            "placements",
            filters,
            len(set(filters)) == len(filters),
            "placement and filter together each once",
        )

    def _require_of_filters(self, placement: Placement) -> None:
        for name, expression in placement.filters.items():
            where = f"placements[{placement.name}].filters[{name}]"
            self._require(
                where, name, re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name), "a-z, 0-9 and single '-'"
            )
            longest = f"{self.names.prefix}-{COLOURS[0]}-{placement.name}-{name}"
            self._require(where, longest, len(longest) <= 63, "63 characters in all")
            self._require(
                where, expression, re.match(r"(INCLUDE|EXCLUDE)\s", expression), "INCLUDE … or EXCLUDE …"
            )
        columns = len(placement.metadata)
        self._require(f"placements[{placement.name}].metadata", columns, columns <= 10, "at most 10 columns")

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
    placements=(Placement(name="recommended-for-you"), SIMILAR_ITEMS, POPULAR),
    data_gate=DataGate(hours_since_newest=24 * 90),  # one's own data may have ended a while ago
    # A small marketplace tests on a few dozen users: three standard errors of 0.07 by sixty are 0.1
    metrics_gate=MetricsGate(allowed_drop=0.5, negligible=0.1),
    heartbeat_gate=HeartbeatGate(slowest_ms=2000),
    cutoff_lead=cdk.Duration.seconds(3),
    collector_timeout=cdk.Duration.seconds(7),
    poll=cdk.Duration.seconds(30),
    forwarder_cache=cdk.Duration.seconds(1),
    canary=cdk.Duration.minutes(1),  # of the local cloud's scaled time, as the bake
    bake=cdk.Duration.minutes(2),
    longest_model=cdk.Duration.minutes(10),
    time_budget=cdk.Duration.seconds(2),  # two cores carry the cloud, the functions and the caller
    experiment_spread=cdk.Duration.minutes(0),
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
    provisioned_concurrency=10,  # docs/scaling-serving.md
    requests_per_address=150_000,  # no address alone can use up what the API lets through
    recover_days=14,  # a mistake is noticed in two weeks, and who was erased is wholly gone then
    authorization="iam",
)

ENVIRONMENTS: Final = {environment.name: environment for environment in (LOCAL, DEV, PROD)}
