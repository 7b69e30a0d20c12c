"""Who a user is in the exposures: their unit ids in every experiment whose salt is still known."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from recommendations.experiment import Experiment
from vocabulary.hosted_configuration import versions_of


def salts_of(appconfig: Any, identifiers: str) -> set[str]:
    """The salts of all versions of the configuration that AppConfig keeps.

    An experiment that is over is known as long as one of its versions is: deleted ones are not.

    :param identifiers: `application/environment/profile`.
    """
    found = (_salt(content) for _, content in versions_of(appconfig, identifiers))
    return {salt for salt in found if salt is not None}


def units_of(salts: Collection[str], people: Collection[str]) -> list[str]:
    """The unit ids of a user.

    :param people: whom serving was asked for: the user's id, and sessions' ids while they were anonymous.
    """
    return sorted(Experiment(salt, 0, 0).assign(each).unit_id for salt in salts for each in people)


def _salt(content: bytes) -> str | None:
    """Also of a configuration that is not enabled, or whose shares serving could not read."""
    try:
        salt = json.loads(content)["salt"]
        salt.encode()  # what is no Unicode text has never stood for anybody
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return str(salt)
