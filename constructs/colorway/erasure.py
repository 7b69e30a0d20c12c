"""A user's erasure: from the lake, from what runs have left, and from every colour."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from colorway.data_lake import DataLake
from colorway.experiment import Experiment
from colorway.personalize_access import PersonalizeAccess
from colorway.python_function import PythonFunction
from colorway.training_bucket import TrainingBucket
from colorway.wheel_layer import WheelLayer
from vocabulary.colours import Names
from vocabulary.lake import ERASURES_FOLDER, EVENTS_FOLDER, EXPOSURES_FOLDER, RUNS_FOLDER, USERS_FOLDER


class Erasure(Construct):
    """Define the function that `make erase` invokes, a step at a time.

    Files of the lake come to it, not to whoever asks for the erasure: no data leave the account.

    :param experiment: whose salts tell who a user is in the exposures.
    :param wheels: folder of DuckDB's wheel for this runtime and architecture, see `WheelLayer`.
    :param disk: for two files of the lake at a time.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        lake: DataLake,
        training: TrainingBucket,
        experiment: Experiment,
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
        wheels: Path,
        disk: cdk.Size | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        layer = WheelLayer(
            self,
            "DuckDb",
            wheels=wheels,
            runtime=runtime,
            architecture=architecture,
            description="DuckDB, which rewrites the lake's files",
        )
        self.function = PythonFunction(
            self,
            "Function",
            handler="erasure.handler.handle",
            packages=["recommendations"],
            runtime=runtime,
            architecture=architecture,
            description="Takes a user out of the lake and of every colour",
            layers=[layer],
            environment={
                "APP": names.app,
                "ENVIRONMENT": names.environment,
                "PARTITION": cdk.Aws.PARTITION,
                "ACCOUNT": cdk.Aws.ACCOUNT_ID,
                "LAKE_BUCKET": lake.bucket.bucket_name,
                "TRAINING_BUCKET": training.bucket.bucket_name,
                "IMPORT_ROLE": training.import_role.role_arn,
            },
            timeout=cdk.Duration.minutes(5),
            memory_mib=1769,
            ephemeral_storage=cdk.Size.gibibytes(2) if disk is None else disk,
        )
        experiment.open_past_to(self.function)
        folders = [
            lake.bucket.arn_for_objects(f"{folder}/*")
            for folder in (EVENTS_FOLDER, USERS_FOLDER, EXPOSURES_FOLDER)
        ]
        self._allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], folders)
        self._allow(["s3:ListBucket"], [lake.bucket.bucket_arn, training.bucket.bucket_arn])
        self._allow(["s3:DeleteObject"], [training.bucket.arn_for_objects(f"{RUNS_FOLDER}/*")])
        self._allow(["s3:PutObject"], [training.bucket.arn_for_objects(f"{ERASURES_FOLDER}/*")])
        training.grant_pass_import_role(self.function)
        PersonalizeAccess(self, names=names).grant_delete_users(self.function)

    def _allow(self, actions: list[str], resources: list[str]) -> None:
        self.function.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=resources))
