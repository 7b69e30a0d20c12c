"""How every command takes mistakes, and somebody who stops reading."""

from __future__ import annotations

import argparse
import io
import math
import os
import sys
from collections.abc import Callable
from typing import Any, Final, NoReturn

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    LoginError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

_NO_ACCOUNT: Final = (
    NoRegionError,
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
    LoginError,
)
_OLD_CREDENTIALS: Final = (
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
)


class Parser(argparse.ArgumentParser):
    """Says in a line what is wrong, and where to read on, in place of the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}; `{self.prog} --help` says what there is\n")


def whole(least: int, most: int) -> Callable[[str], int]:
    """An argument's type: whole numbers between the two, both included."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r}, allowed: {least} to {most}")
        return int(text)

    return read


def number(name: str, given: str, holds: Callable[[float], bool], *, allowed: str, example: str) -> float:
    """Read what make was given as `NAME=…`.

    :param holds: whether a number will do; is asked of NaN for what is none, which has to be refused.
    :param example: a command that is right.
    :raises ValueError: in make's terms.
    """
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not holds(value):
        raise ValueError(f"{name} is {given!r}, allowed: {allowed}: {example}")
    return value


def aws_error(error: BotoCoreError | ClientError) -> str:
    """A failed call in words; where the shell leads to no account, what to set."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if isinstance(error, _NO_ACCOUNT) or code in _OLD_CREDENTIALS:
        return (
            f"{error} This shell has to lead to the account and Region: set AWS_PROFILE (and sign in), or "
            "the credentials and AWS_REGION. Without ENV=…, commands ask the local cloud"
        )
    if isinstance(error, EndpointConnectionError):
        return f"{error} Is that the right Region, and is the network there?"
    return str(error)


def end_quietly() -> None:
    """Drop what nobody reads any more, as behind `| head`; the command itself goes on to its end.

    A command that changes something must not break off since its reader has left, and its exit status stays
    its own.
    """
    now = sys.stdout
    raw = io.BufferedWriter(_Dropping(now.fileno(), "w", closefd=False))
    sys.stdout = io.TextIOWrapper(
        raw, encoding=now.encoding, errors=now.errors, line_buffering=bool(now.line_buffering)
    )


class _Dropping(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            # From now on all of it goes nowhere, what child processes print too
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(data)
