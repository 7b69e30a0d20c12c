"""The life of one custom resource: each step looks at what Personalize has, and does what is next.

The physical id is the ARN. CloudFormation, and Lambda between it and us, may
deliver a request twice; so a create that finds its own work done is content.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from personalize_resources.continuation import Memory
from personalize_resources.conversion import parameters
from personalize_resources.kinds import Kind, kind_of
from personalize_resources.responses import Outcome

_LOG = logging.getLogger(__name__)


class ResourceFailed(Exception):
    """Says which resource, by type and name, and what Personalize said."""


def step(personalize: Any, event: Mapping[str, Any], memory: Memory) -> Outcome | str:
    """Take the next step of a request; answer its outcome, or what is being waited for.

    :raises ResourceFailed: when it cannot be done.
    """
    kind = kind_of(event["ResourceType"])
    properties = event["ResourceProperties"]
    try:
        resource = _Resource(personalize, kind, memory)
        match event["RequestType"]:
            case "Create":
                return resource.create(parameters(kind, properties, personalize.meta.service_model))
            case "Update":
                return resource.update(
                    parameters(kind, properties, personalize.meta.service_model),
                    _before(kind, event["OldResourceProperties"], personalize.meta.service_model),
                    event["PhysicalResourceId"],
                )
            case "Delete":
                return resource.delete(event["PhysicalResourceId"])
            case request:
                raise ValueError(f"RequestType must be Create, Update or Delete, got {request!r}")
    except Exception as error:
        raise ResourceFailed(f"Personalize {kind.name} {properties.get('Name')!r}: {error}") from error


def _before(kind: Kind, properties: Mapping[str, Any], model: Any) -> dict[str, Any]:
    """What there was; nothing of it when the properties are those of an update that failed over a slip.

    CloudFormation then asks for the ones before it, and what is still there is found to be as wanted.
    """
    try:
        return parameters(kind, properties, model)
    except Exception:  # text where a map belongs fails otherwise than an unknown property
        return {}


class _Resource:
    def __init__(self, personalize: Any, kind: Kind, memory: Memory) -> None:
        self._personalize = personalize
        self._kind = kind
        self._memory = memory

    def create(self, wanted: dict[str, Any], gone: Mapping[str, Any] | None = None) -> Outcome | str:
        """Create, or find created, and wait until it is there.

        :param gone: properties that an update takes away.
        """
        errors = self._personalize.exceptions
        if "arn" not in self._memory:
            try:
                self._memory["arn"] = self._call("Create", **wanted)[self._kind.arn_member]
                self._memory["created"] = True
            except (errors.ResourceAlreadyExistsException, errors.LimitExceededException) as refusal:
                # Either may be said of what an earlier delivery of this request has made
                found = self._find(wanted["name"])
                if found is None and "IN_PROGRESS" in str(refusal):
                    return f"others are under way: {refusal}"  # as many as may be at a time
                if found is None:
                    raise
                if _status(found).startswith("DELETE"):
                    return f"{wanted['name']} is still {_status(found)}"
                self._require_same(found, wanted, gone or {})
                self._memory["arn"] = found[self._kind.arn_member]
        self._memory["physical_id"] = self._memory["arn"]
        return self._await_active(self._memory["arn"])

    def update(self, wanted: dict[str, Any], before: dict[str, Any], physical_id: str) -> Outcome | str:
        """Change in place what can be, else create another; CloudFormation then deletes this one."""
        gone = {member: value for member, value in before.items() if member not in wanted}
        changed = {member for member, value in wanted.items() if before.get(member) != value}
        if not changed and not gone:
            return self._await_active(physical_id)
        if changed <= self._kind.updatable and not gone:
            return self._update_in_place({member: wanted[member] for member in changed}, physical_id)
        try:
            return self.create(wanted, gone)
        except Exception:
            # To CloudFormation the old one is still the resource: it would never delete the new one
            self._memory["physical_id"] = physical_id
            if self._memory.get("created"):
                self._discard(self._memory["arn"])
            raise

    def delete(self, physical_id: str) -> Outcome | str:
        """Delete, and wait until it is gone."""
        gone = Outcome(physical_id=physical_id)
        if not physical_id.startswith("arn:"):
            return gone
        errors = self._personalize.exceptions
        try:
            status = _status(self._describe(physical_id))
            if not status.startswith("DELETE"):
                self._call("Delete", **{self._kind.arn_member: physical_id})
        except errors.ResourceNotFoundException:
            return gone
        except errors.ResourceInUseException as use:
            if self._kind.may_stay:
                _LOG.info("%s stays: %s", physical_id, use)
                return gone
            return f"{physical_id} is in use: {use}"
        return f"{physical_id} is being deleted" if self._kind.has_status else gone

    def _update_in_place(self, changes: dict[str, Any], arn: str) -> Outcome | str:
        described = self._describe(arn)
        latest = described.get(str(self._kind.update_path), {})
        if self._memory.get("updating"):
            return self._unfinished(latest, arn) or self._done(described)
        if _status(latest).startswith("CREATE") and "FAILED" not in _status(latest):
            return f"{arn} is still being changed by an earlier update"
        if not _differences(described, changes):
            return self._done(described)
        try:
            self._call("Update", **{self._kind.arn_member: arn}, **changes)
        except self._personalize.exceptions.ResourceInUseException as use:
            return f"{arn} is in use: {use}"
        self._memory["updating"] = True
        return f"{arn} is being updated"

    def _await_active(self, arn: str) -> Outcome | str:
        try:
            described = self._describe(arn)
        except self._personalize.exceptions.ResourceNotFoundException:
            if not self._memory.get("created"):
                raise
            return f"{arn} is not to be seen yet"
        if self._kind.has_status and (waiting_for := self._unfinished(described, arn)):
            return waiting_for
        return self._done(described)

    def _unfinished(self, described: Mapping[str, Any], arn: str) -> str | None:
        status = _status(described)
        if status == "ACTIVE":
            return None
        if "FAILED" in status or status.startswith("DELETE"):
            raise RuntimeError(f"{status}: {described.get('failureReason', 'Personalize gives no reason')}")
        return f"{arn} is {status}"

    def _done(self, described: Mapping[str, Any]) -> Outcome:
        arn = described[self._kind.arn_member]
        attributes = {name[0].upper() + name[1:]: described[name] for name in self._kind.attributes}
        return Outcome(physical_id=arn, attributes={"Arn": arn, **attributes})

    def _find(self, name: str) -> dict[str, Any] | None:
        """The resource of that name, by listing: not every ARN follows from a name."""
        pages = self._personalize.get_paginator(self._kind.operation("List")).paginate()
        for page in pages:
            for summary in page[self._kind.list_member]:
                if summary["name"] == name:
                    return self._describe(summary[self._kind.arn_member])
        return None

    def _require_same(
        self, found: Mapping[str, Any], wanted: Mapping[str, Any], gone: Mapping[str, Any]
    ) -> None:
        differing = _differences(found, wanted)
        differing += [member for member, value in gone.items() if not _differences(found, {member: value})]
        if differing:
            raise ValueError(
                f"the name is taken by {found[self._kind.arn_member]}, which has another "
                f"{', '.join(differing)}: choose another name, or delete that one"
            )

    def _discard(self, arn: str) -> None:
        try:
            self._call("Delete", **{self._kind.arn_member: arn})
        except Exception:
            _LOG.exception("%s is left behind", arn)

    def _describe(self, arn: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._call("Describe", **{self._kind.arn_member: arn})[self._kind.member]
        return answer

    def _call(self, verb: str, **arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self._personalize, self._kind.operation(verb))(**arguments)
        return answer


def _status(described: Mapping[str, Any]) -> str:
    return str(described.get("status", ""))


def _differences(described: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """The members of `wanted` that are otherwise; Personalize may have added members of its own."""
    return [member for member, value in wanted.items() if not _contains(described.get(member), value, member)]


def _contains(described: Any, wanted: Any, member: str) -> bool:
    if isinstance(wanted, dict):
        return isinstance(described, dict) and all(
            _contains(described.get(key), value, key) for key, value in wanted.items()
        )
    if isinstance(described, str) and isinstance(wanted, str):
        if member == "datasetType":  # not case-sensitive, and answered in capitals
            return described.lower() == wanted.lower()
        if member == "schema":
            return bool(json.loads(described) == json.loads(wanted))
    return bool(described == wanted)
