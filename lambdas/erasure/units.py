"""Who a user is in the exposures: their unit id in every experiment whose salt is still known."""

from __future__ import annotations

import json
from typing import Any

from recommendations.experiment import Experiment


def units_of(appconfig: Any, *, application: str, profile: str, user_id: str) -> list[str]:
    """The user's unit ids, by the salts of all versions of the configuration that AppConfig keeps.

    An experiment that is over is known as long as one of its versions is: deleted ones are not.
    """
    where = {"ApplicationId": application, "ConfigurationProfileId": profile}
    salts: set[str] = set()
    for page in appconfig.get_paginator("list_hosted_configuration_versions").paginate(**where):
        for version in page["Items"]:
            content = appconfig.get_hosted_configuration_version(
                **where, VersionNumber=version["VersionNumber"]
            )["Content"].read()
            if (salt := _salt(content)) is not None:
                salts.add(salt)
    return sorted(Experiment(salt, 0, 0).assign(user_id).unit_id for salt in salts)


def _salt(content: bytes) -> str | None:
    """Also of a configuration that is not enabled, or that serving could not read."""
    try:
        salt = json.loads(content)["salt"]
    except (ValueError, TypeError, KeyError):
        return None
    return salt if isinstance(salt, str) else None
