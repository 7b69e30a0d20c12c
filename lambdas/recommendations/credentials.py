"""Where the credentials come from that requests are signed with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from recommendations.signing import Credentials


class NoCredentials(Exception):
    """Nothing gives any: neither the environment nor what botocore knows."""


def credentials_of(environ: Mapping[str, str]) -> Callable[[], Credentials]:
    """A function that answers the credentials to use now.

    Lambda puts them into the environment, and ends a sandbox before they do. Anywhere
    else (a container, a laptop) they come from botocore, which renews them when due:
    it is imported only then, because that takes longer than all the rest.
    """
    if "AWS_ACCESS_KEY_ID" in environ and "AWS_SECRET_ACCESS_KEY" in environ:
        fixed = Credentials(
            environ["AWS_ACCESS_KEY_ID"],
            environ["AWS_SECRET_ACCESS_KEY"],
            environ.get("AWS_SESSION_TOKEN") or None,
        )
        return lambda: fixed
    return _by_botocore()


def _by_botocore() -> Callable[[], Credentials]:
    from botocore.session import Session

    known = Session().get_credentials()
    if known is None:
        raise NoCredentials(
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile that botocore reads"
        )

    def current() -> Credentials:
        frozen = known.get_frozen_credentials()
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)

    return current
