"""`python -m local_cloud`: the local cloud and what runs against it, from the command line."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from commands.manners import Parser, aws_error, end_quietly, whole
from local_cloud.aws_account import AwsAccount
from local_cloud.cloud import Options
from local_cloud.connection import DEFAULT_PORT, DEFAULT_STATE, LocalCloudError, connect
from local_cloud.deployed import Cloud
from local_cloud.personalize import command as control
from local_cloud.progress import Progress
from vocabulary.colours import COLOURS, Names

_KINDS = ("events", "items", "users")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; what the user can mend is said in a line, without a traceback."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed) or 0)
    except LocalCloudError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"error: {aws_error(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m local_cloud", description=__doc__)
    commands = parser.add_subparsers(title="commands", dest="command", required=True, metavar="command")

    serve = commands.add_parser("serve", help="serve the local cloud until it is stopped")
    _add_options(serve)
    serve.add_argument(
        "--with-parent", action="store_true", help="end when whoever holds standard input has ended"
    )
    serve.set_defaults(run=_serve)

    demo = commands.add_parser("demo", help="deploy everything, train, and show recommendations move")
    _add_options(demo)
    demo.add_argument("--once", action="store_true", help="end when all is shown, rather than at Ctrl-C")
    demo.set_defaults(run=_demo)

    retrain = commands.add_parser("retrain", help="retrain in the running local cloud")
    _add_state(retrain)
    retrain.set_defaults(run=_retrain)

    settings = commands.add_parser("env", help="the settings that lead any AWS tool here, for a shell's eval")
    _add_state(settings)
    settings.set_defaults(run=_env)

    status = commands.add_parser("status", help="what is live, how good it is, and what runs")
    _add_cloud(status)
    status.set_defaults(run=_status)

    smoke = commands.add_parser("smoke", help="ask a deployment whether it serves, and AWS what we assume")
    _add_cloud(smoke)
    smoke.add_argument(
        "--placement", default="recommended-for-you", help="one that needs no item (default %(default)s)"
    )
    smoke.set_defaults(run=_smoke)

    rollback = commands.add_parser("rollback", help="go back to the other colour, as long as it is there")
    _add_cloud(rollback)
    _add_apply(rollback)
    rollback.set_defaults(run=_rollback)

    retire = commands.add_parser("retire", help="tear a colour down that is not in use")
    retire.add_argument("colour", nargs="?", default="", help=f"{' or '.join(COLOURS)}")
    _add_cloud(retire)
    _add_apply(retire)
    retire.set_defaults(run=_retire)

    redrive = commands.add_parser("redrive", help="take the failure queue to the open colours")
    _add_cloud(redrive)
    _add_apply(redrive)
    redrive.add_argument("--discard", action="store_true", help="delete what can never be placed")
    redrive.set_defaults(run=_redrive)

    erase = commands.add_parser("erase", help="take a user out of the lake and of every colour")
    erase.add_argument(
        "user_id", nargs="?", default="", help="or the session's id, of somebody who never signed in"
    )
    _add_cloud(erase)
    _add_apply(erase)
    erase.set_defaults(run=_erase)

    backfill = commands.add_parser("backfill", help="load a history or a catalogue from elsewhere")
    backfill.add_argument(
        "source", nargs="?", default="", help="Parquet, CSV or JSON lines, also compressed; '*' for several"
    )
    backfill.add_argument("--columns", default="", help="our columns to theirs: user_id=CustomerID,…")
    backfill.add_argument("--where", default="", help="a condition that rows must meet")
    backfill.add_argument("--kind", default="events", help=f"{', '.join(_KINDS)} (default %(default)s)")
    backfill.add_argument("--day", default="", help="of items or users: of their snapshot; today by default")
    _add_cloud(backfill)
    backfill.set_defaults(run=_backfill)

    restore = commands.add_parser("restore", help="bring back what of the lake was overwritten or deleted")
    restore.add_argument(
        "at", nargs="?", default="", help="the moment whose files are wanted, 2026-11-25T03:00:00Z"
    )
    _add_cloud(restore)
    _add_apply(restore)
    restore.set_defaults(run=_restore)

    compare = commands.add_parser("compare", help="train recipes side by side on the last training data")
    _add_cloud(compare)
    compare.set_defaults(run=_compare)

    faults = commands.add_parser("faults", help="make Personalize fail on purpose, and move its clock")
    _add_state(faults)
    faults.add_argument("--endpoint", help="of Personalize alone; the running local cloud's otherwise")
    control.add_commands(faults)
    faults.set_defaults(run=_faults)
    return parser


def _add_options(parser: argparse.ArgumentParser) -> None:
    defaults = Options()
    parser.add_argument(
        "--port", type=whole(1, 65_535), default=DEFAULT_PORT, help="on 127.0.0.1 (default %(default)s)"
    )
    _add_state(parser)
    parser.add_argument(
        "--wait-scale",
        type=float,
        default=defaults.wait_scale,
        help="real seconds per second that a Step Functions Wait names (default %(default)s)",
    )
    parser.add_argument(
        "--pace",
        type=float,
        default=defaults.pace,
        help="real seconds per asynchronous step of Personalize (default %(default)s)",
    )
    parser.add_argument(
        "--keep", action="store_true", help="let everything outlive a stop: `serve --keep` goes on from it"
    )


def _add_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state", type=Path, default=DEFAULT_STATE, help="folder that tells one cloud from another"
    )


def _add_cloud(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--environment",
        default="local",
        help="one on AWS, by the credentials of this shell, rather than the local cloud",
    )
    parser.add_argument("--app", default="colorway", help="prefix of every name (default %(default)s)")
    _add_state(parser)


def _add_apply(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--apply", action="store_true", help="do it, rather than say what would be done")


def _cloud(parsed: argparse.Namespace) -> Cloud:
    if parsed.environment == "local":
        return connect(parsed.state)
    return AwsAccount(f"{Names(parsed.app, parsed.environment).prefix}-")


def _options(parsed: argparse.Namespace) -> Options:
    return Options(
        port=parsed.port,
        state=parsed.state,
        wait_scale=parsed.wait_scale,
        pace=parsed.pace,
        keep=parsed.keep,
    )


def _serve(parsed: argparse.Namespace) -> None:
    from local_cloud.server import serve

    serve(_options(parsed), with_parent=parsed.with_parent)


def _demo(parsed: argparse.Namespace) -> None:
    from local_cloud import demo

    demo.run(_options(parsed), Progress(), environ=os.environ, once=parsed.once)


def _retrain(parsed: argparse.Namespace) -> None:
    from local_cloud import demo
    from local_cloud.status import what_is_live

    connection = connect(parsed.state)
    demo.retrain(connection, Progress())
    print("\n".join(what_is_live(connection)))


def _env(parsed: argparse.Namespace) -> None:
    settings = connect(parsed.state).environ({})
    print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in sorted(settings.items())))


def _faults(parsed: argparse.Namespace) -> int:
    return control.run(parsed, parsed.endpoint or connect(parsed.state).endpoint)


def _require(parsed: argparse.Namespace, name: str, value: str, example: str) -> None:
    """
    :param name: of the setting, as make takes it.
    :raises LocalCloudError: when it was not given.
    """
    if not value:
        raise LocalCloudError(f"{name} is missing: make {parsed.command} {example}")


def _backfill(parsed: argparse.Namespace) -> None:
    from local_cloud.backfill import Source, backfill
    from local_cloud.deployed import output
    from local_cloud.snapshot_backfill import backfill_snapshot, day_of_snapshot

    _require(parsed, "SOURCE", parsed.source, "SOURCE=orders.csv COLUMNS=user_id=CustomerID")
    if parsed.kind not in _KINDS:
        raise LocalCloudError(f"KIND is {parsed.kind!r}, allowed: {', '.join(_KINDS)}")
    source = Source(path=parsed.source, columns=parsed.columns, where=parsed.where)
    if parsed.kind == "events":
        if parsed.day:
            raise LocalCloudError(f"DAY is {parsed.day!r}, of events: allowed with KIND=items and KIND=users")
        cloud = _cloud(parsed)
        with Progress().step("backfill") as step:
            backfill(cloud.client("s3"), output(cloud, "LakeBucketName"), source, progress=step.says)
        return
    day = day_of_snapshot(parsed.day, today=datetime.now(UTC).date())
    cloud = _cloud(parsed)
    with Progress().step("backfill") as step:
        bucket = output(cloud, "LakeBucketName")
        backfill_snapshot(cloud.client("s3"), bucket, source, parsed.kind, day, progress=step.says)


def _restore(parsed: argparse.Namespace) -> None:
    from local_cloud.deployed import output
    from local_cloud.restore import restore

    _require(parsed, "AT", parsed.at, "AT=2026-11-25T03:00:00Z")
    try:
        at = datetime.fromisoformat(parsed.at)
    except ValueError:
        at = datetime.min
    if at.tzinfo is None:
        raise LocalCloudError(f"AT is {parsed.at!r}, allowed: a moment with its zone, 2026-11-25T03:00:00Z")
    cloud = _cloud(parsed)
    bucket = output(cloud, "LakeBucketName")
    print("\n".join(restore(cloud.client("s3"), bucket, at.astimezone(UTC), apply=parsed.apply)))


def _compare(parsed: argparse.Namespace) -> None:
    from local_cloud.deployed import output
    from local_cloud.recipes_compared.comparing import Comparison, table

    cloud = _cloud(parsed)
    kept = parsed.state / f"compared-{parsed.environment}.json"

    def save(compared: dict[str, Any]) -> None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(compared, indent=2, ensure_ascii=False) + "\n")

    with Progress().step("compare") as step:
        compared = Comparison(
            client=cloud.client,
            bucket=output(cloud, "TrainingBucketName"),
            prefix=Names(parsed.app, parsed.environment).prefix,
            poll=0.2 if parsed.environment == "local" else 30,
            progress=step.says,
        ).run(save)
        step.says(f"run {compared['run_id']}, {compared['interactions']:,} interactions")
    print("\n".join(["", *table(compared)]))
    if parsed.environment == "local":
        print(
            "\n  Here v2 is the same stand-in as user-personalization: how the two differ shows only on AWS."
        )
    shown = kept.relative_to(Path.cwd()) if kept.is_relative_to(Path.cwd()) else kept
    print(f"\n  Each one's lists for the same customers: `make inspect`, or {shown}")


def _status(parsed: argparse.Namespace) -> None:
    from local_cloud.status import status

    print("\n".join(status(_cloud(parsed))))


def _smoke(parsed: argparse.Namespace) -> int:
    from local_cloud.smoke.command import smoke

    prefix = Names(parsed.app, parsed.environment).prefix
    return int(not smoke(_cloud(parsed), prefix, parsed.placement))


def _rollback(parsed: argparse.Namespace) -> None:
    from local_cloud.on_call import roll_back

    print("\n".join(roll_back(_cloud(parsed), apply=parsed.apply)))


def _retire(parsed: argparse.Namespace) -> None:
    from local_cloud.on_call import retire

    _require(parsed, "COLOUR", parsed.colour, "COLOUR=blue")
    if parsed.colour not in COLOURS:
        raise LocalCloudError(f"COLOUR is {parsed.colour!r}, allowed: {', '.join(COLOURS)}")
    print("\n".join(retire(_cloud(parsed), parsed.colour, apply=parsed.apply)))


def _redrive(parsed: argparse.Namespace) -> None:
    from local_cloud.redrive import redrive

    redrive(_cloud(parsed), Progress(), apply=parsed.apply, discard=parsed.discard)


def _erase(parsed: argparse.Namespace) -> None:
    from local_cloud.erasure import Erasure

    _require(parsed, "USER_ID", parsed.user_id, "USER_ID=u1")
    Erasure(_cloud(parsed), parsed.user_id, Progress()).run(apply=parsed.apply)


if __name__ == "__main__":
    end_quietly()
    sys.exit(main())
