"""Every resource that one account holds in one Region."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from local_cloud.personalize.errors import Refused, already_exists, not_found
from local_cloud.personalize.lifecycle import ACTIVE, BEING_CREATED, Clock, Progress

Kind = Literal[
    "Schema",
    "DatasetGroup",
    "Dataset",
    "DatasetImportJob",
    "EventTracker",
    "Filter",
    "Solution",
    "SolutionVersion",
    "Campaign",
    "DatasetExportJob",
    "DataDeletionJob",
    "MetricAttribution",
    "BatchInferenceJob",
    "BatchSegmentJob",
    "Recommender",
]
"""As in the names of the operations: Create…, Describe…, List…s, Delete…. BatchSegmentJobs are never made."""


@dataclass(kw_only=True)
class Resource:
    """
    :param members: what Describe answers, by the service model's names, and what else is known of it.
    :param order: the number of its creation; lists go by it.
    :param doing: the operation that has begun what is under way; "" where nothing is.
    """

    kind: Kind
    arn: str
    members: dict[str, Any]
    order: int = 0
    tags: dict[str, str] = field(default_factory=dict)
    doing: str = ""
    progress: Progress | None = None
    looked_at: int = 0

    @property
    def status(self) -> str:
        return str(self.members.get("status", ACTIVE))

    @property
    def is_active(self) -> bool:
        return self.status == ACTIVE

    @property
    def is_being_created(self) -> bool:
        return self.status in BEING_CREATED


class Store:
    """Thread-safe as long as every use is within `turn`.

    :ivar due: called first in each turn, to begin what the clock says.
    :ivar ended: called with a resource whose course is over, while its `doing` still says which.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._resources: dict[str, Resource] = {}
        self.due: Callable[[], None] = lambda: None
        self.ended: Callable[[Resource], None] = lambda resource: None
        self._lock = threading.RLock()
        self._turn = 0
        self._made = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One request: nobody else changes anything, and a look counts once however often it is taken."""
        with self._lock:
            self._turn += 1
            for resource in list(self._resources.values()):
                self._advance(resource, looked_at=False)
            self.due()
            yield

    def add(self, resource: Resource) -> None:
        """
        :raises Refused: ResourceAlreadyExistsException, also while the old one is being deleted.
        """
        if self.peek(resource.arn) is not None:
            raise already_exists(resource.arn)
        self._made += 1
        resource.order = self._made
        self._resources[resource.arn] = resource

    def restore(self, resource: Resource) -> None:
        """One that was there before a restart, in the order of creation."""
        self._made = max(self._made, resource.order)
        self._resources[resource.arn] = resource

    def everything(self) -> list[Resource]:
        """Of all kinds, without a look."""
        return list(self._resources.values())

    def remove(self, resource: Resource) -> None:
        self._resources.pop(resource.arn, None)

    def peek(self, arn: str) -> Resource | None:
        """A resource of any kind, or None."""
        resource = self._resources.get(arn)
        if resource is None:
            return None
        self._look_at(resource)
        return self._resources.get(arn)

    def get(self, kind: Kind, arn: str) -> Resource:
        """
        :raises Refused: ResourceNotFoundException, also for an ARN of another kind.
        """
        resource = self.peek(arn)
        if resource is None or resource.kind != kind:
            raise not_found(arn)
        return resource

    def active(self, kind: Kind, arn: str) -> Resource:
        """
        :raises Refused: ResourceNotFoundException, or ResourceInUseException unless it is ACTIVE.
        """
        resource = self.get(kind, arn)
        if not resource.is_active:
            raise Refused(
                "ResourceInUseException", f"{arn} must be ACTIVE for this, its status is {resource.status}"
            )
        return resource

    def all(self, kind: Kind, **members: str) -> list[Resource]:
        """All of a kind, oldest first, whose members have these values."""
        found = []
        for resource in list(self._resources.values()):
            if resource.kind == kind and all(resource.members.get(k) == v for k, v in members.items()):
                self._look_at(resource)
                if resource.arn in self._resources:
                    found.append(resource)
        return found

    def _look_at(self, resource: Resource) -> None:
        if resource.looked_at != self._turn:
            resource.looked_at = self._turn
            self._advance(resource, looked_at=True)

    def _advance(self, resource: Resource, *, looked_at: bool) -> None:
        progress = resource.progress
        if progress is not None and progress.advance(self.clock, looked_at=looked_at):
            self.ended(resource)
            resource.progress, resource.doing = None, ""
