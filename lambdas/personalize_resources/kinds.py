"""What is to know about each resource type of Amazon Personalize that CloudFormation may own.

Everything regular follows from the type's name (`DatasetGroup`: operation
`CreateDatasetGroup`, ARN in member `datasetGroupArn`, described in member
`datasetGroup`); the table holds the rest. Members and statuses: botocore's
service model `personalize`, which the tests hold this table against.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from botocore import xform_name

_RESOURCE_TYPE: Final = "Custom::Personalize"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One resource type.

    :param name: as in the names of its operations, e.g. `EventTracker`.
    :param properties: members of the create operation's input that a template may give.
    :param updatable: those that the update operation changes in place; any other needs a new resource.
    :param defaults: what is passed where the template says nothing.
    :param attributes: members of its description that templates may refer to, beside the ARN.
    :param has_status: whether it takes time to come and go; otherwise both happen at once.
    :param may_stay: whether one in use is left behind when CloudFormation deletes it.
    :param update_path: the member of its description that holds the latest update and its status.
    :param summaries: the member of the list operation's output, where it is not the usual one.
    """

    name: str
    properties: tuple[str, ...]
    updatable: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    has_status: bool = True
    may_stay: bool = False
    update_path: str | None = None
    summaries: str | None = None

    @property
    def resource_type(self) -> str:
        """In templates: `Custom::PersonalizeEventTracker`."""
        return _RESOURCE_TYPE + self.name

    @property
    def member(self) -> str:
        """The member of the describe operation's output: `eventTracker`."""
        return self.name[0].lower() + self.name[1:]

    @property
    def arn_member(self) -> str:
        """The member that carries the ARN: `eventTrackerArn`."""
        return f"{self.member}Arn"

    @property
    def list_member(self) -> str:
        return self.summaries or f"{self.member}s"

    def operation(self, verb: str) -> str:
        """The name of a boto3 client method: `create_event_tracker`."""
        plural = "s" if verb == "List" else ""
        return str(xform_name(f"{verb}{self.name}{plural}"))


KINDS: Final = {
    kind.name: kind
    for kind in (
        # A dataset may still use it when CloudFormation is done with it; the next retirement sweeps it
        Kind(name="Schema", properties=("name", "schema", "domain"), has_status=False, may_stay=True),
        Kind(name="DatasetGroup", properties=("name", "domain")),
        Kind(name="Dataset", properties=("name", "datasetType", "datasetGroupArn", "schemaArn")),
        Kind(name="EventTracker", properties=("name", "datasetGroupArn"), attributes=("trackingId",)),
        Kind(name="Filter", properties=("name", "datasetGroupArn", "filterExpression"), summaries="Filters"),
        Kind(
            name="Solution",
            properties=(
                "name",
                "datasetGroupArn",
                "recipeArn",
                "eventType",
                "performHPO",
                "performAutoTraining",
                "solutionConfig",
            ),
            # Personalize's own default trains every week, and bills for it
            defaults={"performAutoTraining": False},
        ),
        Kind(
            name="Campaign",
            properties=("name", "solutionVersionArn", "minProvisionedTPS", "campaignConfig"),
            updatable=frozenset({"solutionVersionArn", "minProvisionedTPS", "campaignConfig"}),
            update_path="latestCampaignUpdate",
        ),
    )
}


def kind_of(resource_type: str) -> Kind:
    """The kind that a template calls `Custom::Personalize…`; a ValueError names what is allowed."""
    kind = KINDS.get(resource_type.removeprefix(_RESOURCE_TYPE))
    if kind is None or kind.resource_type != resource_type:
        allowed = ", ".join(each.resource_type for each in KINDS.values())
        raise ValueError(f"resource type must be one of {allowed}, got {resource_type!r}")
    return kind
