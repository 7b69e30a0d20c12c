"""The two colours of a deployment and the rules of their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

Colour = Literal["maize", "blue"]

COLOURS: Final[tuple[Colour, Colour]] = ("maize", "blue")

NO_COLOUR: Final = "none"
"""What the live pointer says before the first training."""

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,62}")
"""Amazon Personalize's `Name` (botocore service model `personalize`)."""


def colour_of(value: str) -> Colour:
    """Read a colour; a ValueError names the value and what is allowed."""
    if value not in COLOURS:
        raise ValueError(f"colour must be one of {', '.join(COLOURS)}, got {value!r}")
    return value


def live_colour_of(pointer: str) -> Colour | None:
    """Read the live pointer: a colour, or None before the first training."""
    return None if pointer == NO_COLOUR else colour_of(pointer)


def other(colour: Colour) -> Colour:
    """The colour that `colour` is not."""
    return "blue" if colour == "maize" else "maize"


def run_id_of(moment: datetime) -> str:
    """The id of a retraining that starts at `moment`: `YYYYMMDDTHHMMSS` in UTC."""
    if moment.tzinfo is None:
        raise ValueError(f"moment must carry a time zone, got {moment!r}")
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%S")


@dataclass(frozen=True)
class Names:
    """Names of everything in Amazon Personalize that belongs to one deployment.

    Names are unique per account, Region and resource type, so each carries the
    app and the environment; what both colours have carries the colour too.
    """

    app: str
    environment: str

    @property
    def prefix(self) -> str:
        return f"{self.app}-{self.environment}"

    def dataset_group(self, colour: Colour) -> str:
        return _checked(f"{self.prefix}-{colour}")

    def solution(self, colour: Colour, placement: str) -> str:
        """Fixed per colour, so that ARNs and the metrics that carry them are stable."""
        return _checked(f"{self.prefix}-{colour}-{placement}")

    campaign = solution

    def filter(self, colour: Colour, placement: str, name: str) -> str:
        """A placement's filter, by the name that clients know it under."""
        return _checked(f"{self.prefix}-{colour}-{placement}-{name}")

    def job(self, colour: Colour, run_id: str, what: str = "") -> str:
        """An import job or a solution version of one run; `what` tells several apart."""
        return _checked("-".join(part for part in (self.prefix, colour, run_id, what) if part))

    @property
    def live_pointer(self) -> str:
        """The SSM parameter that says which colour is live."""
        return f"/{self.app}/{self.environment}/live-colour"


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is not a name Amazon Personalize takes: at most 63 letters, digits, '-' and '_'"
        )
    return name


def personalize_arn(partition: str, region: str, account: str, kind: str, name: str) -> str:
    """The ARN of a named Personalize resource, e.g. kind `campaign`, `solution`, `dataset-group`."""
    return f"arn:{partition}:personalize:{region}:{account}:{kind}/{name}"
