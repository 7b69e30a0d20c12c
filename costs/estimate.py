"""The estimate: what is used in a month, and what that costs; every assumption is a line of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from costs.prices import Prices
from vocabulary.drops import Drop
from vocabulary.placements import Placement

HOURS: Final = 730.0
NIGHTS: Final = 30.4

_EVENT_BYTES: Final = 350
_WRITTEN_BYTES: Final = 1024
"""On demand, Kinesis bills a record that is written by whole KB, what is read as it is ("Amazon Kinesis Data
Streams pricing")."""
_DELIVERED_BYTES: Final = 5 * 1024
"""Firehose bills each record, and its conversion, by pieces of 5 KB ("Amazon Data Firehose pricing")."""
_INTERACTION_BYTES: Final = 60
_ANSWER_LOG_BYTES: Final = 700
_ACCESS_LOG_BYTES: Final = 150
_EVENT_LOG_BYTES: Final = 550
"""Of the collector and the forwarder, Lambda's own lines among them; as the local cloud's logs have them."""
_SERVING_GB: Final = 0.5
_SERVING_SECONDS: Final = 0.06
_COLLECTOR_GB: Final = 0.5
_COLLECTOR_SECONDS: Final = 0.015
"""As docs/scaling-events.md has it."""
_FORWARDED_AT_ONCE: Final = 20
_FORWARDER_GB_SECONDS_PER_EVENT: Final = 0.25 * 0.01
_ETL_GB_SECONDS_PER_MILLION: Final = 3.5 * 10
_GLUE_HOURS: Final = 0.25
"""Not measured: a job that begins, reads and writes. A worker of type G.1X is one DPU."""
_TRANSITIONS_PER_RUN: Final = 400
_METRICS_PER_PLACEMENT: Final = 16
_METRICS: Final = 30
_OVERLAP_HOURS: Final = 1.0
_FIREWALL_RULES: Final = 4
_BOTH_GENERATIONS: Final = ("aws-user-personalization",)


@dataclass(frozen=True, kw_only=True)
class Use:
    """What customers do in a month, and what is kept of it.

    :param requests: for recommendations, of each placement.
    :param events: of the clickstream.
    :param history_days: how long events are trained on.
    :param users: how many are in the training data; told in the assumptions.
    :param measured: share of the requests that come from users whom an experiment measures; as unless told
        in the full experiment of docs/operations.md, where 4,000 of 10,000 are exempt.
    """

    requests: float
    events: float
    users: float
    history_days: int
    measured: float = 0.6

    def __post_init__(self) -> None:
        if not 0 <= self.measured <= 1:
            raise ValueError(f"measured must be 0 to 1, got {self.measured!r}")
        for name in ("requests", "events", "users", "history_days"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} must be 0 or more, got {value!r}")

    @property
    def trained_on(self) -> float:
        """Interactions in one training."""
        return self.events * self.history_days / NIGHTS


@dataclass(frozen=True)
class Line:
    """A cost of one service a month, and what it is made of."""

    service: str
    what: str
    cost: float


@dataclass(frozen=True)
class Estimate:
    """Every line, and what they rest on."""

    lines: tuple[Line, ...]
    assumptions: tuple[str, ...] = field(default=())

    @property
    def total(self) -> float:
        return sum(line.cost for line in self.lines)

    def of(self, service: str) -> float:
        return sum(line.cost for line in self.lines if line.service == service)


def campaign(prices: Prices, placement: Placement, requests: float, hours: float) -> float:
    """A campaign over some hours: what is asked, or its minimum, whichever is more.

    Billed by 5-minute windows ("Amazon Personalize pricing"): traffic is taken as even over the time.
    """
    billed = max(requests, placement.min_provisioned_tps * 3600 * hours)
    tiers = "personalize.v2.recommendations_1000" if placement.is_v2 else "personalize.recommendations_1000"
    return prices.tiered(tiers, billed) / 1000


def raised(prices: Prices, placement: Placement, drop: Drop, requests: float) -> float:
    """What a known drop adds to a campaign's month: the floor's rise, on top of what else is billed."""
    billed = max(requests, placement.min_provisioned_tps * 3600 * HOURS)
    more = (drop.tps - placement.min_provisioned_tps) * 3600 * drop.hours_in(HOURS)
    return campaign(prices, placement, billed + more, HOURS) - campaign(prices, placement, billed, HOURS)


def training(prices: Prices, placement: Placement, interactions: float) -> float:
    """One full training.

    v1 recipes bill training-hours, more of them than are waited: 2.1 hours for 100 thousand interactions
    and 53.9 for 25 million are published outputs (MovieLens); between and beyond them a straight line.
    """
    if placement.is_v2:
        return interactions / 1000 * prices.one("personalize.v2.training_1000_interactions")
    hours = 2.135 + max(0.0, interactions - 100_000) * (53.9 - 2.135) / (25_000_000 - 100_000)
    return hours * prices.one("personalize.training_hour")


def night(
    prices: Prices,
    placements: Sequence[Placement],
    interactions: float,
    *,
    architecture: str = "arm64",
    glue_workers: int = 0,
) -> Estimate:
    """What one retraining costs: data, training, and the hour in which both colours are up.

    :param interactions: that the models are trained on.
    :param architecture: of the functions, `arm64` or `x86_64`.
    :param glue_workers: of the job that makes the training data; 0 where a function does.
    """
    gigabytes = interactions * _INTERACTION_BYTES / 1e9
    lines = [
        Line(
            "Amazon Personalize",
            f"{gigabytes:,.2f} GB imported",
            gigabytes * prices.one("personalize.ingestion_gb"),
        ),
        *(
            Line(
                "Amazon Personalize",
                f"{each.name}: a training on {interactions:,.0f} interactions",
                training(prices, each, interactions),
            )
            for each in placements
        ),
        *(
            Line(
                "Amazon Personalize",
                f"{each.name}: a second campaign for {_OVERLAP_HOURS:g} h",
                campaign(prices, each, 0, _OVERLAP_HOURS),
            )
            for each in placements
        ),
        Line(
            "AWS Step Functions",
            f"{_TRANSITIONS_PER_RUN} transitions",
            _TRANSITIONS_PER_RUN / 1000 * prices.one("step_functions.transitions_1000"),
        ),
        Line(
            "AWS Glue",
            f"{glue_workers} workers for {_GLUE_HOURS * 60:.0f} minutes",
            glue_workers * _GLUE_HOURS * prices.one("glue.dpu_hour"),
        )
        if glue_workers
        else Line(
            "AWS Lambda",
            "ETL",
            interactions / 1e6 * _ETL_GB_SECONDS_PER_MILLION * prices.one(f"lambda.{architecture}_gb_second"),
        ),
    ]
    return Estimate(tuple(lines))


def month(
    prices: Prices,
    placements: Sequence[Placement],
    use: Use,
    *,
    alarms: int,
    composites: int = 0,
    ready: int = 0,
    firewall: bool = False,
    architecture: str = "arm64",
    drops: Sequence[Drop] = (),
    nights: float = NIGHTS,
    glue_workers: int = 0,
) -> Estimate:
    """What a deployment costs a month.

    :param alarms: how many metrics those of the templates look at; `composites` of them apart.
    :param ready: containers of the serving function that are kept ready (provisioned concurrency).
    :param firewall: whether AWS WAF stands before the recommendations.
    :param architecture: of the functions, `arm64` or `x86_64`.
    :param drops: for which campaigns provide more than their minimum.
    :param nights: retrainings a month.
    :param glue_workers: as in `night`.
    """
    by_name = {each.name: each for each in placements}
    one_night = night(
        prices, placements, use.trained_on, architecture=architecture, glue_workers=glue_workers
    )
    requests = use.requests * len(placements)
    gigabytes = use.events * _EVENT_BYTES / 1e9
    lake = gigabytes * 12 / 5  # a year of it, in Parquet of a fifth
    written = use.events * _WRITTEN_BYTES / 1e9
    logs = (
        requests * (_ANSWER_LOG_BYTES + _ACCESS_LOG_BYTES)
        + use.events * (_EVENT_LOG_BYTES + _ACCESS_LOG_BYTES)
    ) / 1e9
    exposures = requests * use.measured
    delivered = (use.events + exposures) * _DELIVERED_BYTES / 1e9
    delivery = prices.one("firehose.gb") + prices.one("firehose.conversion_gb")
    computed = requests * _SERVING_GB * _SERVING_SECONDS
    computed += use.events * (_COLLECTOR_GB * _COLLECTOR_SECONDS + _FORWARDER_GB_SECONDS_PER_EVENT)
    invocations = requests + use.events + use.events / _FORWARDED_AT_ONCE
    metrics = _METRICS + _METRICS_PER_PLACEMENT * len(placements)
    million = 1e6
    lines = [
        *(
            Line(
                "Amazon Personalize",
                f"{each.name}: a campaign of {each.min_provisioned_tps}/s up, {use.requests:,.0f} requests",
                campaign(prices, each, use.requests, HOURS),
            )
            for each in placements
        ),
        *(
            Line(
                "Amazon Personalize",
                f"{each.placement}: {each.tps}/s for {each.hours_in(HOURS):,.1f} h around {each.starts}",
                raised(prices, by_name[each.placement], each, use.requests),
            )
            for each in drops
        ),
        Line(
            "Amazon Personalize",
            f"{gigabytes:,.1f} GB of events taken in as they come",
            gigabytes * prices.one("personalize.ingestion_gb"),
        ),
        *(
            Line(service, f"{nights:g} nights", one_night.of(service) * nights)
            for service in dict.fromkeys(line.service for line in one_night.lines)
        ),
        Line(
            "Amazon API Gateway",
            f"{requests + use.events:,.0f} requests",
            (requests + use.events) / million * prices.one("api_gateway.rest_million"),
        ),
        Line(
            "AWS Lambda",
            f"{invocations:,.0f} invocations, {computed:,.0f} GB-s",
            invocations / million * prices.one("lambda.requests_million")
            + computed * prices.one(f"lambda.{architecture}_gb_second"),
        ),
        Line(
            "Amazon Kinesis",
            f"on demand, {gigabytes:,.1f} GB read by two, billed as {written:,.1f} GB written",
            HOURS * prices.one("kinesis.on_demand_stream_hour")
            + written * prices.one("kinesis.on_demand_gb_in")
            + 2 * gigabytes * prices.one("kinesis.on_demand_gb_out"),
        ),
        Line(
            "Amazon Data Firehose",
            f"{use.events:,.0f} events and {exposures:,.0f} exposures, billed as {delivered:,.1f} GB",
            delivered * delivery
            + exposures * _ANSWER_LOG_BYTES / 1e9 * prices.one("firehose.decompression_gb"),
        ),
        Line("Amazon S3", f"{lake:,.1f} GB of a year's events", lake * prices.one("s3.gb_month")),
        Line(
            "Amazon CloudWatch",
            f"{metrics} metrics, {alarms + composites} alarms, {logs:,.1f} GB of logs, a dashboard",
            metrics * prices.one("cloudwatch.metric")
            + alarms * prices.one("cloudwatch.alarm")
            + composites * prices.one("cloudwatch.composite_alarm")
            + logs * prices.one("cloudwatch.logs_gb")
            + prices.one("cloudwatch.dashboard"),
        ),
    ]
    if ready:
        seconds = ready * _SERVING_GB * HOURS * 3600
        cost = seconds * prices.one(f"lambda.{architecture}_provisioned_gb_second")
        lines.append(Line("AWS Lambda", f"{ready} containers kept ready", cost))
    if firewall:
        cost = prices.one("waf.acl_month") + _FIREWALL_RULES * prices.one("waf.rule_month")
        cost += requests / million * prices.one("waf.requests_million")
        lines.append(Line("AWS WAF", f"{_FIREWALL_RULES} rules, {requests:,.0f} requests", cost))
    assumptions = (
        f"{use.users:,.0f} users, {use.events:,.0f} events a month; {use.history_days} days are trained on",
        f"{use.requests:,.0f} requests a month of each placement, evenly over the time; "
        "a drop that the settings do not name costs more",
        f"an event is {_EVENT_BYTES} bytes on the stream, {_INTERACTION_BYTES} in the training data",
        f"a request takes the serving function {_SERVING_SECONDS * 1000:.0f} ms at {_SERVING_GB:g} GB",
        f"an event is sent by itself, which is dearer than several in a request, and takes the collector "
        f"{_COLLECTOR_SECONDS * 1000:.0f} ms at {_COLLECTOR_GB:g} GB",
        f"a request leaves {_ANSWER_LOG_BYTES + _ACCESS_LOG_BYTES} bytes in logs, "
        f"an event {_EVENT_LOG_BYTES + _ACCESS_LOG_BYTES}",
        "a training takes the hours of published MovieLens trainings, by a straight line through two of them",
        *(
            [f"Spark takes {_GLUE_HOURS * 60:.0f} minutes a night, which nobody has measured"]
            if glue_workers
            else []
        ),
        f"an experiment measures {use.measured:.0%} of the requests (60% are what the full one of "
        "docs/operations.md measures; none is measured without one); each exposure is a record of its own, "
        "which is dearer than when CloudWatch Logs has several to send at once",
        f"functions are {architecture}; what runs in a container that is kept ready is priced as elsewhere",
        f"both colours are up for {_OVERLAP_HOURS:g} hour a night, and in no drop; each run tells its own",
        "no free tier, no data transfer, no support plan",
    )
    return Estimate(tuple(lines), assumptions)


@dataclass(frozen=True)
class Alternative:
    """Another way to run the same, and what it costs a month."""

    name: str
    cost: float


def alternatives(prices: Prices, placements: Sequence[Placement], use: Use) -> list[Alternative]:
    """What campaigns and trainings cost a month, by ways of keeping a model fresh."""
    standing = sum(campaign(prices, each, use.requests, HOURS) for each in placements)
    idle = sum(campaign(prices, each, 0, HOURS) for each in placements)
    trained = NIGHTS * sum(training(prices, each, use.trained_on) for each in placements)
    overlap = NIGHTS * sum(campaign(prices, each, 0, _OVERLAP_HOURS) for each in placements)
    return [
        Alternative("two colours, one at a time (this)", standing + trained + overlap),
        Alternative("two standing campaigns", standing + idle + trained),
        Alternative("one campaign, retrained in place every night", standing + trained),
        Alternative("one campaign, retrained in place every week", standing + trained / 7),
        Alternative("idle: no request, no event, no training", idle),
    ]


def by_generation(prices: Prices, placements: Sequence[Placement], use: Use) -> list[Alternative]:
    """The same with v1 and with v2 recipes, for the placements whose recipe has both."""
    both = [each for each in placements if each.recipe.removesuffix("-v2") in _BOTH_GENERATIONS]
    answers = []
    for suffix in ("", "-v2") if both else ():
        those = [replace(each, recipe=each.recipe.removesuffix("-v2") + suffix) for each in both]
        recipes = ", ".join(each.recipe for each in those)
        answers.append(Alternative(recipes, alternatives(prices, those, use)[0].cost))
    return answers
