"""Work on a custom resource that may take longer than a Lambda function lives.

A step is taken again and again until it has an outcome. Near the function's
time limit it is invoked again with the same event and what was done so far.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from personalize_resources.responses import FAILED_CREATE, Outcome, send

Memory = dict[str, Any]
"""What a step keeps for the next one, plain JSON. `physical_id` is answered when a step fails."""

Step = Callable[[Memory], Outcome | str]
"""Answers the outcome, or else what is being waited for, in words."""

_CONTINUED: Final = "Continued"
_REMAINING: Final = 30_000
"""Milliseconds before the function's time limit at which a new invocation takes over."""

_POLLS: Final = (0.25, 10.0)
"""Seconds between steps: the first, doubled up to the last."""

_LONGEST: Final = 3600
"""Seconds that CloudFormation waits for an answer unless `ServiceTimeout` says otherwise."""

_KNOWN_BY_THEN: Final = 30.0
"""Seconds after which a right that CloudFormation has just granted is known: IAM is consistent eventually,
and a policy that is CREATE_COMPLETE may not count yet (aws/aws-cdk#37675)."""

_LOG = logging.getLogger(__name__)
_LOG.setLevel(logging.INFO)


@dataclass(frozen=True, kw_only=True)
class Continuation:
    """How to answer, wait and go on.

    :param invoke: starts this function again, without waiting for it, with the event given.
    :param respond: sends the outcome of a request to CloudFormation.
    :param sleep: waits for seconds.
    :param now: unix seconds.
    """

    invoke: Callable[[dict[str, Any]], None]
    respond: Callable[[Mapping[str, Any], Outcome], None] = send
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time

    @classmethod
    def of(cls, context: Any, lambda_client: Any) -> Continuation:
        """The continuation of the function that runs in `context`."""

        def invoke(event: dict[str, Any]) -> None:
            lambda_client.invoke(
                FunctionName=context.invoked_function_arn,
                InvocationType="Event",
                Payload=json.dumps(event).encode(),
            )

        return cls(invoke=invoke)

    def answer(self, event: dict[str, Any], step: Step, *, remaining: Callable[[], int]) -> None:
        """Take steps until there is an outcome, and send it; any exception is one that failed.

        :param remaining: milliseconds until the function's time limit.
        """
        memory: Memory = dict(event.get(_CONTINUED, {"since": self.now()}))
        try:
            outcome = self._work(event, step, memory, remaining)
        except Exception as error:
            _LOG.exception("%s of %s failed", event["RequestType"], event["LogicalResourceId"])
            given = event.get("PhysicalResourceId", FAILED_CREATE)
            outcome = Outcome(physical_id=memory.get("physical_id", given), error=str(error) or repr(error))
        if outcome is not None:
            self.respond(event, outcome)

    def _work(
        self, event: dict[str, Any], step: Step, memory: Memory, remaining: Callable[[], int]
    ) -> Outcome | None:
        limit = int(event.get("ResourceProperties", {}).get("ServiceTimeout", _LONGEST))
        pause, longest = _POLLS
        waiting_for = ""
        while not isinstance(result := self._step(step, memory), Outcome):
            if result != waiting_for:
                _LOG.info("waiting: %s", result)
                waiting_for = result
            # CloudFormation would only say that nobody answered: be quicker, and say why
            if self.now() - memory["since"] > limit * 0.95 - longest:
                raise TimeoutError(f"not done within {limit} s: {result}")
            if remaining() < _REMAINING:
                self.invoke({**event, _CONTINUED: memory})
                return None
            self.sleep(pause)
            pause = min(2 * pause, longest)
        return result

    def _step(self, step: Step, memory: Memory) -> Outcome | str:
        try:
            return step(memory)
        except Exception as error:
            if not _is_denied(error) or self.now() - memory["since"] > _KNOWN_BY_THEN:
                raise
            return f"not allowed, or not yet: {error}"


def _is_denied(error: BaseException | None) -> bool:
    """Whether a service has said so, whatever was made of that since."""
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"]).startswith("AccessDenied")
    return error is not None and _is_denied(error.__cause__)
