"""`python -m inspector`: open the inspector on the deployment that the AWS settings of this shell lead to."""

from __future__ import annotations

import socket
import sys
import webbrowser
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import boto3
import uvicorn
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from commands.manners import Parser, aws_error, whole
from inspector.deployment import Deployment, NotDeployedError
from inspector.history import History
from inspector.masks import Masks
from inspector.pages import LOOPBACK, Inspector
from inspector.sandbox import Sandbox
from inspector.site import Site
from vocabulary.colours import Names

KEPT: Final = Path(__file__).resolve().parent.parent / ".colorway"

_PATIENT: Final = Config(
    connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2}, max_pool_connections=20
)
"""A back end that is away is told of while somebody still looks at the page."""


def main() -> int:
    parser = Parser(prog="python -m inspector", description=__doc__)
    parser.add_argument("--app", default="colorway", help="as in the Environment")
    parser.add_argument("--environment", default="local")
    parser.add_argument(
        "--host", default="127.0.0.1", help="others see customers: think before you change it"
    )
    parser.add_argument("--port", type=whole(1, 65_535), default=4580)
    parser.add_argument("--days", type=whole(1, 3650), default=90, help="of events that are looked at")
    parser.add_argument("--mask", action="store_true", help="show customers by a short hash")
    parser.add_argument("--no-browser", action="store_true", help="only say where it is")
    parser.add_argument(
        "--copies", type=Path, default=KEPT / "inspector", help="where files of the lake are kept"
    )
    parser.add_argument(
        "--state", type=Path, default=KEPT / "local-cloud", help="where `make compare` has left its lists"
    )
    given = parser.parse_args()
    deployment = Deployment(Names(given.app, given.environment), _client)
    try:
        history = History(
            _client("s3"), bucket=deployment.outputs["LakeBucketName"], folder=given.copies, days=given.days
        )
    except NotDeployedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"error: {aws_error(error)}", file=sys.stderr)
        return 1
    site = Site(
        deployment,
        history,
        masks=Masks.kept_in(given.copies) if given.mask else None,
        compared=given.state / f"compared-{given.environment}.json",
        copies=given.copies / "experiment",
        sandbox=Sandbox.of(deployment),
    )
    listens = listening(given.host, given.port)
    url = f"http://{_named(given.host)}:{given.port}/"
    print(f"The inspector of {deployment.names.prefix}: {url} (Ctrl-C ends it)", flush=True)
    if not given.no_browser:
        webbrowser.open(url)
    app = Inspector(site, hosts=answers_to(given.host)).app()
    with suppress(KeyboardInterrupt):
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listens])
    return 0


def answers_to(host: str) -> tuple[str, ...]:
    """By which names the pages are to be had: any only where `host` is every address of the machine."""
    if host in ("0.0.0.0", "::", ""):
        return ("*",)
    return tuple(dict.fromkeys([*LOOPBACK, _named(host)]))


def _named(host: str) -> str:
    """As an address has it."""
    return f"[{host}]" if ":" in host else host


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens already: a browser that is opened on it waits for its page.

    :raises SystemExit: when it cannot; says what to type.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        why = str(error.strerror).partition(" (while")[0].lower()
        raise SystemExit(
            f'error: {host}:{port}: {why}. Choose another port: make inspect ARGS="--port {port + 1}"'
        ) from None


@cache
def _client(service: str) -> Any:
    return boto3.client(service, config=_PATIENT)


if __name__ == "__main__":
    sys.exit(main())
