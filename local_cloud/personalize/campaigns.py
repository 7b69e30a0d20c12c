"""Operations on campaigns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_cloud.personalize import recipes
from local_cloud.personalize.errors import already_exists, in_use, invalid, limit_exceeded
from local_cloud.personalize.lifecycle import FAILED
from local_cloud.personalize.region import Job, Region
from local_cloud.personalize.selection import check_metadata, exploration_of
from local_cloud.personalize.store import Resource

MOST_CAMPAIGNS = 5

_LATEST = "/$LATEST"
_SETTINGS = ("solutionVersionArn", "minProvisionedTPS", "campaignConfig")

Request = Mapping[str, Any]
Answer = dict[str, Any]


def create_campaign(region: Region, request: Request) -> Answer:
    version = version_of(region, request["solutionVersionArn"])
    arn = region.arn(f"campaign/{request['name']}")
    if region.store.peek(arn) is not None:
        raise already_exists(arn)
    group = version.members["datasetGroupArn"]
    if len(region.store.all("Campaign", datasetGroupArn=group)) >= MOST_CAMPAIGNS:
        raise limit_exceeded(
            f"Cannot create a campaign. More than {MOST_CAMPAIGNS} resources in ACTIVE state. "
            "Please delete some and try again."
        )
    settings = {key: request[key] for key in _SETTINGS if key in request}
    _check_settings(region, settings, version)
    region.create(
        "Campaign",
        arn,
        {
            "minProvisionedTPS": 1,
            **settings,
            "name": request["name"],
            "campaignArn": arn,
            "solutionArn": version.members["solutionArn"],
            "datasetGroupArn": group,
            "served": version.arn,
        },
        tags=request.get("tags", ()),
    )
    return {"campaignArn": arn}


def version_of(region: Region, arn: str) -> Resource:
    """The solution version that is meant, by `…/$LATEST` too.

    :raises Refused: ResourceNotFoundException, or ResourceInUseException unless it is ACTIVE.
    """
    if arn.endswith(_LATEST):
        solution = region.store.active("Solution", arn.removesuffix(_LATEST))
        versions = region.store.all("SolutionVersion", solutionArn=solution.arn)
        active = [version for version in versions if version.is_active]
        if not active:
            raise in_use(f"{solution.arn} has no ACTIVE solution version")
        return active[-1]
    version = region.store.active("SolutionVersion", arn)
    region.store.active("Solution", version.members["solutionArn"])  # Which may be on its way out, with it
    return version


def _check_settings(region: Region, settings: Request, version: Resource) -> None:
    config = settings.get("campaignConfig", {})
    if config.get("syncWithLatestSolutionVersion") and not settings["solutionVersionArn"].endswith(_LATEST):
        raise invalid("syncWithLatestSolutionVersion needs a solutionVersionArn that ends in /$LATEST")
    exploration_of(recipes.name_of(version.members["recipeArn"]), config)
    check_metadata(region, version.members["datasetGroupArn"], config)
    for name, influence in config.get("rankingInfluence", {}).items():
        if not 0 <= influence <= 1:
            raise invalid(f"rankingInfluence of {name} must be from 0 to 1, got {influence}")


def update_campaign(region: Region, request: Request) -> Answer:
    """The campaign serves as before until the update is ACTIVE."""
    campaign = region.store.get("Campaign", request["campaignArn"])
    if campaign.progress is not None or not (campaign.is_active or campaign.status == FAILED):
        raise in_use(f"{campaign.arn} has an update or another change in progress")
    settings = {key: request[key] for key in _SETTINGS if key in request}
    if not settings:
        raise invalid(f"One of {', '.join(_SETTINGS)} must be given")
    new = {**{key: campaign.members[key] for key in _SETTINGS if key in campaign.members}, **settings}
    version = version_of(region, new["solutionVersionArn"])
    if version.members["solutionArn"] != campaign.members["solutionArn"]:
        raise invalid(f"{version.arn} is not a version of {campaign.members['solutionArn']}")
    _check_settings(region, new, version)
    _update(region, campaign, new, version)
    return {"campaignArn": campaign.arn}


def _update(region: Region, campaign: Resource, new: Request, version: Resource) -> None:
    new = {**new, "served": version.arn}
    region.update(campaign, new, member="latestCampaignUpdate", job=update_job(region, campaign, new))


def update_job(region: Region, campaign: Resource, new: Request) -> Job:
    """What an update changes once it is ACTIVE."""

    def finish(_: Any) -> None:
        changed = {key: new[key] for key in (*_SETTINGS, "served") if key in new}
        campaign.members.update(changed, status="ACTIVE", lastUpdatedDateTime=region.clock.stamp())
        campaign.members.pop("failureReason", None)

    return Job(finish=finish)


def follow_latest(region: Region) -> None:
    """Update every campaign that syncs with the latest solution version of which there is a newer one.

    API reference, `CampaignConfig`; "UpdateCampaign": it serves the old one until the update is ACTIVE.
    """
    for campaign in region.store.everything():
        if campaign.kind != "Campaign" or not campaign.is_active or campaign.progress is not None:
            continue
        if campaign.members.get("campaignConfig", {}).get("syncWithLatestSolutionVersion"):
            newest = [
                version
                for version in region.store.everything()
                if version.kind == "SolutionVersion"
                and version.members["solutionArn"] == campaign.members["solutionArn"]
                and version.is_active
            ][-1:]
            if newest and newest[0].arn != campaign.members["served"]:
                settings = {key: campaign.members[key] for key in _SETTINGS if key in campaign.members}
                _update(region, campaign, settings, newest[0])


def delete_campaign(region: Region, request: Request) -> Answer:
    campaign = region.store.get("Campaign", request["campaignArn"])
    if campaign.progress is not None:
        raise in_use(f"{campaign.arn} has an update or another change in progress")
    region.delete(campaign)
    return {}
