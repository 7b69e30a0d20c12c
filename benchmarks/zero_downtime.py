"""Retraining after retraining under steady traffic while things fail: what a customer notices of it.

    python -m benchmarks.zero_downtime --retrainings 20

Deploys everything into a local cloud of its own and trains it. From then on clients ask for every placement,
one request after the other, until that many more retrainings have gone through. Each has trouble of its own,
dealt out by the seed (`retraining_trouble`). Runs that end of it are cleared away, and count as trouble only.

Before each run new events tie a few anchors to partners that they never had, so that no two models list the
same beside an anchor. An answer whose list is not wholly that of one model, the newest of the colour that it
names, is *mixed*; one that names a colour whose campaign was gone when it was asked for is *of a deleted
colour*, as far as a look every tenth of a second can tell.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.filled_cloud import filled_cloud
from benchmarks.retraining_trouble import Trouble, troubles
from benchmarks.watched_colours import WatchedColours
from benchmarks.watched_traffic import Answer, SteadyTraffic
from local_cloud import deployed, retraining_progress
from local_cloud.connection import Connection
from local_cloud.fault_injection import FaultInjection
from local_cloud.faults import TASK
from local_cloud.lake_loading import connect
from local_cloud.live_api import LiveApi
from local_cloud.marketplace import Marketplace
from local_cloud.personalize.control_client import ControlClient
from local_cloud.progress import Progress
from vocabulary.coordination import RUN_LOCK, TABLE_KEY
from vocabulary.lake import EVENT_COLUMNS, EVENTS_FOLDER
from vocabulary.table_sql import typed

ANCHORS: Final = 6
PARTNERS: Final = 6
ADMIRERS: Final = 10
"""Users who touch an anchor and all of its new partners: few, lest the metrics gate judge by them."""

_LOOK_EVERY: Final = 0.25


@dataclass(frozen=True)
class Run:
    """A retraining that went through.

    :param began: seconds of the monotonic clock, as `ended`.
    :param personalize_seconds: what Personalize itself took: the longest import, and the longest of the
        models together with its campaign.
    :param phases: seconds of each phase.
    """

    colour: str
    trouble: Trouble
    began: float
    ended: float
    personalize_seconds: float
    phases: dict[str, float]


class Benchmark:
    """A deployment that is retrained again and again."""

    def __init__(self, connection: Connection, market: Marketplace, *, seed: int) -> None:
        self.connection, self.market = connection, market
        self.dice = random.Random(seed)
        self.faults = FaultInjection(connection)
        self.personalize = ControlClient(connection.endpoint)
        self.anchors = [item.item_id for item in self.dice.sample(market.items, ANCHORS)]
        self.machine = deployed.output(connection, "RetrainingArn")
        self.runs: list[Run] = []
        self.tasks: list[str] = []
        """The states in which the last run did something, in the order in which it entered them."""
        self.failed: Counter[str] = Counter()
        self._rounds = 0

    def retrain(self, trouble: Trouble) -> Run | None:
        """One more, with this trouble; None when it did not go through. Nothing is in force after it."""
        self.tie_anchors()
        began = time.monotonic()
        self.faults.set(*trouble.calls)
        with ExitStack() as stack:
            for fault in trouble.personalize:
                stack.enter_context(self.personalize.injected(fault))
            execution = retraining_progress.start(self.connection, self.machine)
            ended = self._await(execution)
        name = self.machine.rpartition(":")[2]
        seen = (call.state for call in self.faults.seen() if (call.machine, call.operation) == (name, TASK))
        self.tasks = list(dict.fromkeys(seen))
        self.faults.set()
        self._await_free()
        if ended["status"] != "SUCCEEDED" or json.loads(ended["output"])["outcome"] != "done":
            why = ended.get("cause") or ended.get("output") or ended["status"]
            self.failed[f"{trouble.name}: {ended.get('error', '')}: {why}"] += 1
            return None
        run = Run(
            colour=self.live(),
            trouble=trouble,
            began=began,
            ended=time.monotonic(),
            personalize_seconds=self._personalize_seconds(),
            phases=self._phases(execution),
        )
        self.runs.append(run)
        return run

    def tie_anchors(self) -> None:
        """Customers of their own touch each anchor with new partners; those of the round before are gone."""
        self._rounds += 1
        now = int(time.time() * 1000)
        rows = []
        for anchor in self.anchors:
            partners = [item.item_id for item in self.dice.sample(self.market.items, PARTNERS)]
            for admirer in range(ADMIRERS):
                who = f"admirer-{self._rounds}-{anchor}-{admirer}"
                for place, item in enumerate((anchor, *partners)):
                    at = now - (PARTNERS - place) * 1000
                    rows.append((f"{who}-{place}", at, at, who, who, "view", item))
        database = connect()
        database.execute(
            "CREATE TABLE tied (event_id VARCHAR, received_at BIGINT, sent_at BIGINT, session_id VARCHAR,"
            " user_id VARCHAR, event_type VARCHAR, item_id VARCHAR)"
        )
        database.executemany("INSERT INTO tied VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        told = {"event_id", "received_at", "sent_at", "session_id", "user_id", "event_type", "item_id"}
        rest = ", ".join(f"NULL AS {column.name}" for column in EVENT_COLUMNS if column.name not in told)
        day = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y-%m-%d")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "tied.parquet"
            database.sql(f"SELECT *, {rest} FROM tied").project(typed(EVENT_COLUMNS)).write_parquet(str(file))
            self.connection.client("s3").put_object(
                Bucket=deployed.output(self.connection, "LakeBucketName"),
                Key=f"{EVENTS_FOLDER}/day={day}/tied.parquet",
                Body=file.read_bytes(),
            )

    def live(self) -> str:
        name = deployed.output(self.connection, "LivePointerName")
        return str(self.connection.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])

    def _of_live(self, operation: str, member: str, arn: str, ending: str = "") -> list[str]:
        found = self.connection.client("personalize").get_paginator(operation).paginate()
        live = self.live()
        return [
            str(each[arn])
            for page in found
            for each in page[member]
            if f"-{live}" in each[arn] and each[arn].endswith(ending)
        ]

    def _personalize_seconds(self) -> float:
        """By the creation and last change of what the live colour consists of, as Personalize tells them."""
        personalize = self.connection.client("personalize")

        def took(described: dict[str, Any]) -> float:
            lasted = described["lastUpdatedDateTime"] - described["creationDateTime"]
            return float(lasted.total_seconds())

        live = self.live()
        imports = [
            took(
                personalize.describe_dataset_import_job(datasetImportJobArn=job["datasetImportJobArn"])[
                    "datasetImportJob"
                ]
            )
            for page in personalize.get_paginator("list_dataset_import_jobs").paginate()
            for job in page["datasetImportJobs"]
            if f"-{live}-" in job["jobName"]
        ]
        models = []
        for solution in self._of_live("list_solutions", "solutions", "solutionArn"):
            (version,) = personalize.list_solution_versions(solutionArn=solution)["solutionVersions"]
            (campaign,) = personalize.list_campaigns(solutionArn=solution)["campaigns"]
            models.append(took(version) + took(campaign))
        return max(imports) + max(models)

    def _phases(self, execution: str) -> dict[str, float]:
        events = retraining_progress.history(self.connection.client("stepfunctions"), execution)
        seconds: defaultdict[str, float] = defaultdict(float)
        for phase in retraining_progress.phases_of(events):
            seconds[phase.name] += phase.seconds
        return dict(seconds)

    def _await(self, execution: str) -> dict[str, Any]:
        states = self.connection.client("stepfunctions")
        while (described := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
            time.sleep(_LOOK_EVERY)
        return dict(described)

    def _await_free(self) -> None:
        """Until no run of either state machine goes on, the clearing of a failed one included."""
        states = self.connection.client("stepfunctions")
        machines = [each["stateMachineArn"] for each in states.list_state_machines()["stateMachines"]]
        table = self.connection.table(deployed.output(self.connection, "CoordinationTableName"))
        while "Item" in table.get_item(Key={TABLE_KEY: RUN_LOCK}) or any(
            states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
            for machine in machines
        ):
            time.sleep(_LOOK_EVERY)


def flip_window(answers: Sequence[Answer], run: Run) -> float | None:
    """Seconds in which both colours answered: from the first of the new to the last of the old."""
    during = [answer for answer in answers if run.began <= answer.asked <= run.ended and answer.colour]
    new = [answer.answered for answer in during if answer.colour == run.colour]
    old = [answer.answered for answer in during if answer.colour != run.colour]
    return max(0.0, max(old) - min(new)) if new and old else None


def main() -> None:
    """Print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--retrainings", type=int, default=20, help="that go through (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--pause", type=float, default=0.1, help="seconds between a client's requests (default %(default)s)"
    )
    arguments = parser.parse_args()
    progress = Progress()
    with filled_cloud(progress, customers=600, seed=arguments.seed) as (connection, market):
        benchmark = Benchmark(connection, market, seed=arguments.seed)
        first = benchmark.retrain(Trouble("none"))
        if first is None:
            raise SystemExit("the first retraining did not go through; nothing can be measured")
        tasks = benchmark.tasks
        api = LiveApi.of(benchmark.connection)
        users = [str(each) for each in benchmark.market.customers["user_id"]][:200]
        menu: list[Trouble] = []
        tried = 0
        colours = WatchedColours(benchmark.connection, anchors=benchmark.anchors)
        with (
            colours,
            SteadyTraffic(api, users=users, anchors=benchmark.anchors, pause=arguments.pause) as traffic,
        ):
            while len(benchmark.runs) <= arguments.retrainings:
                menu = menu or troubles(benchmark.machine.rpartition(":")[2], tasks, benchmark.dice)
                trouble, tried = menu.pop(), tried + 1
                began = time.monotonic()
                run = benchmark.retrain(trouble)
                ended = f"{run.colour} is live" if run else "failed, and was cleared away"
                progress.say(
                    f"{tried:>3}  {time.monotonic() - began:5.1f} s  {trouble.name}: {ended}; "
                    f"{len(traffic.answers):,} answers, {len(traffic.failures)} failures so far"
                )
        say(benchmark, traffic, colours, tried)


