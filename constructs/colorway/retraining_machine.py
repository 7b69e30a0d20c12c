"""A state machine as both of Colorway's are: JSONata, bounded, traced, its errors logged."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct


class RetrainingMachine(sfn.StateMachine):
    """Define a state machine.

    :param longest: an execution is stopped after this long.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, definition: sfn.IChainable, longest: cdk.Duration
    ) -> None:
        where = cdk.Names.unique_resource_name(
            scope, separator="-", allowed_special_characters="-", max_length=200
        )
        super().__init__(
            scope,
            construct_id,
            definition_body=sfn.DefinitionBody.from_chainable(definition),
            query_language=sfn.QueryLanguage.JSONATA,
            timeout=longest,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                level=sfn.LogLevel.ERROR,
                destination=logs.LogGroup(
                    scope,
                    f"{construct_id}Logs",
                    # One of another name takes room in a policy of the account's for good, and once there is
                    # none left no state machine can be made (Step Functions developer guide, "bp-cwl")
                    log_group_name=f"/aws/vendedlogs/states/{where}-{construct_id}",
                    retention=logs.RetentionDays.THREE_MONTHS,
                    removal_policy=cdk.RemovalPolicy.DESTROY,
                ),
            ),
        )

    def ended_badly(self, *, begun_with: list[str] | None = None) -> events.EventPattern:
        """An execution failed, was stopped, or timed out; the last two skip every Catch.

        :param begun_with: what its input, as text, has to match; None for any.
        """
        return events.EventPattern(
            source=["aws.states"],
            detail_type=["Step Functions Execution Status Change"],
            detail={
                "stateMachineArn": [self.state_machine_arn],
                "status": ["FAILED", "ABORTED", "TIMED_OUT"],
                **({} if begun_with is None else {"input": begun_with}),
            },
        )


def page(topic: sns.ITopic, *, says: str, runbook: str) -> targets.SnsTopic:
    """Tell on-call which execution ended badly and why.

    By a role of the rule's: were EventBridge let in by the topic's policy, a rule of anybody's could page us.

    :param topic: of pages, or of notices.
    :param runbook: heading in docs/runbook.md, as its anchor.
    """
    of_event = events.EventField.from_path
    return targets.SnsTopic(
        topic,
        authorize_using_role=True,
        message=events.RuleTargetInput.from_object(
            {
                "says": f"{says} Runbook: docs/runbook.md#{runbook}",
                "status": of_event("$.detail.status"),
                "execution": of_event("$.detail.executionArn"),
                "error": of_event("$.detail.error"),
                "cause": of_event("$.detail.cause"),
            }
        ),
    )
