"""`python -m costs prod --users 1e6 --requests 3e7 --events 1e8`: what an environment costs a month."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from costs.estimate import Use, alternatives, by_generation, month, night
from costs.prices import PriceError, Prices
from stacks.environment import ENVIRONMENTS, Environment

ROOT = Path(__file__).resolve().parent.parent


class Alarms(NamedTuple):
    """How many alarms look at metrics, and how many at other alarms."""

    of_metrics: int
    of_alarms: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m costs", description=__doc__)
    parser.add_argument("environment", choices=ENVIRONMENTS)
    parser.add_argument("--users", type=float, default=100_000, help="in the training data")
    parser.add_argument("--requests", type=float, default=3e6, help="a month, of each placement")
    parser.add_argument("--events", type=float, default=1e7, help="a month")
    parser.add_argument("--measured", type=float, default=0.6, help="share of requests in an experiment")
    given = parser.parse_args()
    environment = ENVIRONMENTS[given.environment]
    try:
        use = Use(
            requests=given.requests,
            events=given.events,
            users=given.users,
            measured=given.measured,
            history_days=environment.history_days,
        )
        text = report(environment, use, alarms=_alarms(environment), today=datetime.now(UTC).date())
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
    estimate = month(
        prices,
        placements,
        use,
        alarms=alarms.of_metrics,
        composites=alarms.of_alarms,
        ready=environment.provisioned_concurrency or 0,
        firewall=environment.requests_per_address is not None,
        drops=environment.drops,
    )
    one_night = night(prices, placements, use)
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
        "## Other ways (campaigns and trainings only, a month)",
        "",
        *_table("way", [(each.name, "", each.cost) for each in alternatives(prices, placements, use)]),
        "",
        *_table("recipes", [(each.name, "", each.cost) for each in by_generation(prices, placements, use)]),
        "",
        "## Assumptions",
        "",
        *(f"- {each}" for each in (*estimate.assumptions, prices.sources["unverified"])),
        "",
    ]
    return "\n".join(lines)


def _table(first: str, rows: list[tuple[str, str, float]], per: str = "a month") -> list[str]:
    named = any(what for _, what, _ in rows)
    head = (
        [f"| {first} | of | {per} |", "|---|---|---:|"] if named else [f"| {first} | {per} |", "|---|---:|"]
    )
    return head + [
        f"| {name} | {what} | {cost:,.2f} |" if named else f"| {name} | {cost:,.2f} |"
        for name, what, cost in rows
    ]


def _alarms(environment: Environment) -> Alarms:
    """How many alarms the environment's templates have.

    :raises PriceError: when it has not been synthesised.
    """
    templates = sorted((ROOT / "cdk.out" / environment.name).glob("*.template.json"))
    if not templates:
        raise PriceError(
            f"no templates in cdk.out/{environment.name}: run `make synth ENV={environment.name}`"
        )
    kinds = [
        resource["Type"]
        for template in templates
        for resource in json.loads(template.read_text())["Resources"].values()
    ]
    return Alarms(kinds.count("AWS::CloudWatch::Alarm"), kinds.count("AWS::CloudWatch::CompositeAlarm"))


if __name__ == "__main__":
    sys.exit(main())
