"""The end of a deployment: what its state machine made, and CloudFormation knows nothing of, goes first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from personalize_resources.continuation import Memory
from personalize_resources.responses import Outcome
from personalize_resources.retirement import retire_step, sweep_schemas
from personalize_resources.stack_status import is_being_deleted
from vocabulary.colours import COLOURS, NO_COLOUR, Names
from vocabulary.coordination import TABLE_KEY

PHYSICAL_ID: Final = "purge"
"""Always the same, so that no update is ever taken for a replacement, which would end in a Delete."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What a purge clears.

    :param aws: client of a service by its boto3 name.
    :param table: the coordination table, a boto3 `Table`.
    :param state_machines: ARNs, of all whose executions touch a colour.
    :param schedules: ARNs, of all that start one.
    """

    aws: Callable[[str], Any]
    table: Any
    names: Names
    partition: str
    region: str
    account: str
    state_machines: tuple[str, ...]
    schedules: tuple[str, ...]

    def step(self, event: Mapping[str, Any], memory: Memory) -> Outcome | str:
        """Take the next step of a request; only the deletion of the whole stack makes it act.

        CloudFormation sends Delete on replacement, removal and rollback too: the
        live colour must survive those.
        """
        memory["physical_id"] = PHYSICAL_ID
        done = Outcome(physical_id=PHYSICAL_ID)
        if not is_being_deleted(self.aws, event):
            return done
        self._delete_schedules()
        left = self._stop_executions()
        if left:
            return f"executions {', '.join(left)}"
        self._name_no_colour()
        for colour in COLOURS:
            retirement = retire_step(
                self.aws("personalize"),
                self.names,
                colour,
                partition=self.partition,
                region=self.region,
                account=self.account,
                guard=lambda: None,  # here, and only here, a live colour goes too
            )
            left += retirement.waiting_for
        if left:
            return ", ".join(left)
        sweep_schemas(self.aws("personalize"), self.names.prefix, keep=())
        return done

    def _delete_schedules(self) -> None:
        scheduler = self.aws("scheduler")
        for schedule in self.schedules:
            _, group, name = schedule.split("/")
            with suppress(scheduler.exceptions.ResourceNotFoundException):
                scheduler.delete_schedule(Name=name, GroupName=group)

    def _stop_executions(self) -> list[str]:
        """Stop what runs, and answer it: the clearing that a stopped run sets off is stopped next time."""
        states = self.aws("stepfunctions")
        running = [execution for machine in self.state_machines for execution in self._running(machine)]
        for execution in running:
            with suppress(states.exceptions.ExecutionDoesNotExist):
                states.stop_execution(
                    executionArn=execution, error="Purged", cause="the stack is being deleted"
                )
        return running

    def _running(self, machine: str) -> list[str]:
        states = self.aws("stepfunctions")
        pages = states.get_paginator("list_executions").paginate(
            stateMachineArn=machine, statusFilter="RUNNING"
        )
        try:
            return [execution["executionArn"] for page in pages for execution in page["executions"]]
        except states.exceptions.StateMachineDoesNotExist:
            return []

    def _name_no_colour(self) -> None:
        """Send no more events to any colour, and nobody to a live one."""
        ssm = self.aws("ssm")
        with suppress(ssm.exceptions.ParameterNotFound):
            if ssm.get_parameter(Name=self.names.live_pointer)["Parameter"]["Value"] != NO_COLOUR:
                ssm.put_parameter(
                    Name=self.names.live_pointer, Value=NO_COLOUR, Type="String", Overwrite=True
                )
        with suppress(self.table.meta.client.exceptions.ResourceNotFoundException):
            for item in self._items():
                self.table.delete_item(Key={TABLE_KEY: item[TABLE_KEY]})

    def _items(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        start: dict[str, Any] = {}
        while True:
            page = self.table.scan(ConsistentRead=True, **start)
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return items
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
