"""At most one retraining or clearing at a time: a conditional put in the coordination table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vocabulary.coordination import RUN_LOCK, TABLE_KEY


class LockHeldError(Exception):
    """Another execution is at work; the message names it."""


class NoLongerAtWork(Exception):
    """The run was stopped and another execution has its lock: a function outlives what waits for it."""


@dataclass(frozen=True)
class RunLock:
    """The lock of one deployment.

    :param table: the coordination table, a boto3 `Table`.
    :param is_running: whether a Step Functions execution ARN is RUNNING; a holder that is not is stale.
    """

    table: Any
    is_running: Callable[[str], bool] = lambda _: True

    def holder(self) -> str | None:
        """The execution that holds the lock, running or not."""
        item = self.table.get_item(Key={TABLE_KEY: RUN_LOCK}, ConsistentRead=True).get("Item")
        return None if item is None else str(item["holder"])

    def acquire(self, execution: str, *, run_id: str, now: int) -> None:
        """Take the lock for `execution`; taking it twice is taking it once.

        :param now: unix milliseconds, kept for on-call to read.
        :raises LockHeldError: when another execution holds it and is running.
        """
        current = self.holder()
        if current is not None and current != execution and self.is_running(current):
            raise LockHeldError(f"{current} is at work")
        unchanged = "attribute_not_exists(#key)" if current is None else "holder = :current"
        values = {} if current is None else {"ExpressionAttributeValues": {":current": current}}
        names = {"ExpressionAttributeNames": {"#key": TABLE_KEY}} if current is None else {}
        try:
            self.table.put_item(
                Item={TABLE_KEY: RUN_LOCK, "holder": execution, "run_id": run_id, "acquired_at": now},
                ConditionExpression=unchanged,
                **values,
                **names,
            )
        except self.table.meta.client.exceptions.ConditionalCheckFailedException as race:
            quicker = self.holder()
            if quicker != execution:  # else the answer to our own put was lost, and the SDK put again
                raise LockHeldError(f"{quicker} was quicker") from race

    def require(self, execution: str) -> None:
        """
        :raises NoLongerAtWork: unless `execution` holds the lock.
        """
        if (holder := self.holder()) != execution:
            raise NoLongerAtWork(f"{execution} has no lock any more, {holder or 'nobody'} has")

    def release(self, execution: str) -> None:
        """Give the lock back; a lock that is not ours (any more) stays as it is."""
        try:
            self.table.delete_item(
                Key={TABLE_KEY: RUN_LOCK},
                ConditionExpression="holder = :execution",
                ExpressionAttributeValues={":execution": execution},
            )
        except self.table.meta.client.exceptions.ConditionalCheckFailedException:
            return
