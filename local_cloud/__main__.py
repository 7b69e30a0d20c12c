"""`python -m local_cloud`: the local cloud and what runs against it, from the command line."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from local_cloud.cloud import Options
from local_cloud.connection import DEFAULT_PORT, DEFAULT_STATE, LocalCloudError, connect
from local_cloud.progress import Progress


def main(arguments: list[str] | None = None) -> int:
    """Run one command; what the user can mend is said in a line, without a traceback."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed) or 0)
    except LocalCloudError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_cloud", description=__doc__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="command")

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

    status = commands.add_parser("status", help="what is live in the running local cloud, and what runs")
    _add_state(status)
    status.set_defaults(run=_status)
    return parser


def _add_options(parser: argparse.ArgumentParser) -> None:
    defaults = Options()
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="on 127.0.0.1 (default %(default)s)")
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


def _add_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state", type=Path, default=DEFAULT_STATE, help="folder that tells one cloud from another"
    )


def _options(parsed: argparse.Namespace) -> Options:
    return Options(port=parsed.port, state=parsed.state, wait_scale=parsed.wait_scale, pace=parsed.pace)


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


def _status(parsed: argparse.Namespace) -> None:
    from local_cloud.status import status

    print("\n".join(status(connect(parsed.state))))


if __name__ == "__main__":
    sys.exit(main())
