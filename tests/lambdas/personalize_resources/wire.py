"""Real boto3 clients whose wire ends in Python: validation, paging and errors are botocore's own."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.config import Config


class Refusal(Exception):
    """An error of the service: its code, and what it says."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message)
        self.code = code


def client(service: str, answer: Callable[[str, dict[str, Any]], dict[str, Any]]) -> Any:
    """A client whose calls are answered by `answer(operation, parameters)`."""
    made = boto3.client(
        service,
        region_name="us-east-1",
        aws_access_key_id="nobody",
        aws_secret_access_key="nobody",
        config=Config(retries={"total_max_attempts": 1}),
    )

    def keep(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["parameters"] = params

    def call(model: Any, context: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        try:
            answered = answer(model.name, dict(context["parameters"]))
            members = model.output_shape.members if model.output_shape else {}
            assert set(answered) <= set(members), f"{model.name} does not answer {set(answered)}"
            return SimpleNamespace(status_code=200), answered
        except Refusal as refusal:
            error = {"Code": refusal.code, "Message": str(refusal)}
            return SimpleNamespace(status_code=400), {"Error": error, "ResponseMetadata": {}}

    made.meta.events.register("before-parameter-build", keep)
    made.meta.events.register("before-call", call)
    return made
