"""What one account has of Personalize in one Region, and what its operations work with."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from local_cloud.personalize.datasets import Dataset
from local_cloud.personalize.errors import Refused
from local_cloud.personalize.lifecycle import (
    ACTIVE,
    DELETE_IN_PROGRESS,
    DELETE_PENDING,
    IN_PROGRESS,
    PENDING,
    Clock,
    Progress,
)
from local_cloud.personalize.recommenders import Model
from local_cloud.personalize.schemas import DatasetType
from local_cloud.personalize.store import Kind, Resource, Store

_MOST_TAGS = 50


class AccessRefused(Exception):
    """Storage may not be read with the role, or not by Personalize."""


class Storage(Protocol):
    """Where data to import lie: Amazon S3."""

    def read(self, location: str, *, role_arn: str, job_arn: str) -> Sequence[tuple[str, bytes]]:
        """Key and content of the object at `location`, or, where it ends with "/", of those right in it.

        :raises AccessRefused: unless the role and the bucket's policy both let Personalize read.
        """


@dataclass(kw_only=True)
class Region:
    """
    :param datasets: the data of each dataset, by its ARN.
    :param models: what each ACTIVE solution version has learnt, by its ARN.
    """

    account: str
    name: str
    clock: Clock
    storage: Storage
    workers: ThreadPoolExecutor
    partition: str = "aws"
    store: Store = field(init=False)
    datasets: dict[str, Dataset] = field(default_factory=dict)
    models: dict[str, Model] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = Store(self.clock)

    def arn(self, path: str) -> str:
        """:param path: e.g. `solution/name`."""
        return f"arn:{self.partition}:personalize:{self.name}:{self.account}:{path}"

    def dataset(self, group_arn: str, dataset_type: DatasetType) -> Dataset | None:
        """The data of a dataset group's dataset of one type, where it has one."""
        for resource in self.store.all("Dataset", datasetGroupArn=group_arn, datasetType=dataset_type):
            return self.datasets[resource.arn]
        return None

    def create(
        self,
        kind: Kind,
        arn: str,
        members: Mapping[str, Any],
        *,
        tags: Sequence[Mapping[str, str]] = (),
        work: Callable[[], Any] | None = None,
        finish: Callable[[Any], None] = lambda _: None,
    ) -> Resource:
        """Begin CREATE PENDING -> CREATE IN_PROGRESS -> ACTIVE | CREATE FAILED.

        :param work: what is done in the meantime, on another thread; its result goes to `finish`.
        :raises Refused: ResourceAlreadyExistsException.
        """
        moment = self.clock.stamp()
        resource = Resource(
            kind=kind,
            arn=arn,
            members={
                **members,
                "status": PENDING,
                "creationDateTime": moment,
                "lastUpdatedDateTime": moment,
            },
            tags=tags_of(tags),
        )
        self.store.add(resource)
        resource.progress = self.being_created(resource.members, work=work, finish=finish)
        return resource

    def being_created(
        self,
        record: dict[str, Any],
        *,
        work: Callable[[], Any] | None = None,
        finish: Callable[[Any], None] = lambda _: None,
    ) -> Progress:
        future: Future[Any] | None = self.workers.submit(work) if work else None
        return Progress(
            record=record, steps=[IN_PROGRESS, ACTIVE], since=self.clock.now(), work=future, finish=finish
        )

    def delete(self, resource: Resource, *, then: Callable[[], None] = lambda: None) -> None:
        """Begin DELETE PENDING -> DELETE IN_PROGRESS -> gone.

        :param then: forgets what belonged to it.
        """

        def finish(_: Any) -> None:
            self.store.remove(resource)
            then()

        resource.members.update(status=DELETE_PENDING, lastUpdatedDateTime=self.clock.stamp())
        # A dataset group has no DELETE IN_PROGRESS
        steps = [DELETE_PENDING if resource.kind == "DatasetGroup" else DELETE_IN_PROGRESS]
        resource.progress = Progress(
            record=resource.members, steps=steps, since=self.clock.now(), gone=True, finish=finish
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
