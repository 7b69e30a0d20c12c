"""Retrainings that go wrong on purpose, at any call, and whether anything is hurt by it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from local_cloud.fault_injection import FaultInjection
from local_cloud.faults import TASK, Call, Fault
from local_cloud.personalize import faults as personalize_faults
from local_cloud.personalize.control_client import ControlClient
from tests.story.deployment import Story, Traffic, until
from vocabulary.colours import COLOURS, NO_COLOUR, colour_of, other
from vocabulary.coordination import RUN_LOCK, TABLE_KEY, open_colour_key

LONGEST_MODEL = 15
"""Seconds after which a model that still trains is stopped."""

QUICK = f"""

from dataclasses import replace

ENVIRONMENTS = {{"local": replace(
    LOCAL,
    placements=(Placement(name="recommended-for-you"), POPULAR),
    poll=cdk.Duration.seconds(10),
    canary=cdk.Duration.seconds(20),
    bake=cdk.Duration.seconds(20),
    longest_model=cdk.Duration.seconds({LONGEST_MODEL}),
)}}
"""
"""Two placements, so that one may fail while the other is at work; and as little to wait for as can be."""

SETTLED = ("cutoff_lead=environment.cutoff_lead", "collector_timeout=environment.collector_timeout")
"""What the retraining waits for, lest it overtake events that are under way: here nobody sends any."""

LISTS = (
    ("list_dataset_groups", "datasetGroups"),
    ("list_datasets", "datasets"),
    ("list_event_trackers", "eventTrackers"),
    ("list_filters", "Filters"),
    ("list_solutions", "solutions"),
    ("list_campaigns", "campaigns"),
)


def quick(story: Story) -> None:
    """Let the retrainings of a deployment to come take as little time as can be."""
    environments = story.root / "stacks" / "environment.py"
    environments.write_text(environments.read_text() + QUICK)
    training = story.root / "stacks" / "training.py"
    source = training.read_text()
    for wait in SETTLED:
        assert wait in source
        source = source.replace(wait, wait.partition("=")[0] + "=cdk.Duration.seconds(0)")
    training.write_text(source)


def tasks_of(definition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every Task state, those inside a Map or a Parallel too: its name and its resource."""
    for name, state in definition["States"].items():
        match state["Type"]:
            case "Task":
                yield name, state["Resource"]
            case "Map":
                yield from tasks_of(state.get("ItemProcessor") or state["Iterator"])
            case "Parallel":
                for branch in state["Branches"]:
                    yield from tasks_of(branch)


Machine = Literal["retraining", "clearing"]

FATAL = "Injected"
"""An error that no Retry knows."""

WAYS: tuple[dict[str, Any], ...] = (
    {"when": "before", "error": FATAL},
    {"when": "after", "error": FATAL},
    {"when": "during", "how": "stop"},
    {"when": "after", "how": "stop"},
    {"when": "after", "how": "time-out"},
)
"""How a task goes wrong for good."""

OF_FIRST_RUN = ("plan: count what there is", "plan: too little yet")
"""The states that only a run before the first colour is live enters."""

OF_SLOW_TRAINING = ("train: stop the model",)
"""The states that only a run enters whose model takes too long."""


def describe(way: dict[str, Any]) -> str:
    """A way in words."""
    return " ".join(str(value) for value in way.values())


def only_looks(call: Call) -> bool:
    """Whether a request changes nothing: then an answer that is lost is a request that was not made."""
    return call.operation.partition(":")[2].startswith(("Get", "List", "Describe", "Head"))


def requests_of(seen: Iterable[Call]) -> list[Call]:
    """What can go wrong with the requests of functions.

    Each that changes something, and of those that only look, which may be many, the first and the last.
    """
    first: dict[tuple[str, str], Call] = {}
    last: dict[tuple[str, str], Call] = {}
    changing = []
    for call in seen:
        if call.operation == TASK or call.attempt > 1:
            continue
        if only_looks(call):
            first.setdefault((call.state, call.operation), call)
            last[call.state, call.operation] = call
        else:
            changing.append(call)
    return list(dict.fromkeys([*changing, *first.values(), *last.values()]))


@dataclass(frozen=True)
class Ending:
    """How a run ended, and what followed it.

    :param was: the colour that was live before.
    :param on_trial: the colour that took a share of the traffic, if it came to that.
    :param cleared: how the clearing of a run that failed ended.
    :param hourly: it was one of those that look every hour.
    :param struck: where a fault acted, in the run and in what followed it.
    """

    execution: str
    status: str
    says: str
    was: str
    on_trial: str | None
    cleared: str | None
    hourly: bool
    struck: tuple[Call, ...]
    traffic: Traffic

    def __str__(self) -> str:
        return f"{self.status}: {self.says}"


