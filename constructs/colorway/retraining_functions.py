"""The functions that a retraining decides with, each with its own rights and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from colorway.coordination import Coordination
from colorway.personalize_access import PersonalizeAccess
from colorway.python_function import PythonFunction
from vocabulary import gates
from vocabulary import placements as words
from vocabulary.colours import Colour, Names
from vocabulary.gates import HeartbeatGate, MetricsGate
from vocabulary.lake import LAST_GOOD_REPORT_KEY
from vocabulary.placements import Placement
from vocabulary.schemas import ExtraColumns


class RetrainingFunctions(Construct):
    """Define the functions behind the states: plan, projection, training, flip and retire.

    :param serving: the serving function, `alias` the alias that clients' requests go to.
    :param bake_alarms: per colour, the alarms that take a flip to that colour back.
    :param metrics_gate: which models are put behind a campaign.
    :param heartbeat_gate: which answers of a new colour let traffic to it.
    :param extra_columns: of the interactions, so that their schema is known as current.
    :param cutoff_lead: from opening a colour's tracker to its cutoff.
    :param collector_timeout: an event is on the stream this long after it was received, or never.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        placements: Sequence[Placement],
        coordination: Coordination,
        training_bucket: s3.IBucket,
        serving: lambda_.IFunction,
        alias: lambda_.IAlias,
        serving_stack: cdk.Stack,
        bake_alarms: Mapping[Colour, Sequence[cloudwatch.Alarm]],
        metrics_gate: MetricsGate,
        heartbeat_gate: HeartbeatGate,
        extra_columns: ExtraColumns | None = None,
        stream: kinesis.IStream,
        cutoff_lead: cdk.Duration,
        collector_timeout: cdk.Duration,
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
    ) -> None:
        super().__init__(scope, construct_id)
        self._runtime, self._architecture = runtime, architecture
        self._names, self._coordination = names, coordination
        self._training_bucket, self._stream = training_bucket, stream
        self._serving, self._serving_stack = serving, serving_stack
        self._access = PersonalizeAccess(self, names=names)
        self._extra_columns = extra_columns or ExtraColumns()
        self._settings = {
            "APP": names.app,
            "ENVIRONMENT": names.environment,
            "PARTITION": cdk.Aws.PARTITION,
            "ACCOUNT": cdk.Aws.ACCOUNT_ID,
            "PLACEMENTS": words.to_json(placements),
            "COORDINATION_TABLE": coordination.table.table_name,
            "TRAINING_BUCKET": training_bucket.bucket_name,
            "SERVING_FUNCTION": serving.function_name,
            "SERVING_ALIAS": alias.alias_name,
            "SERVING_STACK": serving_stack.stack_name,
            "CUTOFF_LEAD_SECONDS": str(cutoff_lead.to_seconds()),
            "COLLECTOR_TIMEOUT_SECONDS": str(collector_timeout.to_seconds()),
            "STREAM": stream.stream_name,
            # For botocore: half a minute of throttling or of 5xx passes, within every function's timeout
            "AWS_RETRY_MODE": "standard",
            "AWS_MAX_ATTEMPTS": "6",
            "METRICS_GATE": gates.to_json(metrics_gate),
            "HEARTBEAT_GATE": gates.to_json(heartbeat_gate),
            **{
                f"BAKE_ALARMS_{colour.upper()}": ",".join(alarm.alarm_name for alarm in alarms)
                for colour, alarms in bake_alarms.items()
            },
        }
        self.plan = self._define_plan()
        self.projection = self._define_projection()
        self.training = self._define_training()
        self.flip = self._define_flip([alarm for alarms in bake_alarms.values() for alarm in alarms])
        self.retire = self._define_retire()

    def _define_plan(self) -> lambda_.Function:
        function = self._function("Plan", "plan_handler", "Begins and ends a retraining")
        self._grant_table(function, "GetItem", "PutItem", "DeleteItem")
        self._grant_pointer(function, "GetParameter")
        self._grant_objects(function, "s3:GetObject", "runs/*")
        self._grant_objects(function, "s3:PutObject", "runs/*")
        self._grant_listing(function)
        self._access.grant_see_colours(function)
        return function

    def _define_projection(self) -> lambda_.Function:
        function = self._function("Projection", "projection_handler", "Opens the clickstream to a colour")
        self._grant_table(function, "GetItem", "PutItem", "DeleteItem")
        self._stream.grant(function, "kinesis:ListShards", "kinesis:PutRecord")
        return function

    def _define_training(self) -> lambda_.Function:
        function = self._function("Training", "training_handler", "Defines solutions and judges models")
        self._access.grant_define_and_judge_solutions(function)
        self._grant_objects(function, "s3:GetObject", "runs/*", LAST_GOOD_REPORT_KEY)
        self._grant_objects(function, "s3:PutObject", "runs/*")
        self._grant_listing(function)
        return function

    def _define_flip(self, alarms: Sequence[cloudwatch.Alarm]) -> lambda_.Function:
        function = self._function(
            "Flip",
            "flip_handler",
            "Proves a colour, moves traffic to it and back",
            timeout=cdk.Duration.minutes(5),
        )
        arn = self._serving.function_arn
        _allow(
            function,
            [
                "lambda:GetAlias",
                "lambda:UpdateAlias",
                "lambda:GetFunctionConfiguration",
                "lambda:UpdateFunctionConfiguration",
                "lambda:PublishVersion",
                "lambda:InvokeFunction",
            ],
            [arn, f"{arn}:*"],
        )
        self._grant_pointer(function, "GetParameter", "PutParameter")
        self._grant_table(function, "GetItem")
        stack_arn = cdk.Stack.of(self).format_arn(
            service="cloudformation", resource="stack", resource_name=f"{self._serving_stack.stack_name}/*"
        )
        _allow(function, ["cloudformation:DescribeStacks"], [stack_arn])
        _allow(function, ["cloudwatch:DescribeAlarms"], [alarm.alarm_arn for alarm in alarms])
        self._access.grant_get_recommendations(function)
        self._grant_objects(function, "s3:GetObject", "runs/*", LAST_GOOD_REPORT_KEY)
        self._grant_objects(function, "s3:PutObject", "runs/*", LAST_GOOD_REPORT_KEY, "popular/*")
        self._grant_objects(function, "s3:DeleteObject", "popular/*")
        self._grant_listing(function)
        return function

    def _grant_objects(self, function: lambda_.Function, action: str, *keys: str) -> None:
        # Bucket.grant_read and its like would grant wildcards of actions
        _allow(function, [action], [self._training_bucket.arn_for_objects(key) for key in keys])

    def _grant_listing(self, function: lambda_.Function) -> None:
        """Without it S3 also says that a key which is not there is forbidden."""
        _allow(function, ["s3:ListBucket"], [self._training_bucket.bucket_arn])

    def _define_retire(self) -> lambda_.Function:
        function = self._function(
            "Retire",
            "retire_handler",
            "Tears a colour down",
            packages=["personalize_resources"],
            settings={"EXTRA_COLUMNS": self._extra_columns.to_json()},
        )
        self._access.grant_retire(function)
        arn = self._serving.function_arn
        _allow(function, ["lambda:GetAlias", "lambda:GetFunctionConfiguration"], [arn, f"{arn}:*"])
        self._grant_pointer(function, "GetParameter")
        self._grant_table(function, "DeleteItem", "PutItem")
        return function

    def _function(
        self,
        construct_id: str,
        module: str,
        description: str,
        *,
        packages: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
        timeout: cdk.Duration = cdk.Duration.minutes(1),
    ) -> lambda_.Function:
        return PythonFunction(
            self,
            construct_id,
            handler=f"retraining.{module}.handle",
            packages=packages,
            description=description,
            environment={**self._settings, **(settings or {})},
            timeout=timeout,
            runtime=self._runtime,
            architecture=self._architecture,
        )

    def _grant_table(self, function: lambda_.Function, *actions: str) -> None:
        self._coordination.table.grant(function, *(f"dynamodb:{action}" for action in actions))

    def _grant_pointer(self, function: lambda_.Function, *actions: str) -> None:
        # StringParameter.grant_read would add its history, and to describe parameters
        pointer = self._coordination.live_pointer.parameter_arn
        _allow(function, [f"ssm:{action}" for action in actions], [pointer])


def _allow(function: lambda_.Function, actions: Sequence[str], resources: Sequence[str]) -> None:
    """For what CDK has no grant for."""
    iam.Grant.add_to_principal(grantee=function, actions=list(actions), resource_arns=list(resources))
