"""Creates, changes and deletes resources of Amazon Personalize for CloudFormation."""

from __future__ import annotations

from typing import Any

from personalize_resources.answering import answer, client
from personalize_resources.lifecycle import step


def handle(event: dict[str, Any], context: Any) -> None:
    """One request of a custom resource `Custom::Personalize…`; answers CloudFormation itself."""
    answer(event, context, lambda memory: step(client("personalize"), event, memory))
