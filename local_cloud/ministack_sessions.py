"""Sessions of roles that services assume: MiniStack's STS takes calls of users and roles only."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Final

from ministack.services import iam, sts

_SECONDS: Final = 900


@dataclass(frozen=True)
class Session:
    """A role's, begun in the name of a service.

    :param arn: of the assumed role.
    :param user_id: `aws:userid` in policies.
    """

    arn: str
    user_id: str
    access_key: str
    secret: str
    token: str

    @classmethod
    def begin(cls, role_arn: str, *, account: str, name: str) -> Session:
        """Begin one, within a request scope of its account; whether the service may is the caller's to know.

        :param name: of the session, after the service.
        """
        role = role_arn.rpartition("/")[2]
        known = iam._roles.get(role)
        session = cls(
            arn=f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
            user_id=f"{known['RoleId'] if known else ''}:{name}",
            access_key=f"ASIA{secrets.token_hex(8).upper()}",
            secret=secrets.token_hex(20),
            token=secrets.token_hex(64),
        )
        sts.register_session(
            session.access_key,
            {
                "Arn": session.arn,
                "UserId": session.user_id,
                "SecretAccessKey": session.secret,
                "SessionToken": session.token,
                "Expiration": time.time() + _SECONDS,
                "AccountId": account,
                "PrincipalType": "AssumedRole",
            },
        )
        return session

    @property
    def keys(self) -> dict[str, str]:
        """For boto3 clients that act as the role."""
        return {
            "aws_access_key_id": self.access_key,
            "aws_secret_access_key": self.secret,
            "aws_session_token": self.token,
        }