class Crashes:
    """Retrainings of a deployment that go wrong on purpose, and whether that has hurt anything."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.connection = story.connection
        self.faults = FaultInjection(story.connection)
        self.personalize = ControlClient(story.connection.endpoint)
        self.seen: list[Call] = []

    @cached_property
    def pages(self) -> Callable[[], list[dict[str, Any]]]:
        """What on-call has heard since this was asked first."""
        return self.story.listen_to_pages()

    @cached_property
    def notices(self) -> Callable[[], list[dict[str, Any]]]:
        """As `pages`, of what can wait."""
        return self.story.listen_to_notices()

    @cached_property
    def machines(self) -> dict[Machine, str]:
        """The ARN of each."""
        states = self.connection.client("stepfunctions")
        retraining = self.story.output("RetrainingArn")
        arns = [each["stateMachineArn"] for each in states.list_state_machines()["stateMachines"]]
        (clearing,) = [arn for arn in arns if arn != retraining]
        return {"retraining": retraining, "clearing": clearing}

    def tasks(self, machine: Machine) -> dict[str, str]:
        """Every Task state of the deployed definition: name to resource."""
        states = self.connection.client("stepfunctions")
        described = states.describe_state_machine(stateMachineArn=self.machines[machine])
        return dict(tasks_of(json.loads(described["definition"])))

    def fault(self, machine: Machine, state: str = "*", **how: Any) -> Fault:
        """A fault in one of the machines; see `Fault`."""
        return Fault(machine=self._name(machine), state=state, **how)

    def is_of(self, call: Call, machine: Machine) -> bool:
        return call.machine == self._name(machine)

    def _name(self, machine: Machine) -> str:
        return self.machines[machine].rpartition(":")[2]

    def ending(self, execution: str, *, was: str, traffic: Traffic, cleared: str | None = None) -> Ending:
        """How a run that has ended did so; from now on all works again."""
        described = self.connection.client("stepfunctions").describe_execution(executionArn=execution)
        struck, self.seen = tuple(self.faults.struck()), self.faults.seen()
        self.faults.set()
        says = described.get("output") or f"{described.get('error')}: {described.get('cause')}"
        on_trial = None
        if was != NO_COLOUR and any(call.state == "flip: send the canary a share" for call in self.seen):
            on_trial = other(colour_of(was))
        hourly = bool(json.loads(described["input"])["first_only"])
        return Ending(execution, described["status"], says, was, on_trial, cleared, hourly, struck, traffic)

    def stack_status(self, stack: str) -> str:
        stacks = self.connection.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return str(stacks[0]["StackStatus"])

    def schedules(self) -> list[str]:
        """Names of what starts retrainings by itself."""
        found = self.connection.client("scheduler").list_schedules()["Schedules"]
        return sorted(schedule["Name"] for schedule in found)

    def crash(self, *faults: Fault, first_only: bool = False, slow_model: bool = False) -> Ending:
        """Retrain with these faults in force until all that follows has ended; then all works again.

        :param slow_model: models train on and on, until a fault has struck.
        """
        pages, notices, was = self.pages, self.notices, self.story.pointer()
        endless = personalize_faults.Fault(operation="CreateSolutionVersion", outcome="stuck")
        self.faults.set(*faults)
        with self.story.steady_traffic(pause=0.2) as traffic:
            with self.personalize.injected(endless) if slow_model else nullcontext():
                execution = self.start(first_only=first_only)
                if slow_model:
                    until(lambda: self.faults.struck() != [], "the model is stopped", within=120)
            until(lambda: self.has_ended(execution), "the retraining ends", within=300)
            cleared = None if self.succeeded(execution) else self.await_clearing(execution)
            until(self.nothing_runs, "what it has begun has ended", within=120)
        pages(), notices()
        return self.ending(execution, was=was, traffic=traffic, cleared=cleared)

    def succeeded(self, execution: str) -> bool:
        states = self.connection.client("stepfunctions")
        return bool(states.describe_execution(executionArn=execution)["status"] == "SUCCEEDED")

    def await_clearing(self, failed: str) -> str:
        """Wait until what follows a failed run has ended; answers its status."""
        until(lambda: self.clearing_of(failed) is not None, "it is cleared away", within=300)
        return str(self.clearing_of(failed))

    def wrong(self, ending: Ending) -> list[str]:
        """Everything that a run has left otherwise than it should be; nothing, it is to be hoped."""
        return [*self.wrong_meanwhile(ending), *self.left_behind()]

    def wrong_meanwhile(self, ending: Ending) -> list[str]:
        """What must not be even while all that failed waits to be cleared: hurt customers, no page."""
        return [*self._wrong_with_traffic(ending), *self._wrong_with_on_call(ending)]

    def left_behind(self) -> list[str]:
        """What of the deployment is not as it should be when no run is at work."""
        live, lambda_ = self.story.pointer(), self.connection.client("lambda")
        function = self.story.output("ServingFunctionName")
        found = []
        for qualifier in ("live", "$LATEST"):
            served = lambda_.get_function_configuration(FunctionName=function, Qualifier=qualifier)
            colour = served["Environment"]["Variables"]["LIVE_COLOUR"]
            if colour != live:
                found.append(f"{qualifier} serves {colour}, the pointer says {live}")
        alias = lambda_.get_alias(FunctionName=function, Name="live")
        if weights := (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights"):
            found.append(f"the alias shares its traffic: {weights}")
        found += self._strangers(live)
        items = self.connection.table(self.story.output("CoordinationTableName")).scan()["Items"]
        keys = {item[TABLE_KEY]: item for item in items}
        # The lock of an execution that has ended is as good as free
        if RUN_LOCK in keys and not self.has_ended(holder := str(keys[RUN_LOCK]["holder"])):
            found.append(f"{holder} holds the lock")
        for colour in COLOURS:
            if (open_colour_key(colour) in keys) != (colour == live):
                found.append(f"{colour} is {'open' if colour != live else 'not open'} to events")
        return found

    def _strangers(self, live: str) -> list[str]:
        """What is in Personalize but not of the live colour, or is not ACTIVE."""
        personalize, found = self.connection.client("personalize"), []
        for operation, member in LISTS:
            of_live = 0
            for page in personalize.get_paginator(operation).paginate():
                for each in page[member]:
                    if f"-{live}" not in each["name"]:
                        found.append(f"{each['name']} ({member}, {each['status']}) is left")
                    elif each["status"] != "ACTIVE":
                        found.append(f"{each['name']} ({member}) is {each['status']}")
                    of_live += 1
            if not of_live and live != NO_COLOUR and member != "Filters":
                found.append(f"{live} has no {member}")
        return found

    def _wrong_with_traffic(self, ending: Ending) -> list[str]:
        traffic, found = ending.traffic, list(ending.traffic.failures)
        if ending.was == NO_COLOUR:
            return []  # popular items, of which there are none yet
        if strange := set(traffic.colours) - {ending.was, self.story.pointer(), ending.on_trial}:
            found.append(f"answered by {', '.join(sorted(strange))}")
        if set(traffic.sources) - {"personalize"}:
            found.append(f"answered from {dict(traffic.sources)}")
        return found

    def _wrong_with_on_call(self, ending: Ending) -> list[str]:
        failed = "notice" if ending.hourly else "page"
        runbooks = {(failed, "retraining-failed"): ending.status, ("page", "clearing-failed"): ending.cleared}
        expected = {told for told, status in runbooks.items() if status not in (None, "SUCCEEDED")}
        executions = {ending.execution, *self.clearings_of(ending.execution)}

        def heard() -> set[tuple[str, str]]:
            # Alarms tell of themselves there too, and name no execution
            return {
                (how, each["says"].rpartition("#")[2])
                for how, told in (("page", self.pages), ("notice", self.notices))
                for each in told()
                if each.get("execution") in executions
            }

        try:
            until(lambda: heard() >= expected, "on-call hears of it", within=10)
        except AssertionError:
            return [f"on-call has heard of {heard() or 'nothing'} rather than of {expected}"]
        return [f"on-call was told for nothing: {each}" for each in heard() - expected]

    def start(self, *, first_only: bool = False) -> str:
        """Start a retraining; answers the ARN of its execution."""
        states = self.connection.client("stepfunctions")
        started = states.start_execution(
            stateMachineArn=self.machines["retraining"], input=json.dumps({"first_only": first_only})
        )
        return str(started["executionArn"])

    def stop(self, execution: str) -> None:
        self.connection.client("stepfunctions").stop_execution(executionArn=execution)

    def output(self, execution: str) -> dict[str, Any]:
        """What an execution that succeeded said at its end."""
        described = self.connection.client("stepfunctions").describe_execution(executionArn=execution)
        output: dict[str, Any] = json.loads(described["output"])
        return output

    def has_ended(self, execution: str) -> bool:
        states = self.connection.client("stepfunctions")
        return bool(states.describe_execution(executionArn=execution)["status"] != "RUNNING")

    def nothing_runs(self) -> bool:
        """Whether neither machine is at work, nor a function that one of them has invoked."""
        states = self.connection.client("stepfunctions")
        return not self.faults.at_work() and not any(
            states.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]
            for arn in self.machines.values()
        )

    def clearings_of(self, failed: str) -> dict[str, str]:
        """The clearings that follow a failed run, with their statuses."""
        states = self.connection.client("stepfunctions")
        newest = states.list_executions(stateMachineArn=self.machines["clearing"], maxResults=5)["executions"]
        described = [states.describe_execution(executionArn=each["executionArn"]) for each in newest]
        return {
            each["executionArn"]: str(each["status"])
            for each in described
            if json.loads(each["input"]).get("failed") == failed
        }

    def clearing_of(self, failed: str) -> str | None:
        """How the clearing that follows a failed run has ended, or None for as long as it has not."""
        ended = [status for status in self.clearings_of(failed).values() if status != "RUNNING"]
        return ended[0] if ended else None
