"""Buckets that are emptied when their stack is destroyed: CloudFormation deletes none that holds anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from personalize_resources.continuation import Memory
from personalize_resources.responses import Outcome
from personalize_resources.stack_status import is_being_deleted

PHYSICAL_ID: Final = "emptying"
"""Always the same, so that no update is ever taken for a replacement, which would end in a Delete."""

PAGES_A_STEP: Final = 10
"""Of a thousand objects each, a second or two: a step has to end within the half minute that `Continuation`
keeps for it."""


@dataclass(frozen=True, kw_only=True)
class Emptying:
    """What is emptied.

    :param aws: client of a service by its boto3 name.
    """

    aws: Callable[[str], Any]
    buckets: Sequence[str]

    def step(self, event: Mapping[str, Any], memory: Memory) -> Outcome | str:
        """Take the next step of a request; only the deletion of the whole stack makes it act.

        CloudFormation sends Delete when the resource is taken out of the template too, as by
        `keep_data`, which asks for the very opposite.

        :raises RuntimeError: when an object cannot be deleted.
        """
        memory["physical_id"] = PHYSICAL_ID
        if is_being_deleted(self.aws, event):
            pages = 0
            for bucket in self.buckets:
                while deleted := self._delete_a_page(bucket):
                    memory["deleted"] = memory.get("deleted", 0) + deleted
                    pages += 1
                    if pages == PAGES_A_STEP:
                        return f"{bucket}: {memory['deleted']} objects and versions deleted so far"
        return Outcome(physical_id=PHYSICAL_ID)

    def _delete_a_page(self, bucket: str) -> int:
        """Delete versions and delete markers, a thousand at most; answers how many."""
        s3 = self.aws("s3")
        page = s3.list_object_versions(Bucket=bucket)
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if not found:
            return 0
        objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        if errors := answer.get("Errors"):
            raise RuntimeError(f"{bucket}: {errors[0]['Key']} cannot be deleted: {errors[0]['Message']}")
        return len(objects)
