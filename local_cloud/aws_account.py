"""A deployment in a real account, for those on-call commands that work there as they do on one machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config


@dataclass(frozen=True)
class AwsAccount:
    """The account and Region that the shell's credentials are of.

    :param stack_prefix: what the names of the deployment's stacks begin with.
    """

    stack_prefix: str

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client; a heartbeat may take the flip function its whole five minutes."""
        return boto3.client(service, config=Config(read_timeout=310), **options)

    def session(self) -> boto3.Session:
        """Whose credentials requests to APIs are signed with."""
        return boto3.Session()

    def table(self, name: str) -> Any:
        """A boto3 DynamoDB `Table`, whose items are plain Python values."""
        return boto3.resource("dynamodb").Table(name)
