"""Operations on campaigns and filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_cloud.personalize.errors import already_exists, in_use, invalid, limit_exceeded
from local_cloud.personalize.filters import parse_filter
from local_cloud.personalize.lifecycle import FAILED, PENDING
from local_cloud.personalize.region import Region
from local_cloud.personalize.store import Resource

MOST_CAMPAIGNS = 5
MOST_FILTERS = 30

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
    _check_sync(settings)
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
        },
        tags=request.get("tags", ()),
    )
    return {"campaignArn": arn}


def version_of(region: Region, arn: str) -> Resource:
    """The solution version that is meant, by `…/$LATEST` too.

    :raises Refused: ResourceNotFoundException, or ResourceInUseException unless it is ACTIVE.
    """
    if arn.endswith(_LATEST):
        solution = region.store.get("Solution", arn.removesuffix(_LATEST))
        versions = region.store.all("SolutionVersion", solutionArn=solution.arn)
        active = [version for version in versions if version.is_active]
        if not active:
            raise in_use(f"{solution.arn} has no ACTIVE solution version")
        return active[-1]
    return region.store.active("SolutionVersion", arn)


def _check_sync(settings: Request) -> None:
    follows = settings.get("campaignConfig", {}).get("syncWithLatestSolutionVersion", False)
    if follows and not settings["solutionVersionArn"].endswith(_LATEST):
        raise invalid("syncWithLatestSolutionVersion needs a solutionVersionArn that ends in /$LATEST")


def update_campaign(region: Region, request: Request) -> Answer:
    """The campaign serves as before until the update is ACTIVE."""
    campaign = region.store.get("Campaign", request["campaignArn"])
    if campaign.progress is not None or not (campaign.is_active or campaign.status == FAILED):
        raise in_use(f"{campaign.arn} has an update or another change in progress")
    settings = {key: request[key] for key in _SETTINGS if key in request}
    if "solutionVersionArn" in settings:
        version = version_of(region, settings["solutionVersionArn"])
        if version.members["solutionArn"] != campaign.members["solutionArn"]:
            raise invalid(f"{version.arn} is not a version of {campaign.members['solutionArn']}")
    new = {**{key: campaign.members[key] for key in _SETTINGS if key in campaign.members}, **settings}
    _check_sync(new)
    moment = region.clock.stamp()
    update = {**new, "status": PENDING, "creationDateTime": moment, "lastUpdatedDateTime": moment}
    campaign.members["latestCampaignUpdate"] = update

    def finish(_: Any) -> None:
        campaign.members.update(new, status="ACTIVE", lastUpdatedDateTime=update["lastUpdatedDateTime"])

    campaign.progress = region.being_created(update, finish=finish)
    return {"campaignArn": campaign.arn}


def delete_campaign(region: Region, request: Request) -> Answer:
    campaign = region.store.get("Campaign", request["campaignArn"])
    if campaign.progress is not None:
        raise in_use(f"{campaign.arn} has an update or another change in progress")
    region.delete(campaign)
    return {}


def create_filter(region: Region, request: Request) -> Answer:
    group = region.store.active("DatasetGroup", request["datasetGroupArn"])
    parse_filter(request["filterExpression"])
    arn = region.arn(f"filter/{request['name']}")
    if region.store.peek(arn) is not None:
        raise already_exists(arn)
    if len(region.store.all("Filter", datasetGroupArn=group.arn)) >= MOST_FILTERS:
        raise limit_exceeded(f"{group.arn} has {MOST_FILTERS} filters already")
    members = {key: value for key, value in request.items() if key != "tags"}
    region.create("Filter", arn, {**members, "filterArn": arn}, tags=request.get("tags", ()))
    return {"filterArn": arn}


def delete_filter(region: Region, request: Request) -> Answer:
    resource = region.store.get("Filter", request["filterArn"])
    if resource.progress is not None:
        raise in_use(f"{resource.arn} has status {resource.status}")
    region.delete(resource)
    return {}
