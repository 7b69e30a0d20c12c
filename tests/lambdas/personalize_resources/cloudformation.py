"""CloudFormation and Lambda as a custom resource meets them, on a clock of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from personalize_resources.continuation import Continuation, Memory
from personalize_resources.responses import Outcome

Step = Callable[[dict[str, Any], Memory], Outcome | str]


@dataclass
class CloudFormation:
    """Delivers requests to a step function; every sleep of it is a tick of `world`.

    :param lives: seconds after which a Lambda function would be ended.
    """

    step: Step
    tick: Callable[[], None]
    lives: float = 900.0
    time: float = 0.0
    invocations: int = 0
    _again: list[dict[str, Any]] = field(default_factory=list)

    def request(
        self,
        kind: str,
        resource_type: str,
        properties: Mapping[str, Any],
        *,
        old: Mapping[str, Any] | None = None,
        physical_id: str | None = None,
    ) -> Outcome:
        """What the function answers, in however many invocations."""
        event = {
            "RequestType": kind,
            "RequestId": "4bb1c3d8",
            "StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/shop/1",
            "LogicalResourceId": "It",
            "ResourceType": resource_type,
            "ResourceProperties": {"ServiceToken": "arn", "ServiceTimeout": "3600", **properties},
            **({"OldResourceProperties": {"ServiceToken": "arn", **old}} if old is not None else {}),
            **({"PhysicalResourceId": physical_id} if physical_id is not None else {}),
        }
        answers: list[Outcome] = []
        self._again = [event]
        while self._again:
            self._invoke(self._again.pop(), answers)
        assert len(answers) == 1
        return answers[0]

    def _invoke(self, event: dict[str, Any], answers: list[Outcome]) -> None:
        self.invocations += 1
        ends = self.time + self.lives

        def sleep(seconds: float) -> None:
            self.time += seconds
            assert self.time < ends, "the function was ended before it could hand over"
            self.tick()

        Continuation(
            invoke=lambda next_event: self._again.append(json.loads(json.dumps(next_event))),
            respond=lambda _, outcome: answers.append(outcome),
            sleep=sleep,
            now=lambda: self.time,
        ).answer(
            event,
            lambda memory: self.step(event, memory),
            remaining=lambda: int((ends - self.time) * 1000),
        )
