"""Who a user is in the exposures: their unit ids in every experiment whose salt is still known."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from recommendations.experiment import Experiment


def salts_of(appconfig: Any, *, application: str, profile: str) -> set[str]:
    """The salts of all versions of the configuration that AppConfig keeps.

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
    return salts


def units_of(salts: Collection[str], people: Collection[str]) -> list[str]:
    """The unit ids of a user.

    :param people: whom serving was asked for: the user's id, and sessions' ids while they were anonymous.
    """
    return sorted(Experiment(salt, 0, 0).assign(each).unit_id for salt in salts for each in people)


def _salt(content: bytes) -> str | None:
    """Also of a configuration that is not enabled, or that serving could not read."""
    try:
        salt = json.loads(content)["salt"]
    except (ValueError, TypeError, KeyError):
        return None
    return salt if isinstance(salt, str) else None
