"""Makes deliveries to S3 go wrong in a running local cloud, as they do on AWS now and then.

Firehose delivers at least once: what it is not sure of it delivers again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, Self, TypeVar

from local_cloud.connection import Connection
from local_cloud.control import ask

PATH: Final = "/_colorway/deliveries"

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class DeliveryFault:
    """What goes wrong with the deliveries that it matches.

    :param stream: a pattern (`fnmatch`) of the delivery stream's name.
    :param failing: nothing is delivered, and everything tried again.
    :param twice: share of the objects of which a copy follows, behind the next delivery.
    :param shuffled: the records of a delivery come in any order.
    """

    stream: str = "*"
    failing: bool = False
    twice: float = 0.0
    shuffled: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.twice <= 1:
            raise ValueError(f"twice must be 0 to 1, got {self.twice!r}")

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; a TypeError names a member that is unknown."""
        return cls(**members)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def matches(self, stream: str) -> bool:
        return fnmatchcase(stream, self.stream)

    def in_order(self, records: Sequence[Item], draw: random.Random) -> list[Item]:
        """The records as they are delivered."""
        return draw.sample(records, len(records)) if self.shuffled else list(records)

    def of_which_twice(self, objects: Sequence[Item], draw: random.Random) -> list[Item]:
        """The objects of which a copy is to follow."""
        return [each for each in objects if draw.random() < self.twice]


NONE: Final = DeliveryFault()


@dataclass(frozen=True)
class DeliveryFaults:
    """The faults of the deliveries of one local cloud."""

    connection: Connection

    def set(self, fault: DeliveryFault = NONE) -> int:
        """Put this in force in place of any other; answers how many deliveries have met one so far."""
        return int(ask(self.connection, PATH, fault.to_json())["struck"])

    @contextmanager
    def injected(self, fault: DeliveryFault) -> Iterator[None]:
        """In force while it lasts."""
        self.set(fault)
        try:
            yield
        finally:
            self.set()
