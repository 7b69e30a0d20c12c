"""The kinds of step that the phases of a retraining are built from. Written in JSONata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from colorway.polling import Polling
from colorway.retraining_functions import RetrainingFunctions

ALREADY_THERE = "Personalize.ResourceAlreadyExistsException"
"""What a create meets that was tried before without its answer arriving: a success."""

_CAN_PASS = (
    "Personalize.LimitExceededException",
    "Personalize.ResourceInUseException",
    "Personalize.ThrottlingException",
    "Personalize.PersonalizeException",
    "Personalize.SdkClientException",
)
"""What another attempt can get past: quotas on pending work, a parent still changing, throttling, 5xx, no
answer."""


_INVOCATION_CAN_PASS = (
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
)
"""Lambda's own errors (Step Functions guide, "Handle Lambda service exceptions"), and its throttling."""


_CUT_OFF = ("Lambda.Unknown", "Sandbox.Timedout")
"""A function that reached its time limit, or ran out of memory (the same guide; the second is the runtimes'
own name for the former)."""


def jsonata(expression: str) -> str:
    return f"{{% {expression} %}}"


class Phase(sfn.StateMachineFragment):
    """States with one way in and one way on."""

    _start: sfn.State
    _ends: list[sfn.INextable]

    def reads(self, states: sfn.IChainable, *, until: Sequence[sfn.Choice] = ()) -> None:
        """Say what the phase is made of: a chain, or states left where no case of `until` applies."""
        self._start = states.start_state
        self._ends = [
            end
            for ends in (choice.afterwards(include_otherwise=True) for choice in until)
            for end in ends.end_states
        ] or states.end_states

    @property
    def start_state(self) -> sfn.State:
        return self._start

    @property
    def end_states(self) -> list[sfn.INextable]:
        return self._ends


