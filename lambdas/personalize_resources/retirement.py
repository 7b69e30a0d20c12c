"""The removal of a whole colour, and of schemas that nothing uses any more.

Whatever of a colour exists hangs from its dataset group, so that is where it is
looked for: not in the settings, which may have changed since, and not in what a
run remembers, which may have been cut off anywhere. Order and preconditions:
developer guide, "Deleting Amazon Personalize resources".
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from personalize_resources.kinds import KINDS, Kind
from vocabulary.colours import Colour, Names, personalize_arn

_LOG = logging.getLogger(__name__)
_KINDS: Final = {**KINDS, "MetricAttribution": Kind(name="MetricAttribution", properties=())}
"""Also what no template and no retraining makes, but a person may: it holds the datasets in use."""
_STOPPABLE = ("CREATE PENDING", "CREATE IN_PROGRESS")


@dataclass(frozen=True)
class RetireStep:
    """How far a retirement is.

    :param gone: nothing of the colour is left.
    :param waiting_for: what still is, each with its status.
    """

    gone: bool
    waiting_for: tuple[str, ...] = ()


def retire_step(
    personalize: Any,
    names: Names,
    colour: Colour,
    *,
    partition: str,
    region: str,
    account: str,
    guard: Callable[[], None],
) -> RetireStep:
    """Delete whatever of the colour can be deleted now; to be repeated until it is gone.

    It may begin with a colour left anywhere between nothing and complete.

    :param guard: called immediately before each destructive call; raises when the colour is in use.
    """
    group = personalize_arn(partition, region, account, "dataset-group", names.dataset_group(colour))
    try:
        described = personalize.describe_dataset_group(datasetGroupArn=group)["datasetGroup"]
    except personalize.exceptions.ResourceNotFoundException:
        return RetireStep(gone=True)
    if _is_going(described):
        return RetireStep(gone=False, waiting_for=(_told("dataset group", described),))
    return _Retirement(personalize, group, guard).step(described)


def sweep_schemas(
    personalize: Any, prefix: str, keep: Collection[str], *, older_than: timedelta = timedelta(0)
) -> tuple[str, ...]:
    """Delete the schemas named `{prefix}-…` that no dataset uses; answer their names.

    :param keep: names of schemas to leave.
    :param older_than: leave younger ones: a deployment under way may just have made them for itself.
    """
    newest = datetime.now(UTC) - older_than
    swept = []
    for schema in _listed(personalize, "Schema"):
        name = schema["name"]
        if not name.startswith(f"{prefix}-") or name in keep or schema["creationDateTime"] > newest:
            continue
        with suppress(*_refusals(personalize)):
            personalize.delete_schema(schemaArn=schema["schemaArn"])
            swept.append(name)
    return tuple(swept)


class _Retirement:
    """One step: looks at everything once, and deletes what nothing else stands on."""

    def __init__(self, personalize: Any, group: str, guard: Callable[[], None]) -> None:
        self._personalize = personalize
        self._group = group
        self._guard = guard
        self._left: list[str] = []

    def step(self, described: dict[str, Any]) -> RetireStep:
        self._delete_solutions()
        # No more requests are filtered, and no more events taken in, by a colour that nobody uses
        self._delete_all("Filter")
        self._delete_all("EventTracker")
        self._delete_all("MetricAttribution")
        if not self._left:
            self._delete_all("Dataset")
        if not self._left:
            self._delete("DatasetGroup", described)
        return RetireStep(gone=False, waiting_for=tuple(self._left))

    def _delete_solutions(self) -> None:
        for solution in self._of_group("Solution"):
            arn = solution["solutionArn"]
            campaigns = list(_listed(self._personalize, "Campaign", solutionArn=arn))
            for campaign in campaigns:
                self._delete("Campaign", campaign)
            if self._stop_versions(arn) or campaigns:
                self._left.append(_told("solution", solution))
            else:
                self._delete("Solution", solution)

    def _stop_versions(self, solution: str) -> bool:
        """Stop what is in training; whether any still is."""
        busy = False
        with suppress(
            self._personalize.exceptions.ResourceNotFoundException
        ):  # the solution went in the meantime
            pages = self._personalize.get_paginator("list_solution_versions").paginate(solutionArn=solution)
            for version in (version for page in pages for version in page["solutionVersions"]):
                # The operation's own documentation spells statuses with underscores, the answers with a space
                status = version["status"].replace("CREATE_", "CREATE ")
                if status not in (*_STOPPABLE, "CREATE STOPPING"):
                    continue
                busy = True
                self._left.append(f"solution version {version['solutionVersionArn']} ({status})")
                if status in _STOPPABLE:
                    self._guard()
                    try:
                        self._personalize.stop_solution_version_creation(
                            solutionVersionArn=version["solutionVersionArn"]
                        )
                    except _refusals(self._personalize, "InvalidInputException") as refusal:
                        _LOG.info("not stopped, it may just have ended: %s", refusal)
        return busy

    def _delete_all(self, kind: str) -> None:
        for resource in self._of_group(kind):
            self._delete(kind, resource)

    def _delete(self, kind: str, resource: dict[str, Any]) -> None:
        known = _KINDS[kind]
        self._left.append(_told(known.name, resource))
        if _is_going(resource):
            return
        self._guard()
        try:
            delete = getattr(self._personalize, known.operation("Delete"))
            delete(**{known.arn_member: resource[known.arn_member]})
        except _refusals(self._personalize) as refusal:
            _LOG.info("not yet deleted: %s", refusal)

    def _of_group(self, kind: str) -> list[dict[str, Any]]:
        return list(_listed(self._personalize, kind, datasetGroupArn=self._group))


def _listed(personalize: Any, kind: str, **of: str) -> Iterator[dict[str, Any]]:
    known = _KINDS[kind]
    with suppress(personalize.exceptions.ResourceNotFoundException):
        for page in personalize.get_paginator(known.operation("List")).paginate(**of):
            yield from page[known.list_member]


def _refusals(personalize: Any, *more: str) -> tuple[type[Exception], ...]:
    """What a destructive call may answer when somebody was quicker, or something is not settled yet."""
    names = ("ResourceNotFoundException", "ResourceInUseException", *more)
    return tuple(getattr(personalize.exceptions, name) for name in names)


def _is_going(resource: dict[str, Any]) -> bool:
    return str(resource["status"]).startswith("DELETE")


def _told(kind: str, resource: dict[str, Any]) -> str:
    return f"{kind} {resource['name']} ({resource['status']})"
