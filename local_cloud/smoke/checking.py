"""A check asks one thing of a deployment, and says what it asked, what it saw, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self
from urllib.request import Request

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError

from local_cloud import deployed
from local_cloud.connection import Connection
from local_cloud.deployed import Cloud
from local_cloud.live_api import local_url

Sign = Callable[[Request], None]
"""Makes a request a known caller's."""

_MAY_NOT: Final = (
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedOperation",
)


class WrongError(Exception):
    """What was seen is not as it should be; the message says what was seen."""


class NotYetError(Exception):
    """It cannot be asked now; the message says why."""


class Verdict(StrEnum):
    """What came of a check."""

    OK = "ok"
    WRONG = "WRONG"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, kw_only=True)
class Target:
    """A deployment that is asked.

    :param prefix: app and environment, `colorway-dev`.
    :param outputs: of all its stacks.
    :param fault_alarms: ARNs of what a deployment is taken back for.
    :param placement: one that needs no item.
    """

    cloud: Cloud
    prefix: str
    outputs: Mapping[str, str]
    sign: Sign
    fault_alarms: Sequence[str] = ()
    placement: str = "recommended-for-you"

    @classmethod
    def of(cls, cloud: Cloud, prefix: str, placement: str = "recommended-for-you") -> Self:
        """What the stacks' outputs name; asked with their key where they have one, else signed.

        :raises LocalCloudError: when the stacks are not deployed.
        """
        stacks = deployed.outputs(cloud)
        outputs = {name: value for values in stacks.values() for name, value in values.items()}
        if "RecommendationsUrl" not in outputs:
            raise deployed.no_output(cloud, "RecommendationsUrl", stacks)
        alarms = [each for values in stacks.values() for each in values.get("RollbackAlarms", "").split(",")]
        if "ApiKeyId" in outputs:
            keys = cloud.client("apigateway")
            sign = by_key(keys.get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)["value"])
        else:
            sign = by_signature(cloud.session())
        return cls(
            cloud=cloud,
            prefix=prefix,
            outputs=outputs,
            sign=sign,
            fault_alarms=[each for each in alarms if each],
            placement=placement,
        )

    def url(self, output: str) -> str:
        """Where an API answers; ends in `/`."""
        url = self.outputs[output]
        return local_url(self.cloud, url) if isinstance(self.cloud, Connection) else url


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that is asked.

    :param name: what holds when it is well.
    :param asks: by which call or request.
    :param look: answers what it saw.
    :param mend: what to do when it is wrong.
    :param assumed: words of the line of docs/unverified.md that it shows, or None where it shows none.
    """

    name: str
    asks: str
    look: Callable[[Target], str]
    mend: str
    assumed: str | None = None


@dataclass(frozen=True)
class Finding:
    """A check, and what came of it."""

    check: Check
    verdict: Verdict
    saw: str

    def __str__(self) -> str:
        line = f"  {self.verdict:<10} {self.check.name}: {self.saw}"
        if self.verdict is not Verdict.WRONG:
            return line
        return f"{line}\n{'':13}asked: {self.check.asks}\n{'':13}do: {self.check.mend}"


def run(target: Target, checks: Iterable[Check]) -> Iterator[Finding]:
    """Ask one after the other; what the caller may not ask is said, and is not wrong."""
    for check in checks:
        try:
            yield Finding(check, Verdict.OK, check.look(target))
        except WrongError as wrong:
            yield Finding(check, Verdict.WRONG, str(wrong))
        except NotYetError as not_yet:
            yield Finding(check, Verdict.NOT_ASKED, str(not_yet))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            verdict = Verdict.NOT_ASKED if code in _MAY_NOT else Verdict.WRONG
            yield Finding(check, verdict, str(error))
        except BotoCoreError as error:
            yield Finding(check, Verdict.WRONG, str(error))
        except KeyError as missing:
            yield Finding(check, Verdict.WRONG, f"{missing} is missing")


def by_key(key: str) -> Sign:
    return lambda request: request.add_header("x-api-key", key)


def by_signature(session: boto3.Session) -> Sign:
    """Signature Version 4, with the session's credentials."""

    def sign(request: Request) -> None:
        signed = AWSRequest(
            request.get_method(), request.full_url, headers=dict(request.header_items()), data=request.data
        )
        SigV4Auth(session.get_credentials(), "execute-api", session.region_name).add_auth(signed)
        for name, value in signed.headers.items():
            request.add_header(name, value)

    return sign
