"""What follows a failed retraining: whatever it left behind is cleared away, and on-call hears of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from colorway.on_call import OnCall
from colorway.retraining_machine import RetrainingMachine, page
from colorway.retraining_phases import FLIP_CAN_PASS, with_memory
from colorway.retraining_steps import Steps, jsonata

_HOURLY = '*"first_only":*true*'
"""What the input of the hourly runs looks like, as a wildcard of EventBridge's."""
_EXECUTION = jsonata("$states.context.Execution.Id")


class FailedRunClearing(Construct):
    """Define the small state machine that follows a run that failed, was stopped or timed out.

    A night that failed pages. What runs every hour is a notice: the next comes before anybody could act.

    It takes the lock of the failed run, which from then on can change nothing
    that is live, brings alias and pointer together, and tears down the colour
    that is not live; unless that is the last good one and an alarm of the live
    one rings: then it fails, which pages. Started by hand with `{"colour": …}`
    it does the same for that colour, unless it is live or a retraining runs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        steps: Steps,
        retraining: RetrainingMachine,
        on_call: OnCall,
        prices: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.state_machine = RetrainingMachine(
            self, "Clearing", definition=self._definition(steps, prices), longest=cdk.Duration.hours(2)
        )
        failed = {"failed": events.EventField.from_path("$.detail.executionArn")}
        events.Rule(
            self,
            "WhenARunFails",
            description="Clear away what a failed, stopped or timed-out retraining left",
            event_pattern=retraining.ended_badly(),
            targets=[
                targets.SfnStateMachine(self.state_machine, input=events.RuleTargetInput.from_object(failed)),
            ],
        )
        self._tell(
            "WhenANightFails",
            "Page on-call: a retraining failed",
            when=retraining.ended_badly(begun_with=events.Match.anything_but_wildcard(_HOURLY)),
            whom=on_call.pages,
            says="A retraining failed; customers keep the colour they have.",
            runbook="retraining-failed",
        )
        # What fails every hour must not page every hour; a day without any model does, once
        self._tell(
            "WhenAnAttemptFails",
            "Tell of a failed attempt at the first training, or of a failed hourly look",
            when=retraining.ended_badly(begun_with=events.Match.wildcard(_HOURLY)),
            whom=on_call.notices,
            says="An hourly attempt failed; the next follows within the hour.",
            runbook="retraining-failed",
        )
        self._tell(
            "WhenClearingFails",
            "Page on-call: a failed retraining could not be cleared away",
            when=self.state_machine.ended_badly(),
            whom=on_call.pages,
            says="What a failed retraining left could not be cleared away.",
            runbook="clearing-failed",
        )

    def _tell(
        self,
        construct_id: str,
        description: str,
        *,
        when: events.EventPattern,
        whom: sns.ITopic,
        says: str,
        runbook: str,
    ) -> None:
        events.Rule(
            self,
            construct_id,
            description=description,
            event_pattern=when,
            targets=[page(whom, says=says, runbook=runbook)],
        )

    def _definition(self, steps: Steps, prices: Mapping[str, Any] | None) -> sfn.IChainable:
        reconcile = steps.ask(
            self,
            "clear: bring alias and pointer together",
            steps.functions.flip,
            {"action": "reconcile"},
            outputs={},
            outlast=FLIP_CAN_PASS,
        )
        take_over = steps.ask(
            self,
            "clear: take the lock of the failed run",
            steps.functions.plan,
            {
                "action": "clear",
                "execution": _EXECUTION,
                "failed": jsonata("$exists($states.input.failed) ? $states.input.failed : ''"),
                "colour": jsonata("$exists($states.input.colour) ? $states.input.colour : ''"),
            },
            assign={"run": jsonata("$exists($states.result.Payload.run) ? $states.result.Payload.run : {}")},
            retry=["LockHeldError"],
        )
        nothing = sfn.Succeed.jsonata(self, "clear: nothing to do", outputs=jsonata("$states.input"))
        # Where a flip should have been taken back and could not be, the dormant colour is the good one, and
        # part of the traffic may have gone back to it: nothing is moved then either
        spare = steps.ask(
            self,
            "clear: is the colour the way back?",
            steps.functions.flip,
            {"action": "spare", "colour": jsonata("$run.colour")},
            outputs={},
        )
        tear_down = steps.tear_down(self, "clear: tear the colour down", "$run.colour")
        release = steps.ask(
            self,
            "clear: give the lock back",
            steps.functions.plan,
            {
                "action": "end",
                "execution": _EXECUTION,
                "failed": jsonata(
                    "$exists($states.context.Execution.Input.failed) ? "
                    "$states.context.Execution.Input.failed : ''"
                ),
                "prices": with_memory(prices, steps),
            },
        )
        reconcile.next(tear_down).next(release)
        by_hand = sfn.Condition.jsonata(jsonata("$exists($states.context.Execution.Input.colour)"))
        anything = (
            sfn.Choice.jsonata(self, "clear: anything to do?")
            .when(sfn.Condition.jsonata(jsonata("$states.input.outcome != 'go'")), nothing)
            .when(by_hand, reconcile)
            .otherwise(spare.next(reconcile))
        )
        return take_over.next(anything)
