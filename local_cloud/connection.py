"""How to reach a local cloud: clients, and the environment that points any AWS tool at it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final
from urllib.error import URLError
from urllib.request import urlopen

import boto3
from botocore.config import Config

ACCOUNT: Final = "000000000000"
REGION: Final = "us-east-1"
DEFAULT_PORT: Final = 4566
DEFAULT_STATE: Final = Path(__file__).resolve().parent.parent / ".colorway" / "local-cloud"
HEALTH: Final = "/_ministack/health"

_ROOT: Final = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
"""MiniStack's root; everything else, functions too, is held to its IAM policies."""


class LocalCloudError(Exception):
    """Something the user can mend; the message says how."""


@dataclass(frozen=True)
class Connection:
    """A running local cloud.

    :param port: on 127.0.0.1. An IP rather than a name, so that S3 is addressed by path.
    """

    port: int

    @property
    def stack_prefix(self) -> str:
        """What the names of the deployment's stacks begin with: a local cloud holds one deployment."""
        return ""

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client as the account's root."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            **_ROOT,
            config=Config(inject_host_prefix=False, retries={"total_max_attempts": 2}, read_timeout=120),
            **options,
        )

    def session(self) -> boto3.Session:
        """Whose credentials requests to APIs are signed with."""
        return boto3.Session(region_name=REGION, **_ROOT)

    def table(self, name: str) -> Any:
        """A boto3 DynamoDB `Table`, whose items are plain Python values."""
        return boto3.resource("dynamodb", endpoint_url=self.endpoint, region_name=REGION, **_ROOT).Table(name)

    def environ(self, base: Mapping[str, str] = os.environ) -> dict[str, str]:
        """`base` with every AWS setting replaced, so that no call can reach a real account."""
        clean = {name: value for name, value in base.items() if not name.startswith(("AWS_", "CDK_DEFAULT_"))}
        return {
            **clean,
            **{name.upper(): value for name, value in _ROOT.items()},
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def is_healthy(self) -> bool:
        """Whether it answers, with Personalize in it."""
        try:
            with urlopen(self.endpoint + HEALTH, timeout=2) as answer:
                return "personalize" in json.load(answer)["services"]
        except (URLError, OSError, ValueError, KeyError):
            return False


def connect(state: Path = DEFAULT_STATE) -> Connection:
    """The local cloud that runs with this state folder.

    :raises LocalCloudError: when none does.
    """
    try:
        connection = Connection(json.loads(server_file(state).read_text())["port"])
    except FileNotFoundError:
        other = "" if state == DEFAULT_STATE else f" with {state}"
        raise LocalCloudError(f"no local cloud is running{other}: start one with `make demo`") from None
    if not connection.is_healthy():
        raise LocalCloudError(
            f"the local cloud at {connection.endpoint} does not answer: start it again with `make demo`"
        )
    return connection


def server_file(state: Path) -> Path:
    """Where a running cloud says its port and process: `{port, pid}`."""
    return state / "server.json"


def sole_use_of(state: Path) -> IO[str]:
    """The lock on a state folder; it ends with the process, so that a crash leaves nothing to mend.

    :raises LocalCloudError: when a cloud has it.
    """
    state.mkdir(parents=True, exist_ok=True)
    lock = (state / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise LocalCloudError(
            f"a local cloud already uses {state}. Stop it by Ctrl-C where it runs, or start one beside it: "
            'make demo STATE=/tmp/another ARGS="--port 4567"'
        ) from None
    return lock


def require_free(port: int) -> None:
    """
    :raises LocalCloudError: when another program listens on the port.
    """
    with socket.socket() as probe:
        # Some systems let an address be bound though another program listens on all of them
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            who = "a local cloud" if Connection(port).is_healthy() else "another program"
            raise LocalCloudError(_busy(port, f"{who} listens there"))
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LocalCloudError(_busy(port, str(error.strerror).lower())) from None


def _busy(port: int, why: str) -> str:
    return (
        f"port {port} is busy: {why}. Stop it (`lsof -i :{port}` names it), "
        'or choose another port: make demo ARGS="--port 4567"'
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
