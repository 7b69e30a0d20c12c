"""The lake kept in large files that can be read: a function sees to it, once a day."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from constructs import Construct

from colorway.alarm import Alarm, metric
from colorway.data_lake import DataLake
from colorway.on_call import OnCall
from colorway.python_function import PythonFunction
from vocabulary.colours import Names
from vocabulary.lake import EVENTS_FOLDER, QUARANTINE_FOLDER

_APART = 12
"""Hours from the retraining, which must not find files gone that it has listed."""


class LakeCompaction(Construct):
    """Define the function and its schedule, and the alarm on files that cannot be read.

    :param layer: DuckDB, see `WheelLayer`.
    :param nightly_at: when retraining starts, hour and minute in UTC; this starts half a day apart.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        lake: DataLake,
        layer: lambda_.ILayerVersion,
        nightly_at: tuple[int, int],
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
        on_call: OnCall,
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = PythonFunction(
            self,
            "Function",
            handler="training_data.compaction_handler.handle",
            runtime=runtime,
            architecture=architecture,
            description="Makes large files of the lake's small ones, and puts unreadable ones aside",
            layers=[layer],
            environment={"ENVIRONMENT": names.environment, "LAKE_BUCKET": lake.bucket.bucket_name},
            timeout=cdk.Duration.minutes(15),
            memory_mib=1769,
            ephemeral_storage=cdk.Size.gibibytes(4),
        )
        events = lake.bucket.arn_for_objects(f"{EVENTS_FOLDER}/*")
        self._allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], events)
        quarantine = lake.bucket.arn_for_objects(f"{QUARANTINE_FOLDER}/*")
        self._allow(["s3:PutObject", "s3:AbortMultipartUpload"], quarantine)
        self.function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[lake.bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": [f"{EVENTS_FOLDER}/*"]}},
            )
        )
        hour, minute = nightly_at
        scheduler.Schedule(
            self,
            "Daily",
            description="Compact the lake, half a day apart from the retraining",
            schedule=scheduler.ScheduleExpression.cron(
                hour=str((hour + _APART) % 24), minute=str(minute), time_zone=cdk.TimeZone.ETC_UTC
            ),
            target=scheduler_targets.LambdaInvoke(self.function),
        )
        Alarm(
            self,
            "FilesUnreadable",
            metric=metric("FilesUnreadable", environment=names.environment, period=cdk.Duration.minutes(5)),
            notices="Recommendations follow a little less: some of what customers did is in no training.",
            because="any file: nothing of the kind happens by itself, and what it held may be had again.",
            runbook="lake-files-unreadable",
            on_call=on_call,
            severity="notice",  # more than `most_unreadable` fail the retraining, which pages
            threshold=0,
        )
        Alarm(
            self,
            "Failing",
            metric=self.function.metric_errors(period=cdk.Duration.minutes(5), statistic="Sum"),
            notices="Nobody for weeks: then nights take longer, since the lake stays in small files.",
            because="any failure: it runs once a day, and Lambda tries it twice more.",
            runbook="lake-compaction-failing",
            on_call=on_call,
            severity="notice",
            threshold=0,
        )

    def _allow(self, actions: list[str], *resources: str) -> None:
        self.function.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=list(resources)))
