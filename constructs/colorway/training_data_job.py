"""The ETL for data that outgrow a function: the same definition, run by Spark on AWS Glue."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from colorway.data_lake import DataLake
from colorway.python_function import LAMBDAS
from colorway.retraining_steps import jsonata
from vocabulary.lake import EVENTS_FOLDER, ITEMS_FOLDER, USERS_FOLDER

GLUE_VERSION: Final = "5.0"
"""Spark 3.5.4 and Python 3.11 (AWS Glue user guide, "AWS Glue versions"); tests run 3.5 too."""

_PACKAGES: Final = ("training_data", "training_data_job", "vocabulary")
_LONGEST: Final = cdk.Duration.hours(4)

_CAN_PASS: Final = (
    "Glue.ConcurrentRunsExceededException",
    "Glue.InternalServiceException",
    "Glue.OperationTimeoutException",
    "Glue.ResourceNumberLimitExceededException",
    "Glue.ThrottlingException",
)
"""What StartJobRun can get past. A job that failed is `States.TaskFailed`, and ends the run."""

_WHY = jsonata(
    """(
    $cause := $states.input.Cause;
    $run := $contains($cause, '"JobRunState"') ? $parse($cause) : {};
    $exists($run.JobRunState)
        ? ($exists($run.ErrorMessage) ? $run.ErrorMessage : 'no message')
            & ' (Glue job ' & $run.JobName & ', run ' & $run.Id & ': ' & $run.JobRunState
            & '; its log is the stream ' & $run.Id & ' of /aws-glue/jobs/error)'
        : $states.input.Error & ': ' & $cause
)"""
)
"""What a person is told of the job run, which the cause of `.sync` holds as JSON: its message and its log."""


class TrainingDataJob(Construct):
    """Define the Spark job that turns events and catalogue into training data.

    It has the rights of the function that it stands in for: it reads the lake and writes below `runs/`
    of the training bucket.

    :param function: the training-data function, whose settings the job takes; it counts, waits and judges.
    :param workers: of type G.1X, 4 CPUs, 16 GB of memory and about 94 GB of disk each.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        lake: DataLake,
        training_bucket: s3.IBucket,
        function: lambda_.IFunction,
        settings: dict[str, str],
        workers: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self._function = function
        script = assets.Asset(self, "Script", path=str(LAMBDAS / "training_data_job" / "job.py"))
        packages = assets.Asset(
            self,
            "Packages",
            path=str(LAMBDAS),
            exclude=["/*", *(f"!/{package}/" for package in _PACKAGES), "__pycache__"],
            ignore_mode=cdk.IgnoreMode.GIT,
        )
        self.role = iam.Role(
            self,
            "Role",
            description="The training-data job reads the lake and writes runs",
            assumed_by=iam.ServicePrincipal("glue.amazonaws.com"),
        )
        # Asset.grant_read would grant wildcards of actions, on all that was ever deployed
        for asset in (script, packages):
            self._allow(["s3:GetObject"], asset.bucket.arn_for_objects(asset.s3_object_key))
        self._grant(lake.bucket, training_bucket)
        self.job = glue.CfnJob(
            self,
            "Job",
            description="Turns events and catalogue into training data, with Spark",
            role=self.role.role_arn,
            glue_version=GLUE_VERSION,
            worker_type="G.1X",
            number_of_workers=workers,
            timeout=int(_LONGEST.to_minutes()),
            max_retries=0,  # the state machine says what is tried again
            execution_property=glue.CfnJob.ExecutionPropertyProperty(max_concurrent_runs=1),
            command=glue.CfnJob.JobCommandProperty(
                name="glueetl", python_version="3", script_location=script.s3_object_url
            ),
            default_arguments={
                "--job-language": "python",
                "--extra-py-files": packages.s3_object_url,
                "--settings": cdk.Stack.of(self).to_json_string(settings),
            },
        )

    def run(self, scope: Construct, name: str) -> sfn.Chain:
        """States that run the job to its end; their output is what the function's export answers."""
        start = tasks.GlueStartJobRun.jsonata(
            scope,
            name,
            glue_job_name=self.job.ref,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            arguments=sfn.TaskInput.from_object(
                {"--run-id": jsonata("$run.run_id"), "--cutoff": jsonata("$string($opened.cutoff)")}
            ),
            outputs={},
        )
        start.add_retry(
            errors=list(_CAN_PASS),
            interval=cdk.Duration.minutes(1),
            backoff_rate=2,
            max_attempts=5,
            jitter_strategy=sfn.JitterType.FULL,
        )
        failed = sfn.Fail.jsonata(scope, "export: the job failed", error="TrainingDataJobFailed", cause=_WHY)
        start.add_catch(failed, errors=["States.TaskFailed"])
        answer = tasks.LambdaInvoke.jsonata(
            scope,
            f"{name}, done",
            lambda_function=self._function,
            payload=sfn.TaskInput.from_object({"action": "exported", "run_id": jsonata("$run.run_id")}),
            assign={"exported": jsonata("$states.result.Payload")},
            outputs=jsonata("$states.result.Payload"),
        )
        return start.next(answer)

    def _grant(self, lake: s3.IBucket, training: s3.IBucket) -> None:
        folders = (EVENTS_FOLDER, ITEMS_FOLDER, USERS_FOLDER)
        self._allow(["s3:GetObject"], *(lake.arn_for_objects(f"{folder}/*") for folder in folders))
        # Spark writes aside and then in place, so it deletes what it has written aside
        self._allow(
            ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
            training.arn_for_objects("runs/*"),
        )
        # Not by prefix: Spark asks for keys that need not be there, which S3 forbids whoever may not list all
        self._allow(["s3:ListBucket", "s3:GetBucketLocation"], lake.bucket_arn, training.bucket_arn)
        logs = cdk.Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name="/aws-glue/*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        self._allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], logs)

    def _allow(self, actions: list[str], *resources: str) -> None:
        self.role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=list(resources)))