@dataclass(frozen=True, kw_only=True)
class Steps:
    """The kinds of step that phases are built from.

    :param functions: what decides.
    :param training_data: the ETL function.
    :param polling: how long to wait before looking again.
    :param personalize_arns: ARNs, as patterns, that the state machine may touch in Personalize.
    :ivar memory_mib: of the function that a state invokes, by the state's name.
    """

    functions: RetrainingFunctions
    training_data: lambda_.IFunction
    polling: Polling
    personalize_arns: Sequence[str]
    memory_mib: dict[str, int] = field(default_factory=dict)

    def ask(
        self,
        scope: Construct,
        name: str,
        function: lambda_.IFunction,
        payload: Mapping[str, Any],
        *,
        assign: Mapping[str, Any] | None = None,
        outputs: Any = None,
        retry: Sequence[str] = (),
        outlast: Sequence[str] = (),
    ) -> tasks.LambdaInvoke:
        """Invoke a function; its answer is `$states.result.Payload`.

        :param retry: errors of its own that another attempt can get past.
        :param outlast: likewise, of what is over within half an hour, and is then to be known in a minute.
        """
        defined = function.node.default_child
        assert isinstance(defined, lambda_.CfnFunction)
        self.memory_mib[name] = int(defined.memory_size or 128)
        state = tasks.LambdaInvoke.jsonata(
            scope,
            name,
            lambda_function=function,
            payload=sfn.TaskInput.from_object(dict(payload)),
            assign=assign,
            outputs=jsonata("$states.result.Payload") if outputs is None else outputs,
            retry_on_service_exceptions=False,  # CDK's own comes without jitter, and not for throttling
        )
        _retry(state, [*_INVOCATION_CAN_PASS, *retry])
        if function is not self.training_data:  # which takes a quarter of an hour until it is cut off
            state.add_retry(errors=list(_CUT_OFF), interval=cdk.Duration.seconds(10), max_attempts=2)
        if outlast:
            state.add_retry(
                errors=list(outlast),
                interval=cdk.Duration.seconds(10),
                backoff_rate=2,
                max_attempts=35,
                max_delay=cdk.Duration.minutes(1),
            )
        return state

    def personalize(
        self,
        scope: Construct,
        name: str,
        action: str,
        parameters: Mapping[str, Any],
        *,
        assign: Mapping[str, Any] | None = None,
        outputs: Any = None,
    ) -> tasks.CallAwsService:
        """Call Personalize straight from the state machine."""
        state = tasks.CallAwsService.jsonata(
            scope,
            name,
            service="personalize",
            action=action,
            parameters=parameters,
            iam_resources=["*"] if action.startswith("list") else list(self.personalize_arns),
            assign=assign,
            outputs=outputs,
        )
        _retry(state, _CAN_PASS)
        return state

    def create(
        self, scope: Construct, name: str, action: str, parameters: Mapping[str, Any], then: sfn.IChainable
    ) -> sfn.Chain:
        """Create something, unless an earlier attempt has, then go on."""
        state = self.personalize(scope, name, action, parameters, outputs={})
        state.add_catch(then, errors=[ALREADY_THERE], outputs={})
        return state.next(then)

    def await_active(
        self,
        scope: Construct,
        what: str,
        action: str,
        parameters: Mapping[str, Any],
        member: str,
        *,
        every: int,
        give_up: tuple[str, sfn.State] | None = None,
    ) -> Phase:
        """Look at something again and again until it is ACTIVE; a failure ends the run with its reason.

        :param what: `{phase}: {thing}`; the states are named after it.
        :param member: of the answer, the object that has `Status`.
        :param every: seconds between two looks.
        :param give_up: in JSONata, when not to wait any longer, and what comes then.
        """
        fragment = Phase(scope, f"Await {what}")
        look = self.personalize(
            fragment, f"{what} active?", action, parameters, outputs=jsonata(f"$states.result.{member}")
        )
        wait = sfn.Wait.jsonata(fragment, f"{what} not yet", time=pause(every), outputs={})
        failed = sfn.Fail.jsonata(
            fragment,
            f"{what} failed",
            error="PersonalizeFailed",
            cause=jsonata(
                f"'{what}: ' & $states.input.Status & "
                "($exists($states.input.FailureReason) ? ': ' & $states.input.FailureReason : '')"
            ),
        )
        decide = sfn.Choice.jsonata(fragment, f"{what} state").when(
            sfn.Condition.jsonata(
                jsonata(
                    "$contains($states.input.Status, 'FAILED') or $contains($states.input.Status, 'STOP')"
                )
            ),
            failed,
        )
        if give_up is not None:
            too_late, then = give_up
            decide.when(
                sfn.Condition.jsonata(jsonata(f"$states.input.Status != 'ACTIVE' and {too_late}")), then
            )
        decide.when(sfn.Condition.jsonata(jsonata("$states.input.Status != 'ACTIVE'")), wait.next(look))
        look.next(decide)
        fragment.reads(look, until=[decide])
        return fragment

    def tear_down(self, scope: Construct, what: str, colour: str) -> Phase:
        """Tear a colour down, a step at a time, until nothing of it is left.

        :param colour: JSONata that says which; `none` is torn down at once.
        """
        fragment = Phase(scope, f"Tear down {what}")
        step = self.ask(fragment, what, self.functions.retire, {"colour": jsonata(colour)})
        wait = sfn.Wait.jsonata(
            fragment,
            f"{what}, not gone yet",
            time=pause(self.polling.retirement),
            outputs={},
        )
        gone = sfn.Choice.jsonata(fragment, f"{what}, gone?").when(
            sfn.Condition.jsonata(jsonata("$states.input.gone = false")), wait.next(step)
        )
        step.next(gone)
        fragment.reads(step, until=[gone])
        return fragment


def pause(seconds: int) -> sfn.WaitTime:
    return sfn.WaitTime.duration(cdk.Duration.seconds(seconds))


def _retry(state: sfn.TaskStateBase, errors: Sequence[str]) -> None:
    state.add_retry(
        errors=list(errors),
        interval=cdk.Duration.seconds(10),
        backoff_rate=2,
        max_attempts=8,
        max_delay=cdk.Duration.minutes(5),
        jitter_strategy=sfn.JitterType.FULL,
    )
