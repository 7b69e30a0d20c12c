"""A placement's filters, made anew in each colour, for a filter belongs to one dataset group."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from retraining.settings import Settings
from vocabulary.colours import Colour


class FiltersPending(Exception):
    """Personalize is still making a filter."""


class FilterFailed(Exception):
    """Personalize could not make a filter; the message has its reason."""


def create_filters(personalize: Any, settings: Settings, *, colour: Colour, placement: str) -> None:
    """Begin to make each filter of the placement, unless an earlier attempt has."""
    for name, expression in settings.placement(placement).filters.items():
        with suppress(personalize.exceptions.ResourceAlreadyExistsException):
            personalize.create_filter(
                name=settings.names.filter(colour, placement, name),
                datasetGroupArn=settings.dataset_group_arn(colour),
                filterExpression=expression,
            )


def require_filters(personalize: Any, settings: Settings, *, colour: Colour, placement: str) -> None:
    """Go on only when every filter of the placement can be asked with.

    :raises FiltersPending: while one is being made.
    :raises FilterFailed: when one could not be made.
    """
    for name in settings.placement(placement).filters:
        arn = settings.arn("filter", settings.names.filter(colour, placement, name))
        made = personalize.describe_filter(filterArn=arn)["filter"]
        if made["status"] == "CREATE FAILED":
            raise FilterFailed(
                f"filter {name} of {placement}: {made.get('failureReason', 'no reason given')}"
            )
        if made["status"] != "ACTIVE":
            raise FiltersPending(f"filter {name} of {placement} is {made['status']}")
