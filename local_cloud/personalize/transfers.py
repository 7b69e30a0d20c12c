"""Jobs' ways in and out: locations in Amazon S3, and the role that each job reads and writes with."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import BinaryIO, Final

from local_cloud.personalize.errors import Refused, invalid
from local_cloud.personalize.lifecycle import Failed
from local_cloud.personalize.region import AccessRefused, Region
from local_cloud.personalize.store import Resource

_NO_ACCESS: Final = "Insufficient privileges for accessing data in Amazon S3."
_LOCATION: Final = re.compile(r"s3://[^/]+(/.*)?")


def check_location(location: str) -> None:
    """
    :raises Refused: InvalidInputException.
    """
    if not _LOCATION.fullmatch(location):
        raise invalid("Invalid Data location.")


def check_role(region: Region, role_arn: str | None) -> None:
    """
    :raises Refused: AccessDeniedException for a role of another account.
    """
    if role_arn is not None and role_arn.split(":")[4] != region.account:
        raise Refused("AccessDeniedException", "Cross-account pass role is not allowed.")


def read_for(
    region: Region, job: Resource, location: str, *, recursive: bool = False
) -> Generator[tuple[str, BinaryIO]]:
    """Each object's key and content, which is there until the next is asked for.

    :raises Failed: with the `failureReason` of a job that may not read there.
    """
    try:
        role_arn = job.members.get("roleArn")
        if role_arn is None:
            raise AccessRefused
        yield from region.storage.read(location, role_arn=role_arn, job_arn=job.arn, recursive=recursive)
    except AccessRefused:
        raise Failed(_NO_ACCESS) from None


def write_for(
    region: Region, job: Resource, location: str, content: bytes, *, role_arn: str | None = None
) -> None:
    """
    :param role_arn: with which it is written, unless by the job's own.
    :raises Failed: with the `failureReason` of a job that may not write there.
    """
    try:
        region.storage.write(location, content, role_arn=role_arn or job.members["roleArn"], job_arn=job.arn)
    except AccessRefused:
        raise Failed(_NO_ACCESS) from None
