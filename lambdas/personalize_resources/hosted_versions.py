"""Versions of a configuration, which go with its stack: AppConfig deletes no profile that has any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from personalize_resources.continuation import Memory
from personalize_resources.responses import Outcome
from personalize_resources.stack_status import is_being_deleted

PHYSICAL_ID: Final = "hosted-versions"
"""Always the same, so that no update is ever taken for a replacement, which would end in a Delete."""


@dataclass(frozen=True, kw_only=True)
class HostedVersions:
    """All versions of one profile, whoever made them.

    :param aws: client of a service by its boto3 name.
    :param experiment: `application/environment/profile`, by their ids.
    """

    aws: Callable[[str], Any]
    experiment: str

    def step(self, event: Mapping[str, Any], memory: Memory) -> Outcome | str:
        """Delete a page of versions; only the deletion of the whole stack makes it act."""
        memory["physical_id"] = PHYSICAL_ID
        if not is_being_deleted(self.aws, event):
            return Outcome(physical_id=PHYSICAL_ID)
        application, _, profile = self.experiment.split("/")
        which = {"ApplicationId": application, "ConfigurationProfileId": profile}
        appconfig = self.aws("appconfig")
        found = appconfig.list_hosted_configuration_versions(**which)["Items"]
        if not found:
            return Outcome(physical_id=PHYSICAL_ID)
        for each in found:
            with suppress(appconfig.exceptions.ResourceNotFoundException):  # by an earlier delivery
                appconfig.delete_hosted_configuration_version(**which, VersionNumber=each["VersionNumber"])
        memory["deleted"] = memory.get("deleted", 0) + len(found)
        return f"profile {profile}: {memory['deleted']} versions deleted so far"
