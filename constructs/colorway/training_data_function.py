"""The ETL: from the lake to the training data of one run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from colorway.data_lake import DataLake
from colorway.python_function import PythonFunction
from colorway.wheel_layer import WheelLayer
from vocabulary import gates, training_rules
from vocabulary import placements as placements_json
from vocabulary.colours import Names
from vocabulary.gates import DataGate
from vocabulary.lake import EVENTS_FOLDER, ITEMS_FOLDER, LAST_GOOD_REPORT_KEY, USERS_FOLDER
from vocabulary.placements import Placement
from vocabulary.schemas import ExtraColumns
from vocabulary.training_rules import TrainingRules

LEAST_MEMORY_MIB: Final = 1769
"""A whole CPU of Lambda (Lambda developer guide, "Configuring memory")."""


class TrainingDataFunction(Construct):
    """Define the function that turns events and catalogue into training data, with DuckDB.

    It reads the lake's events and catalogue and writes below `runs/` of the
    training bucket, nothing else. Where data outgrow `disk` it says so before it begins.

    `settings` is the function's environment, which a job that stands in for its export takes too.

    :param history_days: how many days of events are trained on.
    :param event_types: the event types that count as interest.
    :param minimum_interactions: the data gate refuses fewer.
    :param rules: the rules that are a matter of judgement.
    :param extra_columns: of the interactions, beyond the five.
    :param data_gate: what else it holds the data against.
    :param wheels: folder of DuckDB's wheel for this runtime and architecture, see `WheelLayer`.
    :param memory_mib: at least a CPU's worth. Lambda refuses over 3008 where an account is new, and with it
        the first deployment (awslabs/cdk-serverless-clamscan#431).
    :param disk: for the data of one window, 10 GiB at most.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        lake: DataLake,
        training_bucket: s3.IBucket,
        names: Names,
        placements: Sequence[Placement],
        history_days: int,
        event_types: Sequence[str],
        minimum_interactions: int,
        rules: TrainingRules | None = None,
        extra_columns: ExtraColumns | None = None,
        data_gate: DataGate | None = None,
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
        wheels: Path,
        memory_mib: int = 3008,
        disk: cdk.Size | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        if memory_mib < LEAST_MEMORY_MIB:
            raise ValueError(f"memory_mib must be at least {LEAST_MEMORY_MIB}, got {memory_mib}")
        for event_type in event_types:
            if "," in event_type:
                raise ValueError(f"event_types must be without ',', got {event_type!r}")
        self.layer = WheelLayer(
            self,
            "DuckDb",
            wheels=wheels,
            runtime=runtime,
            architecture=architecture,
            description="DuckDB, which transforms the events",
        )
        self.settings = {
            "APP": names.app,
            "ENVIRONMENT": names.environment,
            "LAKE_BUCKET": lake.bucket.bucket_name,
            "TRAINING_BUCKET": training_bucket.bucket_name,
            "PLACEMENTS": placements_json.to_json(placements),
            "HISTORY_DAYS": str(history_days),
            "EVENT_TYPES": ",".join(event_types),
            "MINIMUM_INTERACTIONS": str(minimum_interactions),
            "TRAINING_RULES": training_rules.to_json(rules or TrainingRules()),
            "EXTRA_COLUMNS": (extra_columns or ExtraColumns()).to_json(),
            "DATA_GATE": gates.to_json(data_gate or DataGate()),
        }
        self.function = PythonFunction(
            self,
            "Function",
            handler="training_data.handler.handle",
            runtime=runtime,
            architecture=architecture,
            description="Turns events and catalogue into training data, and judges them",
            layers=[self.layer],
            environment=self.settings,
            timeout=cdk.Duration.minutes(15),
            memory_mib=memory_mib,
            ephemeral_storage=cdk.Size.gibibytes(4) if disk is None else disk,
        )
        self._grant_read(lake.bucket)
        # grant_read_write would add s3:List*, GetBucket* and DeleteObject*, which it has no use for
        self._allow(
            ["s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject"],
            training_bucket.arn_for_objects("runs/*"),
        )
        self._grant_compare(training_bucket)

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` have it count, look for markers, export and judge."""
        return self.function.grant_invoke(grantee)

    def _grant_read(self, lake: s3.IBucket) -> None:
        folders = (EVENTS_FOLDER, ITEMS_FOLDER, USERS_FOLDER)
        self._allow(["s3:GetObject"], *(lake.arn_for_objects(f"{folder}/*") for folder in folders))
        self.function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[lake.bucket_arn],
                conditions={"StringLike": {"s3:prefix": [f"{folder}/*" for folder in folders]}},
            )
        )

    def _grant_compare(self, training_bucket: s3.IBucket) -> None:
        """Look for the report of the last good run, and read it."""
        self._allow(["s3:GetObject"], training_bucket.arn_for_objects(LAST_GOOD_REPORT_KEY))
        self.function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[training_bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": [LAST_GOOD_REPORT_KEY]}},
            )
        )

    def _allow(self, actions: Sequence[str], *resources: str) -> None:
        self.function.add_to_role_policy(
            iam.PolicyStatement(actions=list(actions), resources=list(resources))
        )
