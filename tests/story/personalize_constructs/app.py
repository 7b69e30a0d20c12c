"""A stack that uses every construct of `colorway.personalize`; what differs between deploys is context."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from colorway.bucket_emptying import BucketEmptying
from colorway.personalize import (
    Campaign,
    Dataset,
    DatasetGroup,
    EventTracker,
    Filter,
    PersonalizeResources,
    Schema,
    Solution,
)
from colorway.training_bucket import TrainingBucket
from stacks.environment import LOCAL
from vocabulary.colours import Names
from vocabulary.schemas import INTERACTIONS_SCHEMA, ITEMS_SCHEMA


class SevenStack(cdk.Stack):
    """Define one resource of each kind; a campaign as soon as there is a trained version."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        filter_name: str,
        items_schema: str,
        version: str | None,
        min_provisioned_tps: int,
        **stack_props: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_props)
        resources = PersonalizeResources(
            self,
            "Personalize",
            names=Names("seven", "test"),
            runtime=LOCAL.runtime,
            architecture=LOCAL.architecture,
        )
        group = DatasetGroup(self, "Group", resources=resources, name="seven-test-group")
        interactions = Schema(
            self, "Interactions", resources=resources, kind="interactions", schema=INTERACTIONS_SCHEMA
        )
        Schema(self, "Items", resources=resources, kind="items", schema=items_schema)
        Dataset(
            self,
            "Dataset",
            dataset_group=group,
            name="seven-test-interactions",
            dataset_type="Interactions",
            schema=interactions,
        )
        tracker = EventTracker(self, "Tracker", dataset_group=group, name="seven-test-tracker")
        Filter(
            self,
            "Purchased",
            dataset_group=group,
            name=filter_name,
            expression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")',
        )
        solution = Solution(
            self, "Solution", dataset_group=group, name="seven-test-rows", recipe="aws-user-personalization"
        )
        if version:
            Campaign(
                self,
                "Campaign",
                solution=solution,
                name="seven-test-rows",
                solution_version_arn=version,
                min_provisioned_tps=min_provisioned_tps,
            )
        training = TrainingBucket(self, "Training", keep_data=False)
        BucketEmptying(
            self,
            "BucketEmptying",
            buckets=[training.bucket],
            runtime=LOCAL.runtime,
            architecture=LOCAL.architecture,
        )
        cdk.CfnOutput(self, "GroupArn", value=group.arn)
        cdk.CfnOutput(self, "SolutionArn", value=solution.arn)
        cdk.CfnOutput(self, "TrackingId", value=tracker.tracking_id)
        cdk.CfnOutput(self, "Bucket", value=training.bucket.bucket_name)
        cdk.CfnOutput(self, "RoleArn", value=training.import_role.role_arn)


if __name__ == "__main__":
    app = cdk.App()
    context = app.node.try_get_context
    SevenStack(
        app,
        "seven-test",
        filter_name=context("filter_name") or "seven-test-purchased",
        items_schema=context("items_schema") or ITEMS_SCHEMA,
        version=context("version"),
        min_provisioned_tps=context("min_provisioned_tps") or 1,
        env=cdk.Environment(account=LOCAL.account, region=LOCAL.region),
        synthesizer=cdk.CliCredentialsStackSynthesizer(),
    )
    app.synth()
