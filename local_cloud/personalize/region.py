"""What one account has of Personalize in one Region, and what its operations work with."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from local_cloud.personalize.capacity import Capacity
from local_cloud.personalize.control import Control
from local_cloud.personalize.datasets import Dataset
from local_cloud.personalize.errors import Refused
from local_cloud.personalize.lifecycle import (
    COURSES,
    DELETE_IN_PROGRESS,
    DELETE_PENDING,
    PENDING,
    USUAL_COURSE,
    Clock,
    Course,
    Progress,
)
from local_cloud.personalize.metrics import Metrics
from local_cloud.personalize.recommenders import Model
from local_cloud.personalize.schemas import DatasetType
from local_cloud.personalize.store import Kind, Resource, Store
from local_cloud.personalize.training import Trained

_MOST_TAGS = 50


class AccessRefused(Exception):
    """Storage or metrics are not open to the role, or not to Personalize."""


class Storage(Protocol):
    """Where jobs read and write: Amazon S3."""

    def read(
        self, location: str, *, role_arn: str, job_arn: str, recursive: bool = False
    ) -> Iterable[tuple[str, BinaryIO]]:
        """Key and content of the object at `location`, or, where it ends with "/", of those right in it.

        A content may be closed when the next is asked for.

        :param recursive: those of its sub-folders too.
        :raises AccessRefused: unless the role and the bucket's policy both let Personalize read.
        """

    def write(self, location: str, content: bytes, *, role_arn: str, job_arn: str) -> None:
        """
        :raises AccessRefused: unless the role and the bucket's policy both let Personalize write.
        """


def _nothing(_: Any) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is behind something that takes a while.

    :param work: done on another thread in the meantime; its `Failed` is the `failureReason`.
    :param finish: takes its result, within a turn, when the status becomes the last one.
    """

    work: Callable[[], Any] | None = None
    finish: Callable[[Any], None] = _nothing


@dataclass(kw_only=True)
class Region:
    """
    :param datasets: the data of each dataset, by its ARN.
    :param trained: what each solution version and recommender has learnt and from what, by its ARN.
    """

    account: str
    name: str
    control: Control
    storage: Storage
    metrics: Metrics
    workers: ThreadPoolExecutor
    partition: str = "aws"
    store: Store = field(init=False)
    datasets: dict[str, Dataset] = field(default_factory=dict)
    trained: dict[str, Trained] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = Store(self.clock)
        self._capacity = Capacity(now=self.clock.now, lasts=self.clock.lasts)

    @property
    def clock(self) -> Clock:
        return self.control.clock

    def arn(self, path: str) -> str:
        """:param path: e.g. `solution/name`."""
        return f"arn:{self.partition}:personalize:{self.name}:{self.account}:{path}"

    def dataset(self, group_arn: str, dataset_type: DatasetType) -> Dataset | None:
        """The data of a dataset group's dataset of one type, where it has one."""
        for resource in self.store.all("Dataset", datasetGroupArn=group_arn, datasetType=dataset_type):
            return self.datasets[resource.arn]
        return None

    def take(self, what: str, *, least: float, most: float) -> None:
        """One request of what has a capacity, where that is a setting.

        :raises Refused: ThrottlingException.
        """
        if self.control.settings.throttling:
            self._capacity.take(what, least=least, most=most)

    def model(self, arn: str) -> Model:
        """Of a solution version, or a recommender."""
        return self.trained[arn].model

    def learned(self, group_arn: str) -> list[Resource]:
        """The solution versions and recommenders of a dataset group that have a model."""
        kinds: tuple[Kind, ...] = ("SolutionVersion", "Recommender")
        found = [each for kind in kinds for each in self.store.all(kind, datasetGroupArn=group_arn)]
        return [resource for resource in found if resource.arn in self.trained]

    def create(
        self,
        kind: Kind,
        arn: str,
        members: Mapping[str, Any],
        *,
        tags: Sequence[Mapping[str, str]] = (),
        job: Callable[[Region, Resource], Job] | None = None,
    ) -> Resource:
        """Begin CREATE PENDING -> CREATE IN_PROGRESS -> ACTIVE | CREATE FAILED, or the kind's own `Course`.

        :raises Refused: ResourceAlreadyExistsException, TooManyTagsException.
        """
        moment = self.clock.stamp()
        dates = {"creationDateTime": moment, "lastUpdatedDateTime": moment}
        status = COURSES.get(kind, USUAL_COURSE).pending
        resource = Resource(
            kind=kind, arn=arn, members={**members, "status": status, **dates}, tags=tags_of(tags)
        )
        self.store.add(resource)
        self.begin(f"Create{kind}", resource, resource.members, job=job(self, resource) if job else Job())
        return resource

    def update(self, resource: Resource, new: Mapping[str, Any], *, member: str, job: Job) -> None:
        """Begin an update, which has a status of its own; the resource's stays as it is.

        :param new: what the update changes.
        :param member: of the resource that tells of its latest update.
        """
        moment = self.clock.stamp()
        record = {**new, "status": PENDING, "creationDateTime": moment, "lastUpdatedDateTime": moment}
        resource.members[member] = record
        self.begin(f"Update{resource.kind}", resource, record, job=job)

    def begin(
        self,
        operation: str,
        resource: Resource,
        record: dict[str, Any],
        *,
        job: Job,
        course: Course | None = None,
    ) -> None:
        """Let a record with a `status` take its course; also what a restart has interrupted.

        :param course: that of the resource's kind unless given.
        """
        course = course or COURSES.get(resource.kind, USUAL_COURSE)
        resource.doing = operation
        resource.progress = Progress(
            record=record,
            steps=[course.under_way, course.done],
            since=self.clock.now(),
            work=self.workers.submit(job.work) if job.work else None,
            finish=job.finish,
            operation=operation,
            fault=self.control.faults.of_resource(operation, resource.arn),
            failed=course.failed,
        )

    def delete(self, resource: Resource, *, then: Callable[[], None] = lambda: None) -> None:
        """Begin DELETE PENDING -> DELETE IN_PROGRESS -> gone.

        :param then: forgets what belonged to it.
        """

        def finish(_: Any) -> None:
            self.store.remove(resource)
            then()

        resource.members.update(status=DELETE_PENDING, lastUpdatedDateTime=self.clock.stamp())
        resource.doing = f"Delete{resource.kind}"
        # A dataset group has no DELETE IN_PROGRESS
        steps = [DELETE_PENDING if resource.kind == "DatasetGroup" else DELETE_IN_PROGRESS]
        resource.progress = Progress(
            record=resource.members,
            steps=steps,
            since=self.clock.now(),
            gone=True,
            finish=finish,
            operation=resource.doing,
            fault=self.control.faults.of_resource(resource.doing, resource.arn),
        )


def random_id() -> str:
    """The 8 hexadecimal digits of a solution version or an event tracker."""
    return secrets.token_hex(4)


def tags_of(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """
    :raises Refused: TooManyTagsException.
    """
    read = {tag["tagKey"]: tag["tagValue"] for tag in tags}
    if len(read) > _MOST_TAGS:
        raise Refused("TooManyTagsException", f"A resource has at most {_MOST_TAGS} tags, got {len(read)}")
    return read
