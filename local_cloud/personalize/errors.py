"""What Personalize refuses, typed as AWS types it."""

from __future__ import annotations

from typing import Final

_GENERIC: Final = frozenset(
    {"AccessDeniedException", "SerializationException", "ThrottlingException", "UnknownOperationException"}
)
"""Errors that every AWS service may answer and that no model lists."""


class Refused(Exception):
    """A request that is answered with an error.

    :param code: as the service model names it, with "Exception".
    :param status: of HTTP, for an error that no model lists; the protocol's own otherwise.
    :param injected: as a fault on purpose, and answered as it is.
    """

    def __init__(self, code: str, message: str, *, status: int | None = None, injected: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.injected = injected

    def as_modelled(self, codes: frozenset[str]) -> Refused:
        """An operation answers only errors that its model lists; any other is an invalid input there."""
        if self.injected or self.code in codes or self.code in _GENERIC or not codes:
            return self
        return Refused("InvalidInputException", self.message)


def invalid(message: str) -> Refused:
    return Refused("InvalidInputException", message)


def not_found(arn: str) -> Refused:
    """Of a dataset group as seen from the service: stored outputs of aws-samples notebooks."""
    if ":dataset-group/" in arn:
        return Refused("ResourceNotFoundException", f"The given dataset group does not exist: {arn}")
    return Refused("ResourceNotFoundException", f"Resource Arn {arn} does not exist.")


def in_use(message: str) -> Refused:
    return Refused("ResourceInUseException", message)


def already_exists(arn: str) -> Refused:
    return Refused("ResourceAlreadyExistsException", f"Another resource with Arn {arn} already exists.")


def limit_exceeded(message: str) -> Refused:
    return Refused("LimitExceededException", message)


def not_here(what: str) -> Refused:
    """What Amazon Personalize offers and the local cloud does not."""
    return invalid(f"{what} is not in the local cloud")
