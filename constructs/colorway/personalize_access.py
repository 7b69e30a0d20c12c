"""Every right in Amazon Personalize that Colorway gives, in one place: CDK has no grants for it.

Actions and resource types: service authorization reference, "Amazon Personalize".
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from vocabulary.colours import Names


class PersonalizeAccess:
    """The rights of one deployment, which end at its own names.

    :param scope: any construct of the stack whose account and Region are meant.
    :param names: whose prefix the resources' names begin with.
    """

    def __init__(self, scope: Construct, *, names: Names) -> None:
        self._stack = cdk.Stack.of(scope)
        self._prefix = names.prefix

    def grant_get_recommendations(self, grantee: iam.IGrantable) -> iam.Grant:
        """Ask the campaigns of either colour, through their filters."""
        return self._grant(
            grantee, ["GetRecommendations", "GetPersonalizedRanking"], self._own("campaign", "filter")
        )

    def grant_change_campaigns(self, grantee: iam.IGrantable) -> iam.Grant:
        """Say what the campaigns of either colour provide."""
        return self._grant(grantee, ["DescribeCampaign", "UpdateCampaign"], self._own("campaign"))

    def grant_put_events(self, grantee: iam.IGrantable) -> iam.Grant:
        """Send events. Personalize refuses PutEvents unless it is allowed on every resource."""
        return self._grant(grantee, ["PutEvents"], ["*"])

    def grant_define_and_judge_solutions(self, grantee: iam.IGrantable) -> iam.Grant:
        """Create solutions and filters, and read the offline metrics of the solutions' versions."""
        self._grant(grantee, ["CreateFilter", "DescribeFilter"], self._own("dataset-group", "filter"))
        return self._grant(grantee, ["CreateSolution", "GetSolutionMetrics"], self.of_a_colour)

    def grant_see_colours(self, grantee: iam.IGrantable) -> iam.Grant:
        """See whether a colour exists, and since when."""
        return self._grant(grantee, ["DescribeDatasetGroup"], self._own("dataset-group"))

    def grant_retire(self, grantee: iam.IGrantable) -> iam.Grant:
        """Find and remove everything of a colour, and schemas that nothing uses any more."""
        kinds = ("Campaign", "Filter", "Solution", "EventTracker", "Dataset", "DatasetGroup", "Schema")
        self._grant(
            grantee,
            [
                "DescribeDatasetGroup",
                "StopSolutionVersionCreation",
                *(f"Delete{kind}" for kind in kinds),
            ],
            [*self.of_a_colour, *self._own("filter")],
        )
        # Somebody makes one by hand, of whatever name; only those of a colour's dataset group are listed
        self._grant(grantee, ["DeleteMetricAttribution"], [self._arn("metric-attribution", "*")])
        lists = (
            "Campaigns",
            "Filters",
            "Solutions",
            "SolutionVersions",
            "EventTrackers",
            "MetricAttributions",
            "Datasets",
            "Schemas",
        )
        # Lists cannot be narrowed to names
        return self._grant(grantee, [f"List{kind}" for kind in lists], ["*"])

    def grant_delete_users(self, grantee: iam.IGrantable) -> iam.Grant:
        """Have users deleted from every colour."""
        return self._grant(
            grantee, ["CreateDataDeletionJob"], self._own("dataset-group", "data-deletion-job")
        )

    def grant_manage(self, grantee: iam.IGrantable) -> iam.Grant:
        """Create, change and delete what a template may define in Personalize."""
        kinds = ("Schema", "DatasetGroup", "Dataset", "EventTracker", "Filter", "Solution", "Campaign")
        actions = [f"{verb}{kind}" for kind in kinds for verb in ("Create", "Describe", "Delete")]
        self._grant(
            grantee,
            [*actions, "UpdateCampaign"],
            [*self.of_a_colour, *self._own("filter")],
        )
        return self._grant(grantee, [f"List{kind}s" for kind in kinds], ["*"])

    @property
    def of_a_colour(self) -> list[str]:
        """The ARNs, as patterns, of all that a retraining makes."""
        own = self._own("dataset-group", "dataset", "dataset-import-job", "solution", "campaign", "schema")
        # The ARN of a tracker ends in random digits, not in its name
        return [*own, self._arn("event-tracker", "*")]

    def _own(self, *kinds: str) -> list[str]:
        return [self._arn(kind, f"{self._prefix}-*") for kind in kinds]

    def _arn(self, kind: str, name: str) -> str:
        return self._stack.format_arn(service="personalize", resource=kind, resource_name=name)

    @staticmethod
    def _grant(grantee: iam.IGrantable, actions: list[str], resources: list[str]) -> iam.Grant:
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=[f"personalize:{action}" for action in actions], resource_arns=resources
        )
