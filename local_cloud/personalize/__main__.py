"""`python -m local_cloud.personalize`: Amazon Personalize alone, on a port of this machine.

docs/personalize-local.md shows its use.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import logging
import re
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

from local_cloud.personalize import command
from local_cloud.personalize.control import Control, Settings
from local_cloud.personalize.lifecycle import Clock
from local_cloud.personalize.server import ACCOUNT, PersonalizeServer
from local_cloud.personalize.storage import storage_of

_SERVICES = ("PERSONALIZE", "PERSONALIZE_RUNTIME", "PERSONALIZE_EVENTS")


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM, or steer one that serves; what the user can mend is said in a line."""
    parsed = _parser().parse_args(arguments)
    if parsed.command == "faults":
        return command.run(parsed, parsed.endpoint)
    logging.basicConfig(level=logging.INFO if parsed.verbose else logging.WARNING)
    with ExitStack() as stack:
        try:
            if parsed.state:
                _use_alone(parsed.state, stack)
            server = stack.enter_context(_server(parsed))
        except (ValueError, OSError) as error:
            busy = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            said = f"port {parsed.port} is in use: choose another, or --port 0 for any that is free"
            print(f"error: {said if busy else error}", file=sys.stderr)
            return 1
        print(f"Amazon Personalize answers at {server.endpoint}, until Ctrl-C. For any AWS SDK or tool:")
        print(
            "\n".join(f"export AWS_ENDPOINT_URL_{name}={server.endpoint}" for name in _SERVICES), flush=True
        )
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        stopping.wait()
    return 0


def _use_alone(state: Path, stack: ExitStack) -> None:
    """
    :raises OSError: when another process uses the folder.
    """
    state.mkdir(parents=True, exist_ok=True)
    lock = stack.enter_context((state / "lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OSError(f"another process uses {state}: stop it, or choose another folder") from None


def _server(parsed: argparse.Namespace) -> PersonalizeServer:
    settings = Settings(throttling=parsed.throttling, legacy_recipes=parsed.legacy_recipes)
    return PersonalizeServer(
        port=parsed.port,
        storage=storage_of(parsed.s3 or Path("s3").absolute().as_uri()),
        control=Control(clock=Clock.of(parsed.time), settings=settings),
        state=parsed.state,
        account=parsed.account,
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"must be 0 to 65535, got {text}")
    return int(text)


def _account(text: str) -> str:
    if not re.fullmatch(r"[0-9]{12}", text):
        raise argparse.ArgumentTypeError(f"must be 12 digits, got {text}")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_cloud.personalize", description=__doc__)
    parser.add_argument(
        "--port", type=_port, default=4600, help="on 127.0.0.1; 0 for any (default %(default)s)"
    )
    parser.add_argument("--state", type=Path, help="folder in which everything survives a restart")
    parser.add_argument(
        "--s3",
        metavar="URL",
        help="where jobs read and write: an S3 endpoint, or file:///folder in which s3://bucket/key is the "
        "file bucket/key (default: the folder s3 in the working directory)",
    )
    parser.add_argument(
        "--time",
        default="none",
        help='how long things take: "none" for a step each time one looks (default), "realistic" for about '
        'what AWS takes, a speed like "60x", or seconds per step',
    )
    parser.add_argument("--account", type=_account, default=ACCOUNT, help="12 digits (default %(default)s)")
    parser.add_argument("--throttling", action="store_true", help="throttle beyond a campaign's capacity")
    parser.add_argument("--legacy-recipes", action="store_true", help="offer the HRNN recipes of old")
    parser.add_argument("--verbose", action="store_true", help="log what is refused, and why")
    commands = parser.add_subparsers(title="of one that serves", dest="command", metavar="command")
    faults = commands.add_parser("faults", help="make it fail on purpose, move its clock, see its metrics")
    faults.add_argument("--endpoint", default="http://127.0.0.1:4600", help="(default %(default)s)")
    command.add_commands(faults)
    return parser


if __name__ == "__main__":
    sys.exit(main())
