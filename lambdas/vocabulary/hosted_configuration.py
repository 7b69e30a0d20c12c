"""What AppConfig keeps of a hosted configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final


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


def deployments_of(appconfig: Any, identifiers: str) -> list[tuple[int, bool]]:
    """Which version each deployment deployed, first to last, and whether it was taken back.

    Each of ours is of the one profile that its environment has. One that an alarm or a person took back
    reached clients until then.
    """
    application, environment, _ = identifiers.split("/")
    pages = appconfig.get_paginator("list_deployments").paginate(
        ApplicationId=application, EnvironmentId=environment
    )
    found = [
        each for page in pages for each in page["Items"]
    ]  # newest first (API reference, ListDeployments)
    return [
        (int(each["ConfigurationVersion"]), each["State"] in _TAKEN_BACK)
        for each in sorted(found, key=lambda each: int(each["DeploymentNumber"]))
    ]


_TAKEN_BACK: Final = ("ROLLING_BACK", "ROLLED_BACK", "REVERTED")
