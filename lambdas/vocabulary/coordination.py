"""The coordination table: who retrains, and which colours take events from when on.

One DynamoDB table, partition key `key` (string), no sort key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from vocabulary.colours import Colour, colour_of

TABLE_KEY: Final = "key"

RUN_LOCK: Final = "run-lock"
"""The item that holds the one running retraining: `holder` (execution ARN), `run_id`, `acquired_at`."""


def open_colour_key(colour: Colour) -> str:
    return f"open-colour#{colour}"


@dataclass(frozen=True)
class OpenColour:
    """A colour whose event tracker takes events.

    `cutoff` is in unix milliseconds: events received before it reach the colour
    by bulk import, those received at or after it by PutEvents, none by both.
    """

    colour: Colour
    tracking_id: str
    dataset_group_arn: str
    cutoff: int
    run_id: str

    def to_item(self) -> dict[str, Any]:
        """As a boto3 Table item."""
        return {
            TABLE_KEY: open_colour_key(self.colour),
            "colour": self.colour,
            "tracking_id": self.tracking_id,
            "dataset_group_arn": self.dataset_group_arn,
            "cutoff": self.cutoff,
            "run_id": self.run_id,
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> OpenColour:
        return cls(
            colour=colour_of(item["colour"]),
            tracking_id=item["tracking_id"],
            dataset_group_arn=item["dataset_group_arn"],
            cutoff=int(item["cutoff"]),
            run_id=item["run_id"],
        )
