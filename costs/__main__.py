"""`python -m costs prod --users 1e6 --requests 3e7 --events 1e8`: what an environment costs a month."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from commands.manners import Parser, end_quietly, number
from costs.estimate import Alternative, Use, alternatives, by_generation, month, night
from costs.prices import PriceError, Prices
from stacks.environment import ENVIRONMENTS, Environment

ROOT = Path(__file__).resolve().parent.parent


_EXAMPLES: Final = {"USERS": "1e5", "REQUESTS": "3e6", "EVENTS": "1e7"}
"""By make's names what is taken unless told."""


class Alarms(NamedTuple):
    """How many metrics alarms look at, and how many alarms look at other alarms."""

    of_metrics: int
    of_alarms: int


def main() -> int:
    parser = Parser(prog="python -m costs", description=__doc__)
    parser.add_argument("environment", choices=ENVIRONMENTS)
    parser.add_argument("--users", default=_EXAMPLES["USERS"], help="in the training data")
    parser.add_argument("--requests", default=_EXAMPLES["REQUESTS"], help="a month, of each placement")
    parser.add_argument("--events", default=_EXAMPLES["EVENTS"], help="a month")
    parser.add_argument(
        "--measured",
        type=float,
        default=0.6,
        help="share of the requests that an experiment measures: 0 without one, 0.6 (the default) in the full"
        " one of docs/operations.md",
    )
    given = parser.parse_args()
    environment = ENVIRONMENTS[given.environment]
    try:
        use = Use(
            requests=_number("REQUESTS", given.requests),
            events=_number("EVENTS", given.events),
            users=_number("USERS", given.users),
            measured=given.measured,
            history_days=environment.history_days,
        )
        text = report(
            environment,
            use,
            alarms=alarms_in(ROOT / "cdk.out" / environment.name),
            today=datetime.now(UTC).date(),
        )
    except (PriceError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(text)
    saved = ROOT / ".colorway" / f"cost-{environment.name}.md"
    saved.parent.mkdir(exist_ok=True)
    saved.write_text(text)
    print(f"Saved as {saved.relative_to(ROOT)}")
    return 0


def report(environment: Environment, use: Use, *, alarms: Alarms, today: date) -> str:
    """The estimate as Markdown.

    :raises PriceError: when a price is missing.
    """
    prices = Prices.of(environment.region or "us-east-1")
    placements = environment.placements
    glue_workers = environment.glue_workers if environment.training_engine == "glue" else 0
    of_month = partial(
        month,
        prices,
        placements,
        alarms=alarms.of_metrics,
        composites=alarms.of_alarms,
        ready=environment.provisioned_concurrency or 0,
        firewall=environment.requests_per_address is not None,
        architecture=environment.architecture.name,
        glue_workers=glue_workers,
    )
    estimate = of_month(use, drops=environment.drops)
    idle = of_month(replace(use, requests=0, events=0), nights=0)
    one_night = night(
        prices,
        placements,
        use.trained_on,
        architecture=environment.architecture.name,
        glue_workers=glue_workers,
    )
    ways = alternatives(prices, placements, use)
    warning = prices.staleness(today)
    lines = [
        f"# {environment.names.prefix}: about {estimate.total:,.0f} {prices.currency} a month",
        "",
        f"Prices of {prices.region}, {prices.as_of}. {prices.sources['primary']}.",
        *([f"**Old prices:** {warning}."] if warning else []),
        "",
        *_table("service", [(line.service, line.what, line.cost) for line in estimate.lines]),
        "",
        f"## One night: {one_night.total:,.2f}",
        "",
        *_table("service", [(line.service, line.what, line.cost) for line in one_night.lines], "a night"),
        "",
        f"## Idle floor: {idle.total:,.2f}",
        "",
        "What stands for a month in which nobody comes and nothing is trained.",
        "",
        "## Other ways (campaigns and trainings only, a month)",
        "",
        *_table("way", [(each.name, _against(ways[0], each), each.cost) for each in ways], what="it costs"),
        "",
        *_table("recipes", [(each.name, "", each.cost) for each in by_generation(prices, placements, use)]),
        "",
        "## Assumptions",
        "",
        *(f"- {each}" for each in estimate.assumptions),
        *(f"- {said}" for source, said in prices.sources.items() if source == "unverified"),
        "",
    ]
    return "\n".join(lines)


def _against(this: Alternative, other: Alternative) -> str:
    more = other.cost - this.cost
    return f"{abs(more):,.2f} {'more' if more > 0 else 'less'} than this" if other is not this else ""


def _table(
    first: str, rows: list[tuple[str, str, float]], per: str = "a month", what: str = "of"
) -> list[str]:
    named = any(second for _, second, _ in rows)
    head = (
        [f"| {first} | {what} | {per} |", "|---|---|---:|"]
        if named
        else [f"| {first} | {per} |", "|---|---:|"]
    )
    return head + [
        f"| {name} | {second} | {cost:,.2f} |" if named else f"| {name} | {cost:,.2f} |"
        for name, second, cost in rows
    ]


def _number(name: str, given: str) -> float:
    """
    :param name: as make takes it.
    :raises ValueError: when it is none, or less than 0.
    """
    example = f"make cost {name}={_EXAMPLES[name]}"
    return number(
        name, given, lambda value: 0 <= value < math.inf, allowed="a number, 0 or more", example=example
    )


def alarms_in(folder: Path) -> Alarms:
    """The alarms of the templates in a folder; one of metric math is billed as many as it has metrics.

    :raises PriceError: when there are no templates.
    """
    templates = sorted(folder.glob("*.template.json"))
    if not templates:
        raise PriceError(f"no templates in cdk.out/{folder.name}: run `make synth ENV={folder.name}`")
    of_metrics = of_alarms = 0
    for template in templates:
        for resource in json.loads(template.read_text())["Resources"].values():
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                metrics = resource["Properties"].get("Metrics", ())
                of_metrics += sum("MetricStat" in each for each in metrics) or 1
            of_alarms += resource["Type"] == "AWS::CloudWatch::CompositeAlarm"
    return Alarms(of_metrics, of_alarms)


if __name__ == "__main__":
    end_quietly()
    sys.exit(main())
