"""Brings each campaign to the floor that is due: again and again, so that nothing has to happen just once.

A raise whose moment was missed is made up for, one that is over is taken back, and a campaign that a
retraining has made meanwhile gets it within minutes. That may be after the traffic has moved to it, which is
why a drop is better not at night.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from vocabulary.colours import COLOURS, Colour, Names
from vocabulary.drops import Drop, floor_at
from vocabulary.placements import Placement

State = Literal["there", "on its way", "asked for", "failed"]


class Floor(NamedTuple):
    """What was found of one campaign, and done about it.

    :param provided: its minProvisionedTPS, or None where that could not be read.
    :param due: what it ought to be.
    :param problem: why it is not there and not on its way, or None.
    """

    placement: str
    colour: Colour
    provided: int | None
    due: int
    state: State
    problem: str | None = None


def bring_about(
    personalize: Any,
    *,
    names: Names,
    placements: Sequence[Placement],
    drops: Iterable[Drop],
    arn_of: Callable[[str], str],
    at: datetime,
) -> list[Floor]:
    """Ask for what is due of every campaign that there is, of either colour.

    The colour that is not live is there only while it is about to take over, or is the way back:
    then it must bear as much. An update leaves a campaign serving as it is until it is through.

    :param arn_of: the ARN of a campaign by its name.
    """
    drops = tuple(drops)
    found = []
    for placement in placements:
        due = floor_at(at, placement.name, placement.min_provisioned_tps, drops)
        for colour in COLOURS:
            arn = arn_of(names.campaign(colour, placement.name))
            try:
                floor = _bring(personalize, arn, placement.name, colour, due)
            except Exception as error:  # one campaign's trouble must not keep the others waiting
                floor = Floor(placement.name, colour, None, due, "failed", f"{type(error).__name__}: {error}")
            if floor is not None:
                found.append(floor)
    return found


def _bring(personalize: Any, arn: str, placement: str, colour: Colour, due: int) -> Floor | None:
    try:
        campaign = personalize.describe_campaign(campaignArn=arn)["campaign"]
    except personalize.exceptions.ResourceNotFoundException:
        return None
    if campaign["status"] != "ACTIVE":
        return None  # being made, torn down, or failed: the retraining's business
    provided = int(campaign["minProvisionedTPS"])
    update = campaign.get("latestCampaignUpdate") or {}
    if update.get("status", "ACTIVE") not in ("ACTIVE", "CREATE FAILED"):
        return Floor(placement, colour, provided, due, "on its way")
    if provided == due:
        return Floor(placement, colour, provided, due, "there")
    try:
        personalize.update_campaign(campaignArn=arn, minProvisionedTPS=due)
    except Exception as error:  # what it provides, and costs, is known all the same
        return Floor(placement, colour, provided, due, "failed", f"{type(error).__name__}: {error}")
    if update.get("status") == "CREATE FAILED" and update.get("minProvisionedTPS") == due:
        reason = update.get("failureReason") or "no reason given"
        return Floor(placement, colour, provided, due, "failed", f"the last update failed: {reason}")
    return Floor(placement, colour, provided, due, "asked for")
