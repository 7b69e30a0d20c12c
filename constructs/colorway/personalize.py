"""Amazon Personalize in a template: what CloudFormation is to own of it, as constructs.

A changed property means a new resource and the deletion of the old one, except
for a campaign, which is updated in place. A new resource needs a new name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, DependencyGroup, IDependable

from colorway.custom_resource_function import CustomResourceFunction
from colorway.personalize_access import PersonalizeAccess
from vocabulary.colours import Names
from vocabulary.schemas import schema_name

DatasetType = Literal["Interactions", "Items", "Users", "Actions", "Action_Interactions"]


class PersonalizeResources(Construct):
    """Define the function behind every resource below; a stack needs one.

    :param names: whose prefix every name begins with; the function's rights end there.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
    ) -> None:
        super().__init__(scope, construct_id)
        self.names = names
        self._maker = CustomResourceFunction(
            self,
            "Maker",
            handler="personalize_resources.handler.handle",
            description="Creates, changes and deletes resources of Amazon Personalize for CloudFormation",
            runtime=runtime,
            architecture=architecture,
        )
        self.function = self._maker.function
        PersonalizeAccess(self, names=names).grant_manage(self.function)

    def define(
        self, scope: Construct, kind: str, properties: Mapping[str, Any], *after: IDependable
    ) -> cdk.CustomResource:
        """Define a resource of Personalize as `scope`'s own.

        :param kind: `Schema`, `DatasetGroup`, …
        :raises ValueError: when the name is not one that the function may manage.
        """
        name = properties["Name"]
        if not name.startswith(f"{self.names.prefix}-"):
            raise ValueError(f"name must begin with {self.names.prefix}-, got {name!r}")
        return self._maker.define(
            scope,
            "Resource",
            resource_type=f"Custom::Personalize{kind}",
            properties=properties,
            after=after,
        )


class Schema(Construct):
    """Define the schema of a dataset.

    Its name carries a hash of it: a changed schema is a new one, and the old one
    is left as long as a dataset uses it.

    :param kind: what it is of, for its name: `interactions`.
    :param schema: Avro, as JSON text.
    :param swept: somebody else deletes the old one (see `retirement.sweep_schemas`). For a schema that may
        be about to be used when a deploy replaces it, by whoever knew it before.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        resources: PersonalizeResources,
        kind: str,
        schema: str,
        swept: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        self.schema_name = schema_name(resources.names.prefix, kind, schema)
        # One that is swept is a resource of its own in the template too: then CloudFormation retains the
        # old one as removed, whereas what a custom resource replaces is always sent a Delete
        owner = Construct(self, self.schema_name.rpartition("-")[2]) if swept else self
        resource = resources.define(owner, "Schema", {"Name": self.schema_name, "Schema": schema})
        if swept:
            resource.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        self.arn = resource.ref


class DatasetGroup(Construct):
    """Define a dataset group; an account has 5 of them per Region."""

    def __init__(
        self, scope: Construct, construct_id: str, *, resources: PersonalizeResources, name: str
    ) -> None:
        super().__init__(scope, construct_id)
        self.resources = resources
        self.arn = resources.define(self, "DatasetGroup", {"Name": name}).ref
        self.datasets = DependencyGroup()
        """What else is in the group is made after its datasets, and deleted before them."""


class Dataset(Construct):
    """Define a dataset; a group has one of each type."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        dataset_group: DatasetGroup,
        name: str,
        dataset_type: DatasetType,
        schema: Schema,
    ) -> None:
        super().__init__(scope, construct_id)
        self.arn = dataset_group.resources.define(
            self,
            "Dataset",
            {
                "Name": name,
                "DatasetGroupArn": dataset_group.arn,
                "DatasetType": dataset_type,
                "SchemaArn": schema.arn,
            },
        ).ref
        dataset_group.datasets.add(self)


class EventTracker(Construct):
    """Define the event tracker of a group, which must have an Interactions dataset.

    `tracking_id` is what PutEvents takes.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, dataset_group: DatasetGroup, name: str
    ) -> None:
        super().__init__(scope, construct_id)
        resource = dataset_group.resources.define(
            self,
            "EventTracker",
            {"Name": name, "DatasetGroupArn": dataset_group.arn},
            dataset_group.datasets,
        )
        self.arn = resource.ref
        self.tracking_id = resource.get_att_string("TrackingId")


class Filter(Construct):
    """Define a filter of recommendations.

    :param expression: e.g. `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")`.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, dataset_group: DatasetGroup, name: str, expression: str
    ) -> None:
        super().__init__(scope, construct_id)
        self.arn = dataset_group.resources.define(
            self,
            "Filter",
            {"Name": name, "DatasetGroupArn": dataset_group.arn, "FilterExpression": expression},
            dataset_group.datasets,
        ).ref


class Solution(Construct):
    """Define a solution: a recipe and its parameters.

    Training a version of it takes hours, and is not done here.

    :param recipe: name of a recipe without its ARN, e.g. `aws-user-personalization`.
    :param event_type: train on events of this type only.
    :param hyperparameters: `algorithmHyperParameters`.
    :param train_automatically: train every week, and be billed for it; off unless told, unlike
        Personalize's own default.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        dataset_group: DatasetGroup,
        name: str,
        recipe: str,
        event_type: str | None = None,
        hyperparameters: Mapping[str, str] | None = None,
        train_automatically: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        self.resources = dataset_group.resources
        config = {"AlgorithmHyperParameters": dict(hyperparameters)} if hyperparameters else None
        self.arn = self.resources.define(
            self,
            "Solution",
            {
                "Name": name,
                "DatasetGroupArn": dataset_group.arn,
                # Recipes are Personalize's own: their ARNs have neither Region nor account
                "RecipeArn": f"arn:{cdk.Aws.PARTITION}:personalize:::recipe/{recipe}",
                "EventType": event_type,
                "PerformAutoTraining": train_automatically,
                "SolutionConfig": config,
            },
            dataset_group.datasets,
        ).ref


class Campaign(Construct):
    """Define a campaign: a trained version of a solution, standing by for requests.

    :param solution: which it is of.
    :param solution_version_arn: an ACTIVE version of the solution.
    :param min_provisioned_tps: the paid floor of requests a second, at least 1.
    :param exploration: `itemExplorationConfig`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        solution: Solution,
        name: str,
        solution_version_arn: str,
        min_provisioned_tps: int = 1,
        exploration: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        if min_provisioned_tps < 1:
            raise ValueError(f"min_provisioned_tps must be at least 1, got {min_provisioned_tps}")
        config = {"ItemExplorationConfig": dict(exploration)} if exploration else None
        self.arn = solution.resources.define(
            self,
            "Campaign",
            {
                "Name": name,
                "SolutionVersionArn": solution_version_arn,
                "MinProvisionedTPS": min_provisioned_tps,
                "CampaignConfig": config,
            },
            solution,  # deleted after it
        ).ref
