"""`python -m experiments report`: what the experiment shows; `… plan`: how many users it needs."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from experiments.comparing import users_needed
from experiments.configured import NoExperiment
from experiments.reading import UnreadableLake
from experiments.reporting import of_deployment
from experiments.stack_outputs import outputs_of
from experiments.text import as_text, save
from vocabulary.colours import Names

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__)
    commands = parser.add_subparsers(required=True)
    reported = commands.add_parser("report", help="print the report and save it")
    reported.add_argument("--app", default="colorway", help="as in the Environment")
    reported.add_argument("--environment", default="local")
    reported.add_argument("--experiment", default="", help="how the id of an earlier one begins")
    reported.add_argument("--folder", type=Path, help="where it is saved; below .colorway unless given")
    reported.set_defaults(run=_report)
    planned = commands.add_parser("plan", help="how many users an effect needs")
    planned.add_argument(
        "--conversion", type=float, required=True, help="share of users who buy now, 0.03 say"
    )
    planned.add_argument("--lift", type=float, required=True, help="relative change to be found, 0.05 say")
    planned.add_argument("--treatment", type=int, default=3000, help="basis points, as in the allocation")
    planned.add_argument("--control", type=int, default=3000, help="likewise")
    planned.add_argument("--users-a-day", type=int, help="who ask for the first time, of all")
    planned.set_defaults(run=_plan)
    given = parser.parse_args()
    try:
        given.run(given)
    except (NoExperiment, UnreadableLake, ValueError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _report(given: argparse.Namespace) -> None:
    names = Names(given.app, given.environment)
    outputs = _outputs(names.prefix)
    kept = ROOT / ".colorway"
    report = of_deployment(
        _client,
        identifiers=outputs["Experiment"],
        bucket=outputs["LakeBucketName"],
        folder=kept / "experiments" / outputs["LakeBucketName"],
        now=datetime.now(UTC),
        wanted=given.experiment,
    )
    print(as_text(report))
    folder = given.folder or kept / f"experiment-{given.environment}-{report.experiment}"
    print("Saved: " + ", ".join(str(path) for path in save(report, folder)))


def _plan(given: argparse.Namespace) -> None:
    for name, value in (("conversion", given.conversion), ("lift", abs(given.lift))):
        if not 0 < value < 1:
            raise ValueError(f"--{name} must be between 0 and 1, got {value:g}")
    measured = given.treatment + given.control
    if min(given.treatment, given.control) < 1 or measured > 10_000:
        raise ValueError(
            f"--treatment and --control must be at least 1 and at most 10000 together, "
            f"got {given.treatment} and {given.control}"
        )
    share = given.conversion
    changed = share * (1 + given.lift)
    if changed >= 1:
        raise ValueError(f"--lift must leave a conversion below 1, got {changed:g}")
    spread = (share * (1 - share) + changed * (1 - changed)) / 2
    needed = users_needed(
        spread=spread, difference=changed - share, treatment_share=given.treatment / measured
    )
    print(
        f"{needed:,} measured users find a change of {given.lift:+.1%} from {share:.2%} in four of five "
        f"experiments (95 % interval, treatment {given.treatment / measured:.0%} of the measured)."
    )
    if given.users_a_day:
        a_day = given.users_a_day * measured / 10_000
        days = -(-needed // max(a_day, 1))
        weeks = -(-days // 7)
        print(
            f"At {a_day:,.0f} new measured users a day: {days:,.0f} days, "
            f"so plan {weeks * 7:,.0f} (whole weeks)."
        )


def _outputs(prefix: str) -> dict[str, str]:
    found = outputs_of(_client("cloudformation"), prefix)
    if "Experiment" not in found or "LakeBucketName" not in found:
        raise NoExperiment(f"{prefix} is not deployed here: run `make demo`, or `npx cdk deploy --all`")
    return found


@cache
def _client(service: str) -> Any:
    return boto3.client(service)


if __name__ == "__main__":
    sys.exit(main())
