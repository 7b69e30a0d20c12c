"""The night: a state machine that rebuilds the recommender in the dormant colour and moves traffic to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from colorway.alarm import Alarm, metric
from colorway.failed_run_clearing import FailedRunClearing
from colorway.on_call import OnCall
from colorway.personalize_access import PersonalizeAccess
from colorway.polling import Polling
from colorway.retraining_functions import RetrainingFunctions
from colorway.retraining_machine import RetrainingMachine
from colorway.retraining_phases import (
    BakeUnderAlarms,
    End,
    ExportTrainingData,
    Flip,
    ImportDatasets,
    OpenDormantColour,
    Plan,
    ProveNewColour,
    RetirePreviousColour,
    TrainPlacements,
)
from colorway.retraining_steps import Steps
from colorway.training_bucket import TrainingBucket
from colorway.training_data_job import TrainingDataJob
from vocabulary.colours import Names
from vocabulary.schemas import DatasetKind

_LONGEST_CLEARING = cdk.Duration.hours(2)
OLDEST_MODEL = cdk.Duration.hours(36)
"""A night that is missed is known by noon; one that is late is not yet a page."""


class NightlyRetraining(Construct):
    """Define the retraining, when it starts, and what follows when it fails.

    :param training_data: the ETL function.
    :param training_job: exports in its place, where data outgrow a function.
    :param schemas: ARN of the Personalize schema of each dataset kind.
    :param pointer_stack: whose deploys may reset the live pointer, see `Coordination`.
    :param nightly_at: hour and minute, UTC.
    :param polling: how long to wait before looking again, by what is waited for.
    :param canary: how long the new colour takes a share of the traffic before all of it, or None.
    :param bake: how long the old colour is kept, under alarms, after the flip.
    :param longest_model: a model that trains for longer is stopped, and the run fails.
    :param longest: a run is stopped after this long.
    :param prices: with which a run says what it cost (`costs.of_a_run`), or None.
    :ivar judges: the functions behind the gates, whose log lines say what was refused.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        functions: RetrainingFunctions,
        training_data: lambda_.IFunction,
        training: TrainingBucket,
        schemas: Mapping[DatasetKind, str],
        serving_stack: cdk.Stack,
        pointer_stack: cdk.Stack,
        nightly_at: tuple[int, int],
        polling: Polling,
        canary: cdk.Duration | None,
        bake: cdk.Duration,
        longest_model: cdk.Duration,
        longest: cdk.Duration,
        on_call: OnCall,
        training_job: TrainingDataJob | None = None,
        prices: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.functions = functions
        self.judges: list[lambda_.Function] = [functions.training, functions.flip]
        if isinstance(training_data, lambda_.Function):
            self.judges.insert(0, training_data)
        steps = Steps(
            functions=functions,
            training_data=training_data,
            polling=polling,
            personalize_arns=PersonalizeAccess(self, names=names).of_a_colour,
        )
        night = (
            sfn.Chain.start(Plan(self, "Plan", steps=steps, schemas=schemas))
            .next(OpenDormantColour(self, "Open", steps=steps))
            .next(ExportTrainingData(self, "Export", steps=steps, job=training_job))
            .next(ImportDatasets(self, "Import", steps=steps, training=training))
            .next(TrainPlacements(self, "Train", steps=steps, longest_model=longest_model))
            .next(ProveNewColour(self, "Prove", steps=steps))
            .next(Flip(self, "Flip", steps=steps, canary=canary))
            .next(BakeUnderAlarms(self, "Bake", steps=steps, bake=bake))
            .next(RetirePreviousColour(self, "Retire", steps=steps))
            .next(End(self, "End", steps=steps, prices=prices))
        )
        self.state_machine = RetrainingMachine(self, "Retraining", definition=night, longest=longest)
        training.grant_pass_import_role(self.state_machine)
        self.clearing = FailedRunClearing(
            self,
            "AfterFailure",
            steps=steps,
            retraining=self.state_machine,
            on_call=on_call,
            prices=prices,
        ).state_machine
        self._let_plan_ask_who_runs(functions.plan)
        self._after_deploys_of(
            serving_stack,
            "AfterDeploys",
            "Bring the live alias to the pointer when a deploy of the serving stack has ended",
            targets.LambdaFunction(functions.flip),
        )
        self._after_deploys_of(
            pointer_stack,
            "AfterPointerDeploys",
            "Point at the colour that is served, should a deploy of the pointer have reset it",
            # No more than that: the serving stack may be next, and functions change one at a time
            targets.LambdaFunction(
                functions.flip, event=events.RuleTargetInput.from_object({"action": "recover"})
            ),
        )

        hour, minute = nightly_at
        self.schedules = [
            self._start("Nightly", _every_day_at(hour, minute), "Retrain every night", first_only=False),
            self._start(
                "UntilFirst",
                scheduler.ScheduleExpression.rate(cdk.Duration.hours(1)),
                "Try the first training until there is enough data; does nothing once a colour is live",
                first_only=True,
            ),
        ]
        self._define_alarms(names, longest, on_call)

    def metric_succeeded(self, *, period: cdk.Duration = cdk.Duration.days(1)) -> cloudwatch.Metric:
        """Retrainings that went through (sum)."""
        return self.state_machine.metric_succeeded(period=period, statistic="Sum")

    def _start(
        self, construct_id: str, when: scheduler.ScheduleExpression, says: str, *, first_only: bool
    ) -> scheduler.Schedule:
        return scheduler.Schedule(
            self,
            construct_id,
            schedule=when,
            description=says,
            target=scheduler_targets.StepFunctionsStartExecution(
                self.state_machine,
                input=scheduler.ScheduleTargetInput.from_object({"first_only": first_only}),
            ),
        )

    def _let_plan_ask_who_runs(self, plan: lambda_.Function) -> None:
        # A policy of its own: the machines need the function, so its role's main policy cannot need them
        assert plan.role is not None
        policy = iam.Policy(self, "AskWhoRuns", roles=[plan.role])
        for machine in (self.state_machine, self.clearing):
            executions = cdk.Stack.of(self).format_arn(
                service="states",
                resource="execution",
                resource_name=f"{machine.state_machine_name}:*",
                arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
            )
            policy.add_statements(
                iam.PolicyStatement(
                    actions=["states:DescribeExecution", "states:GetExecutionHistory"],
                    resources=[executions],
                )
            )

    def _after_deploys_of(
        self, stack: cdk.Stack, construct_id: str, says: str, target: targets.LambdaFunction
    ) -> None:
        arn = cdk.Stack.of(self).format_arn(
            service="cloudformation", resource="stack", resource_name=f"{stack.stack_name}/"
        )
        events.Rule(
            self,
            construct_id,
            description=says,
            event_pattern=events.EventPattern(
                source=["aws.cloudformation"],
                detail_type=["CloudFormation Stack Status Change"],
                detail={
                    "stack-id": events.Match.prefix(arn),
                    "status-details": {"status": ["UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]},
                },
            ),
            targets=[target],
        )

    def _define_alarms(self, names: Names, longest: cdk.Duration, on_call: OnCall) -> None:
        hour = cdk.Duration.hours(1)
        overdue = Alarm(
            self,
            "Overdue",
            # Said by the hourly run too, so that it is known when the nights themselves do not start
            metric=metric(
                "ModelAge",
                environment=names.environment,
                statistic="Maximum",
                period=hour,
            ),
            notices="Recommendations grow stale: the live model was trained on data of two nights ago.",
            because="36 hours: a night that is missed is known by noon, one that is late is no page.",
            runbook="retraining-overdue",
            on_call=on_call,
            severity="page",
            threshold=OLDEST_MODEL.to_milliseconds(),
        )
        Alarm(
            self,
            "GateRefused",
            metric=metric("GateFailures", environment=names.environment, period=cdk.Duration.minutes(5)),
            notices="New data or a new model fell short, so customers keep yesterday's model.",
            because="any check: what it found is there tomorrow night too.",
            runbook="gate-refused",
            on_call=on_call,
            severity="notice",  # that the retraining failed is a page of its own
            threshold=0,
        )
        missing = Alarm(
            self,
            "FirstTrainingMissing",
            metric=metric("NothingLive", environment=names.environment, statistic="Minimum", period=hour),
            notices="Customers see popular items only: no model has been trained yet.",
            because="a day of hourly attempts; a shop with enough events needs one of them.",
            runbook="first-training-missing",
            on_call=on_call,
            severity="page",  # attempts that fail are notices
            threshold=0,
            periods=24,
        )
        Alarm(
            self,
            "DormantColourLingering",
            metric=metric(
                "DormantColourAge", environment=names.environment, statistic="Maximum", period=hour
            ),
            notices="A colour that serves nobody is kept, and its campaigns cost as much as the live ones.",
            because="as long as a retraining may take, and two hours to clear it away.",
            runbook="dormant-colour-lingering",
            on_call=on_call,
            severity="notice",
            threshold=longest.plus(_LONGEST_CLEARING).to_milliseconds(),
        )
        self.pages: list[cloudwatch.IAlarm] = [overdue, missing]


def _every_day_at(hour: int, minute: int) -> scheduler.ScheduleExpression:
    return scheduler.ScheduleExpression.cron(
        hour=str(hour), minute=str(minute), time_zone=cdk.TimeZone.ETC_UTC
    )
