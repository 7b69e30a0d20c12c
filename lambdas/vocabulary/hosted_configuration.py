"""What AppConfig keeps of a hosted configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def versions_of(appconfig: Any, identifiers: str) -> Iterator[tuple[int, bytes]]:
    """Number and content of every version that was not deleted, in no order.

    :param appconfig: a boto3 client.
    :param identifiers: `application/environment/profile`, by their ids.
    """
    application, _, profile = identifiers.split("/")
    which = {"ApplicationId": application, "ConfigurationProfileId": profile}
    for page in appconfig.get_paginator("list_hosted_configuration_versions").paginate(**which):
        for each in page["Items"]:
            number = int(each["VersionNumber"])
            yield (
                number,
                appconfig.get_hosted_configuration_version(**which, VersionNumber=number)["Content"].read(),
            )
