"""Who is part of the experiment, and who sees what: a pure function of salt, user and allocation.

A hash of salt and user id gives each user one of 10,000 buckets for as long as the salt stays.
Treatment takes buckets from 0 up, control from 9999 down, and whoever lies between is
exempt. So growing a share takes users from the exempt only, and moves nobody
between treatment and control.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from vocabulary.experiment import BUCKETS, SHORTEST_SALT, VARIANTS, Variant


class Unreadable(Exception):
    """A configuration that says nothing sensible; the message names the field."""


class Assignment(NamedTuple):
    """Where a user belongs.

    :param unit_id: stands for the user in what is logged: an HMAC of the user id, keyed with the salt.
    :param experiment: which experiment it is, see `experiment_id`.
    """

    variant: Variant
    unit_id: str
    experiment: str


@dataclass(frozen=True)
class Experiment:
    """A running experiment.

    :param salt: the secret that buckets and unit ids depend on; a new one deals everybody anew.
    :param control: basis points that see the old experience, and are measured.
    :param treatment: basis points that see recommendations, and are measured.
    """

    salt: str
    control: int
    treatment: int

    @classmethod
    def read(cls, text: str | bytes) -> Experiment | None:
        """Read a configuration `{enabled, salt, allocation: {exempt, control, treatment}}`.

        None when it is not enabled: then everyone is served as if there were no experiment.

        :raises Unreadable: when it is not such a configuration.
        """
        try:
            told = json.loads(text)
        except ValueError as error:
            raise Unreadable(f"not JSON: {error}") from error
        if not isinstance(told, dict) or not isinstance(told.get("enabled"), bool):
            raise Unreadable("enabled must be true or false")
        if not told["enabled"]:
            return None
        salt, allocation = told.get("salt"), told.get("allocation")
        if not isinstance(salt, str) or len(salt) < SHORTEST_SALT:
            raise Unreadable(f"salt must be a text of at least {SHORTEST_SALT} characters")
        try:
            salt.encode()
        except UnicodeEncodeError as error:  # JSON can write half a character; no request could be assigned
            raise Unreadable("salt must be Unicode text, without lone surrogates") from error
        shares = _shares(allocation)
        return cls(salt, shares["control"], shares["treatment"])

    def assign(self, user_id: str) -> Assignment:
        """Where a user belongs: always the same, for the same salt and allocation."""
        digest = self._digest(user_id)
        return Assignment(self.variant_of(_bucket(digest)), digest[16:].hex(), self.id)

    @cached_property
    def id(self) -> str:
        """Tells it from others, see `experiment_id`."""
        return experiment_id(self.salt)

    def bucket_of(self, user_id: str) -> int:
        """0 to 9999; it depends on the salt alone."""
        return _bucket(self._digest(user_id))

    def variant_of(self, bucket: int) -> Variant:
        """Treatment from 0 up, control from 9999 down, exempt between."""
        if bucket < self.treatment:
            return "treatment"
        return "control" if bucket >= BUCKETS - self.control else "exempt"

    def _digest(self, user_id: str) -> bytes:
        return hmac.digest(self.salt.encode(), user_id.encode("utf-8", "surrogatepass"), "sha256")


def experiment_id(salt: str) -> str:
    """16 hex digits that tell experiments apart in the exposures and do not give the salt away.

    An HMAC keyed with the salt, of bytes that no user id has: UTF-8 knows no 0xff.
    """
    return hmac.digest(salt.encode(), b"\xffexperiment", "sha256")[:8].hex()


def _bucket(digest: bytes) -> int:
    """By 8 of its 32 bytes: 2^64 modulo 10,000 favours no bucket that could be noticed."""
    return int.from_bytes(digest[:8], "big") % BUCKETS


def _shares(allocation: object) -> Mapping[Variant, int]:
    if not isinstance(allocation, dict) or set(allocation) != set(VARIANTS):
        raise Unreadable(f"allocation must have {', '.join(VARIANTS)}")
    for name in VARIANTS:
        share = allocation[name]
        if type(share) is not int or not 0 <= share <= BUCKETS:
            raise Unreadable(f"allocation.{name} must be 0 to {BUCKETS} basis points, got {share!r}")
    if sum(allocation.values()) != BUCKETS:
        raise Unreadable(f"allocation must add up to {BUCKETS} basis points, got {sum(allocation.values())}")
    return allocation