def say(benchmark: Benchmark, traffic: SteadyTraffic, colours: WatchedColours, tried: int) -> None:
    """The table."""
    answers, runs = traffic.answers, benchmark.runs[1:]
    windows = [window for run in runs if (window := flip_window(answers, run)) is not None]
    sources = Counter(answer.source for answer in answers)
    troubled = [run for run in runs if run.trouble.answers]
    unexplained = sum(
        answer.source != "personalize" and not any(run.began <= answer.asked <= run.ended for run in troubled)
        for answer in answers
    )
    beside = sum(answer.anchor is not None and answer.source == "personalize" for answer in answers)
    took = [(answer.answered - answer.asked) * 1000 for answer in answers]
    overhead = [sum(run.phases.values()) - run.personalize_seconds for run in runs]
    rows = (
        ("retrainings begun", f"{tried:,}"),
        ("gone through", f"{len(runs):,}"),
        ("failed on purpose or otherwise, and cleared away", f"{sum(benchmark.failed.values()):,}"),
        ("requests", f"{len(answers) + len(traffic.failures):,}"),
        ("failed", f"{len(traffic.failures):,}"),
        ("answered by a deleted colour", f"{colours.answered_after_deletion(answers):,}"),
        (f"mixed, of {beside:,} beside an anchor", f"{colours.mixed(answers):,}"),
        ("answered from popular items", f"{sources['popular']:,}"),
        ("of these while Personalize answered customers as usual", f"{unexplained:,}"),
        ("milliseconds a request, median", f"{statistics.median(took):,.0f}"),
        (
            "seconds in which both colours answer, canary included, median",
            f"{statistics.median(windows):.1f}",
        ),
        (
            "seconds of a retraining, median",
            f"{statistics.median(sum(run.phases.values()) for run in runs):.1f}",
        ),
        ("of these beyond Personalize's own", f"{statistics.median(overhead):.1f}"),
    )
    print(f"\n{platform.machine()}, Python {platform.python_version()}")
    for title, figure in rows:
        print(f"{title:<62} {figure:>8}")
    phases = {name: statistics.median(run.phases.get(name, 0.0) for run in runs) for name in runs[0].phases}
    print("seconds by phase, median: " + ", ".join(f"{name} {took:.1f}" for name, took in phases.items()))
    for what, counted in (
        ("runs that failed", benchmark.failed),
        ("requests that failed", Counter(traffic.failures)),
    ):
        if counted:
            print(f"{what}:")
        for failure, count in counted.most_common(20):
            print(f"{count:>6} x {failure[:400]}")


if __name__ == "__main__":
    main()
