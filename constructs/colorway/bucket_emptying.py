"""The end of buckets that are not kept: `cdk destroy` empties them, since CloudFormation does not."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from colorway.custom_resource_function import CustomResourceFunction


class BucketEmptying(Construct):
    """Define that buckets are emptied when the stack is destroyed, and only then.

    CDK's `auto_delete_objects` does the same with a Node.js function, and wildcards of actions in the
    buckets' policies (docs/decisions/0017-backup-and-removal.md).

    :param buckets: with removal policy DESTROY; old versions go too.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        buckets: Sequence[s3.Bucket],
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
    ) -> None:
        super().__init__(scope, construct_id)
        emptier = CustomResourceFunction(
            self,
            "Emptier",
            handler="personalize_resources.emptying_handler.handle",
            description="Empties the buckets of a deployment when its stack is destroyed",
            environment={"BUCKETS": ",".join(bucket.bucket_name for bucket in buckets)},
            runtime=runtime,
            architecture=architecture,
        )
        for actions, resources in (
            (["cloudformation:DescribeStacks"], [cdk.Aws.STACK_ID]),
            (["s3:ListBucketVersions"], [bucket.bucket_arn for bucket in buckets]),
            (
                ["s3:DeleteObject", "s3:DeleteObjectVersion"],
                [bucket.arn_for_objects("*") for bucket in buckets],
            ),
        ):
            emptier.function.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=resources))
        # The buckets' policies too: they must be there until the buckets are empty
        emptier.define(self, "Resource", resource_type="Custom::BucketEmptying", after=buckets)
