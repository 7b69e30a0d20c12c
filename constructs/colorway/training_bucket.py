"""Where training data lie for Amazon Personalize to import."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from colorway.data_lake import private_bucket
from vocabulary.lake import ERASURES_FOLDER, RUNS_FOLDER

_KEEP_ERASURES = cdk.Duration.days(7)
"""Personalize works on a data deletion job for up to a day."""


class TrainingBucket(Construct):
    """Define the training bucket and let Personalize read it.

    Personalize demands the rights twice, of the bucket and of the role that an
    import names (developer guide, "Giving Personalize access to Amazon S3").

    :param keep_runs: how long the data and reports of a run are kept.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        keep_data: bool,
        keep_runs: cdk.Duration = cdk.Duration.days(30),
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = private_bucket(
            self,
            "Bucket",
            keep_data=keep_data,
            lifecycle=[
                s3.LifecycleRule(prefix=f"{RUNS_FOLDER}/", expiration=keep_runs),
                s3.LifecycleRule(prefix=f"{ERASURES_FOLDER}/", expiration=_KEEP_ERASURES),
            ],
        )
        imported = [self.bucket.arn_for_objects(f"{folder}/*") for folder in (RUNS_FOLDER, ERASURES_FOLDER)]
        personalize = iam.ServicePrincipal("personalize.amazonaws.com")
        ours = {"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}}
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[personalize],
                actions=["s3:GetObject"],
                resources=imported,
                conditions=ours,
            )
        )
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[personalize],
                actions=["s3:ListBucket"],
                resources=[self.bucket.bucket_arn],
                conditions=ours,
            )
        )
        self.import_role = iam.Role(
            self,
            "ImportRole",
            description="Personalize reads training data with it",
            assumed_by=iam.ServicePrincipal(
                "personalize.amazonaws.com",
                conditions={
                    **ours,
                    "ArnLike": {
                        "aws:SourceArn": cdk.Stack.of(self).format_arn(service="personalize", resource="*")
                    },
                },
            ),
        )
        self.import_role.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=imported))
        self.import_role.add_to_policy(
            iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self.bucket.bucket_arn])
        )

    def grant_pass_import_role(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` hand the import role to Personalize, and to nobody else."""
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["iam:PassRole"],
            resource_arns=[self.import_role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}},
        )
