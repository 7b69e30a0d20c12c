"""`python -m experiments report`: what the experiment shows; `… plan`: how many users it needs."""

from __future__ import annotations

import argparse
import math
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from commands.manners import Parser, aws_error, end_quietly, number, whole
from experiments.comparing import users_needed
from experiments.configured import NoExperiment
from experiments.reading import UnreadableLake
from experiments.reporting import of_deployment
from experiments.stack_outputs import outputs_of
from experiments.text import as_text, save
from vocabulary.colours import Names

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    parser = Parser(prog="python -m experiments", description=__doc__)
    commands = parser.add_subparsers(required=True)
    reported = commands.add_parser("report", help="print the report and save it")
    reported.add_argument("--app", default="colorway", help="as in the Environment")
    reported.add_argument("--environment", default="local")
    reported.add_argument("--experiment", default="", help="how the id of an earlier one begins")
    reported.add_argument("--folder", type=Path, help="where it is saved; below .colorway unless given")
    reported.set_defaults(run=_report)
    planned = commands.add_parser("plan", help="how many users an effect needs")
    planned.add_argument("--conversion", default="", help="share of users who buy now, 0.03 say")
    planned.add_argument("--lift", default="", help="relative change to be found, 0.05 say")
    planned.add_argument("--treatment", type=int, default=3000, help="basis points, as in the allocation")
    planned.add_argument("--control", type=int, default=3000, help="likewise")
    planned.add_argument("--users-a-day", type=whole(1, 10**10), help="who ask for the first time, of all")
    planned.set_defaults(run=_plan)
    given = parser.parse_args(arguments)
    try:
        given.run(given)
    except (NoExperiment, UnreadableLake, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"error: {aws_error(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
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
    share = _number("CONVERSION", given.conversion, 0, "0.03")
    lift = _number("LIFT", given.lift, -1, "0.05")
    measured = given.treatment + given.control
    if min(given.treatment, given.control) < 1 or measured > 10_000:
        raise ValueError(
            f"--treatment and --control must be at least 1 and at most 10000 together, "
            f"got {given.treatment} and {given.control}"
        )
    changed = share * (1 + lift)
    if changed >= 1:
        raise ValueError(f"LIFT is {lift:g}, allowed: what leaves a conversion below 1, not {changed:g}")
    spread = (share * (1 - share) + changed * (1 - changed)) / 2
    needed = users_needed(
        spread=spread, difference=changed - share, treatment_share=given.treatment / measured
    )
    print(
        f"It takes {needed:,} measured users to find a change from {share:.2%} to {changed:.2%} "
        f"({lift:+.1%})\nfour times out of five "
        f"(95% interval, {given.treatment / measured:.0%} of them in treatment)."
    )
    if given.users_a_day is None:
        print('How many days that takes: ARGS="--users-a-day 20000"')
    else:
        a_day = given.users_a_day * measured / 10_000
        days = math.ceil(needed / a_day)
        weeks = -(-days // 7)
        print(
            f"At {a_day:,.0f} new measured users a day: {days:,} days, so plan {weeks * 7:,} (whole weeks)."
        )


def _number(name: str, given: str, above: int, example: str) -> float:
    """A share, or a change of one.

    :param name: as make takes it.
    :raises ValueError: when it is none, or not between `above` and 1.
    """
    return number(
        name,
        given,
        lambda value: above < value < 1 and abs(value) >= 1e-9,  # of less, the square is none
        allowed=f"a number between {above} and 1, not 0",
        example=f"make experiment-plan {name}={example}",
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
    end_quietly()
    sys.exit(main())
