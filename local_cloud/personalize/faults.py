"""Faults on purpose: what the service answers, and what becomes of what it makes, as a test wants it.

A fault acts on operations by name (`CreateCampaign`, `Create*`), now and then (`rate`), a number of times
(`count`), or until it is cleared. One that strikes a request acts before the request has any effect or
after it, which is the difference between an error that may be retried and one whose call had succeeded.
One that strikes a resource lets it fail, or holds it in the status that it has until the fault is cleared.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, Self, get_args, get_type_hints

from local_cloud.personalize.errors import Refused
from local_cloud.personalize.models import SERVICES, model_of

When = Literal["before", "after"]
Outcome = Literal["failed", "stuck"]

LONGEST_LATENCY: Final = 600.0
"""Seconds."""

STATUSES: Final[Mapping[str, int]] = {
    "ThrottlingException": 400,
    "AccessDeniedException": 400,
    "RequestTimeoutException": 408,
    "InternalServerException": 500,
    "InternalFailure": 500,
    "ServiceUnavailableException": 503,
}
"""HTTP statuses of errors that every service may answer and that no model lists."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """
    :param operation: its name, or a pattern with `*` and `?`.
    :param resource: a pattern of an ARN or a name in the request; of the ARN for an `outcome`.
    :param error: a code that the request is answered with: of `STATUSES`, or one that a model lists.
    :param message: with the error; or the `failureReason`.
    :param when: whether the request is refused before its effect, or has its effect and is refused then.
    :param latency: seconds that the answer is held back, error or not.
    :param outcome: what becomes of a resource whose creation, update or deletion the operation begins:
        "failed" ends its creation in CREATE FAILED; "stuck" keeps its status until the fault is cleared.
    :param rate: of the times that it could strike, at random.
    :param skip: how many times it lets pass first.
    :param count: how many times it strikes; None is without end.
    :raises ValueError: for a fault that would never do anything, naming the field.
    """

    operation: str
    resource: str = "*"
    error: str | None = None
    message: str = ""
    when: When = "before"
    latency: float = 0.0
    outcome: Outcome | None = None
    rate: float = 1.0
    skip: int = 0
    count: int | None = None

    def __post_init__(self) -> None:
        if not any(fnmatchcase(name, self.operation) for name in OPERATIONS):
            raise ValueError(f"operation must name one of Personalize or match some, got {self.operation!r}")
        if self.error is not None and self.error not in STATUSES and self.error not in _modelled():
            allowed = ", ".join([*STATUSES, *sorted(_modelled())])
            raise ValueError(f"error must be one of {allowed}, got {self.error!r}")
        if self.when not in get_args(When):
            raise ValueError(f"when must be before or after, got {self.when!r}")
        if self.outcome is not None and self.outcome not in get_args(Outcome):
            raise ValueError(f"outcome must be failed or stuck, got {self.outcome!r}")
        if not 0 <= self.latency <= LONGEST_LATENCY:
            raise ValueError(f"latency must be 0 to {LONGEST_LATENCY:.0f} seconds, got {self.latency}")
        if not 0 < self.rate <= 1:
            raise ValueError(f"rate must be above 0 and at most 1, got {self.rate}")
        if self.skip < 0:
            raise ValueError(f"skip must be at least 0, got {self.skip}")
        if self.count is not None and self.count < 1:
            raise ValueError(f"count must be at least 1, or null, got {self.count}")
        if self.outcome and (self.error or self.latency):
            raise ValueError("outcome stands alone: error and latency are of another fault")
        if not (self.error or self.latency or self.outcome):
            raise ValueError("one of error, latency and outcome must be given")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """From JSON.

        :raises ValueError: for a field that is unknown, missing or of another type.
        """
        known = get_type_hints(cls)
        if unknown := [name for name in values if name not in known]:
            raise ValueError(f"unknown field {unknown[0]!r}: a fault has {', '.join(known)}")
        if "operation" not in values:
            raise ValueError("operation is required")
        for name, value in values.items():
            if not _fits(name, value):
                raise ValueError(f"{name} has the wrong type: {value!r}")
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


_NUMBERS: Final = {"latency": (int, float), "rate": (int, float), "skip": (int,), "count": (int,)}
_OPTIONAL: Final = frozenset({"error", "outcome", "count"})


def _fits(name: str, value: Any) -> bool:
    if value is None:
        return name in _OPTIONAL
    if isinstance(value, bool):
        return False
    return isinstance(value, _NUMBERS.get(name, (str,)))


OPERATIONS: Final[frozenset[str]] = frozenset(
    name for service in SERVICES for name in model_of(service).operation_names
)


def _modelled() -> frozenset[str]:
    return frozenset(shape.name for service in SERVICES for shape in model_of(service).error_shapes)


@dataclass(kw_only=True)
class Injected:
    """A fault at work.

    :ivar met: how often it could have struck.
    :ivar struck: how often it did.
    :ivar cleared: set when it is over.
    """

    id: str
    fault: Fault
    met: int = 0
    struck: int = 0
    cleared: threading.Event = field(default_factory=threading.Event)

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "met": self.met, "struck": self.struck, **self.fault.to_json()}


class Faults:
    """The faults of one local cloud, for all its accounts and Regions. Thread-safe.

    :param seed: which requests a `rate` strikes.
    """

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._injected: dict[str, Injected] = {}
        self._numbers = itertools.count(1)
        self._random = random.Random(seed)

    def inject(self, fault: Fault) -> Injected:
        with self._lock:
            injected = Injected(id=f"fault-{next(self._numbers)}", fault=fault)
            self._injected[injected.id] = injected
            return injected

    def all(self) -> list[Injected]:
        """Oldest first, those too that have struck as often as they may."""
        with self._lock:
            return list(self._injected.values())

    def clear(self, fault_id: str | None = None) -> int:
        """End one fault, or all; what was stuck or held back goes on. How many there were."""
        with self._lock:
            ids = list(self._injected) if fault_id is None else [fault_id]
            ended = [self._injected.pop(each) for each in ids if each in self._injected]
        for injected in ended:
            injected.cleared.set()
        return len(ended)

    def of_request(self, operation: str, request: Mapping[str, Any]) -> list[Injected]:
        """What strikes this request: `act` on it before and after its effect."""
        return self._strike(operation, list(_texts(request)), outcome=False)

    def of_resource(self, operation: str, arn: str) -> Injected | None:
        """What becomes of a resource that the operation changes; None is the ordinary course."""
        struck = self._strike(operation, [arn, arn.rpartition("/")[2]], outcome=True)
        return struck[0] if struck else None

    def _strike(self, operation: str, names: Sequence[str], *, outcome: bool) -> list[Injected]:
        if not self._injected:
            return []
        with self._lock:
            return [
                injected
                for injected in self._injected.values()
                if (injected.fault.outcome is not None) == outcome
                and fnmatchcase(operation, injected.fault.operation)
                and any(fnmatchcase(name, injected.fault.resource) for name in [*names, ""])
                and self._strikes(injected)
            ]

    def _strikes(self, injected: Injected) -> bool:
        fault = injected.fault
        injected.met += 1
        over = fault.count is not None and injected.struck >= fault.count
        if over or injected.met <= fault.skip or self._random.random() >= fault.rate:
            return False
        injected.struck += 1
        return True


def act(struck: Sequence[Injected], when: When) -> None:
    """Hold the request back, then refuse it, as those faults say that are due at that time.

    :raises Refused: with the first error among them.
    """
    due = [injected for injected in struck if injected.fault.when == when]
    for injected in due:
        injected.cleared.wait(injected.fault.latency)
    for injected in due:
        if (error := injected.fault.error) is not None:
            message = injected.fault.message or _MESSAGES.get(error, f"{error}, injected")
            raise Refused(error, message, status=STATUSES.get(error), injected=True)


_MESSAGES: Final = {
    "ThrottlingException": "Rate exceeded",
    "AccessDeniedException": "User is not authorized to perform this operation",
    "InternalServerException": "We encountered an internal error. Please try again.",
    "InternalFailure": "We encountered an internal error. Please try again.",
    "ServiceUnavailableException": "Service is unavailable. Please try again.",
    "LimitExceededException": "More than 5 resources with PENDING or IN_PROGRESS status.",
}


def _texts(value: Any) -> list[str]:
    """Every text in a request: its names, ARNs and locations."""
    if isinstance(value, str):
        return [value, value.rpartition("/")[2]] if value.startswith("arn:") else [value]
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return []
