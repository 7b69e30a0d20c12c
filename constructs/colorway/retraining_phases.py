"""The phases of a retraining, in order, each a fragment of its state machine.

Variables of the run: `run` (see `retraining.plan`) and `schemas` (dataset kind
to schema ARN) are assigned at the beginning; `opened`, `marked`, `exported` and
`proved` by the phases of those names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from colorway.retraining_steps import Phase, Steps, jsonata, pause
from colorway.training_bucket import TrainingBucket
from colorway.training_data_job import TrainingDataJob
from vocabulary.schemas import DatasetKind

_EXECUTION = jsonata("$states.context.Execution.Id")
_LAKE_DELIVERY_TAKES_AT_MOST = cdk.Duration.minutes(30)
"""Firehose delivers within minutes; its buffer is one minute (see `Clickstream`)."""

CANARY_SHARE: Final = 0.1
"""Of the traffic, to the new colour while it is a canary."""

FLIP_CAN_PASS: Final = (
    "ServingStackBusy",
    "ResourceConflictException",
    "PreconditionFailedException",
    "ChangedMeanwhile",
)
"""A deploy in progress, a function that is still changing, somebody else's change in between."""


class Plan(Phase):
    """Take the run lock and decide what is rebuilt; or say why nothing is, and stop."""

    def __init__(
        self, scope: Construct, construct_id: str, *, steps: Steps, schemas: Mapping[DatasetKind, str]
    ) -> None:
        super().__init__(scope, construct_id)
        begin = steps.ask(
            self,
            "plan: begin",
            steps.functions.plan,
            {
                "action": "begin",
                "execution": _EXECUTION,
                "first_only": jsonata("$states.input.first_only ? true : false"),
            },
            assign={
                "run": jsonata("$exists($states.result.Payload.run) ? $states.result.Payload.run : {}"),
                "schemas": dict(schemas),
            },
        )
        stop = sfn.Succeed.jsonata(self, "plan: nothing to do now", outputs=jsonata("$states.input"))
        count = steps.ask(
            self, "plan: count what there is", steps.training_data, {"action": "count", "cutoff": None}
        )
        release = steps.ask(
            self,
            "plan: too little yet",
            steps.functions.plan,
            {"action": "end", "execution": _EXECUTION},
            outputs={
                "outcome": "waiting",
                "says": jsonata(
                    "'waiting for data: ' & $states.input.interactions"
                    " & ' interactions, training needs ' & $states.input.minimum"
                ),
            },
        )
        waiting = sfn.Succeed.jsonata(self, "plan: waiting for data", outputs=jsonata("$states.input"))
        go = sfn.Choice.jsonata(self, "plan: go?").when(
            sfn.Condition.jsonata(jsonata("$states.input.outcome != 'go'")), stop
        )
        enough = sfn.Choice.jsonata(self, "plan: enough?").when(
            sfn.Condition.jsonata(jsonata("$states.input.enough = false")), release.next(waiting)
        )
        begin.next(go.when(sfn.Condition.jsonata(jsonata("$states.input.look_first")), count.next(enough)))
        self.reads(begin, until=[go, enough])


class OpenDormantColour(Phase):
    """Make room for the colour, and let the clickstream reach it from a cutoff on."""

    def __init__(self, scope: Construct, construct_id: str, *, steps: Steps) -> None:
        super().__init__(scope, construct_id)
        group = {"DatasetGroupArn": jsonata("$run.dataset_group_arn")}
        # What a run that was cut off in its flip has left, where nothing has cleared it away either
        together = steps.ask(
            self,
            "open: bring alias and pointer together",
            steps.functions.flip,
            {"action": "reconcile"},
            outputs={},
            outlast=FLIP_CAN_PASS,
        )
        leftovers = steps.tear_down(self, "open: clear what is left of the colour", "$run.colour")
        opened = steps.ask(
            self,
            "open: set the cutoff",
            steps.functions.projection,
            {
                "action": "open",
                "execution": _EXECUTION,
                "colour": jsonata("$run.colour"),
                "run_id": jsonata("$run.run_id"),
                "tracking_id": jsonata("$states.input.TrackingId"),
                "dataset_group_arn": jsonata("$run.dataset_group_arn"),
            },
            assign={"opened": jsonata("$states.result.Payload")},
        )
        cutoff = sfn.Wait.jsonata(
            self,
            "open: let the cutoff settle",
            time=sfn.WaitTime.timestamp(jsonata("$opened.settled_at")),
            outputs={},
        )
        find_tracker = steps.personalize(
            self,
            "open: find the event tracker",
            "listEventTrackers",
            group,
            assign={"tracker": jsonata("$states.result.EventTrackers[0].EventTrackerArn")},
            outputs={},
        )
        tracker = steps.await_active(
            self,
            "open: event tracker",
            "describeEventTracker",
            {"EventTrackerArn": jsonata("$tracker")},
            "EventTracker",
            every=steps.polling.event_tracker,
        )
        # The ARN of a tracker is not known beforehand, so it is looked up whether or not this attempt made it
        make_tracker = steps.create(
            self,
            "open: create the event tracker",
            "createEventTracker",
            {"Name": jsonata("$run.dataset_group"), **group},
            find_tracker,
        )
        interactions = steps.await_active(
            self,
            "open: interactions dataset",
            "describeDataset",
            {"DatasetArn": jsonata("$run.datasets.interactions.arn")},
            "Dataset",
            every=steps.polling.dataset,
        )
        make_interactions = steps.create(
            self,
            "open: create the interactions dataset",
            "createDataset",
            {
                "Name": jsonata("$run.datasets.interactions.name"),
                "DatasetType": "Interactions",
                "SchemaArn": jsonata("$schemas.interactions"),
                **group,
            },
            interactions,
        )
        dataset_group = steps.await_active(
            self,
            "open: dataset group",
            "describeDatasetGroup",
            group,
            "DatasetGroup",
            every=steps.polling.dataset_group,
        )
        make_group = steps.create(
            self,
            "open: create the dataset group",
            "createDatasetGroup",
            {"Name": jsonata("$run.dataset_group")},
            dataset_group,
        )
        self.reads(
            sfn.Chain.start(together)
            .next(leftovers)
            .next(make_group)
            .next(make_interactions)
            .next(make_tracker)
            .next(tracker)
            .next(opened)
            .next(cutoff)
        )


class ExportTrainingData(Phase):
    """Once the lake holds everything up to the cutoff, turn it into training data and judge those.

    :param job: does the work in place of the function, where data outgrow that.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, steps: Steps, job: TrainingDataJob | None = None
    ) -> None:
        super().__init__(scope, construct_id)
        mark = steps.ask(
            self,
            "export: mark the stream",
            steps.functions.projection,
            {"action": "mark", "run_id": jsonata("$run.run_id"), "cutoff": jsonata("$opened.cutoff")},
            assign={
                "marked": jsonata("$states.result.Payload"),
                "give_up_at": jsonata(f"$millis() + {_LAKE_DELIVERY_TAKES_AT_MOST.to_milliseconds():.0f}"),
            },
            retry=["StillSettling"],
        )
        look = steps.ask(
            self,
            "export: is the lake complete?",
            steps.training_data,
            {
                "action": "arrived",
                "markers": jsonata("$marked.markers"),
                "since": jsonata("$marked.since"),
            },
        )
        wait = sfn.Wait.jsonata(
            self, "export: not yet in the lake", time=pause(steps.polling.lake), outputs={}
        )
        stalled = sfn.Fail.jsonata(
            self,
            "export: lake delivery stalled",
            error="LakeDeliveryStalled",
            cause=jsonata(
                "'no marker in the lake from ' & $join($states.input.missing, ', ') & "
                f"' within {_LAKE_DELIVERY_TAKES_AT_MOST.to_human_string()}'"
            ),
        )
        complete = (
            sfn.Choice.jsonata(self, "export: complete?")
            .when(
                sfn.Condition.jsonata(jsonata("$states.input.arrived = false and $millis() > $give_up_at")),
                stalled,
            )
            .when(sfn.Condition.jsonata(jsonata("$states.input.arrived = false")), wait.next(look))
        )
        look.next(complete)
        until_complete = Phase(self, "UntilComplete")
        until_complete.reads(look, until=[complete])
        name = "export: write the training data"
        export = (
            job.run(self, name)
            if job
            else steps.ask(
                self,
                name,
                steps.training_data,
                {
                    "action": "export",
                    "run_id": jsonata("$run.run_id"),
                    "cutoff": jsonata("$opened.cutoff"),
                },
                assign={"exported": jsonata("$states.result.Payload")},
            )
        )
        gate = steps.ask(
            self,
            "export: data gate",
            steps.training_data,
            {"action": "judge", "run_id": jsonata("$run.run_id")},
        )
        self.reads(sfn.Chain.start(mark).next(until_complete).next(export).next(gate))


class ImportDatasets(Phase):
    """Import each data set that was exported."""

    def __init__(
        self, scope: Construct, construct_id: str, *, steps: Steps, training: TrainingBucket
    ) -> None:
        super().__init__(scope, construct_id)
        dataset = {"DatasetArn": jsonata("$dataset.arn")}
        job = steps.await_active(
            self,
            "import: job",
            "describeDatasetImportJob",
            {"DatasetImportJobArn": jsonata("$dataset.import_job_arn")},
            "DatasetImportJob",
            every=steps.polling.import_job,
        )
        make_job = steps.create(
            self,
            "import: start the job",
            "createDatasetImportJob",
            {
                "JobName": jsonata("$dataset.import_job"),
                "DataSource": {
                    "DataLocation": jsonata(
                        f"'s3://{training.bucket.bucket_name}/runs/' & $run.run_id & '/' & $kind & '/'"
                    )
                },
                "RoleArn": training.import_role.role_arn,
                **dataset,
            },
            job,
        )
        ready = steps.await_active(
            self, "import: dataset", "describeDataset", dataset, "Dataset", every=steps.polling.dataset
        )
        make_dataset = steps.create(
            self,
            "import: create the dataset",
            "createDataset",
            {
                "Name": jsonata("$dataset.name"),
                "DatasetType": jsonata("$kind"),
                "SchemaArn": jsonata("$lookup($schemas, $kind)"),
                "DatasetGroupArn": jsonata("$run.dataset_group_arn"),
            },
            ready,
        )
        which = sfn.Pass.jsonata(
            self,
            "import: which",
            assign={
                "kind": jsonata("$states.input"),
                "dataset": jsonata("$lookup($run.datasets, $states.input)"),
            },
            outputs={},
        )
        each = sfn.Map.jsonata(
            self,
            "import: each dataset",
            items=sfn.ProvideItems.jsonata(jsonata("$exported.datasets")),
            outputs={},
        )
        done = sfn.Pass.jsonata(self, "import: done", outputs={})
        each.item_processor(sfn.Chain.start(which).next(make_dataset).next(make_job).next(done))
        self.reads(each)


class TrainPlacements(Phase):
    """For each placement, side by side: train a model, judge it, and put a campaign over it.

    :param longest_model: a model that trains for longer is stopped, and the run fails.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, steps: Steps, longest_model: cdk.Duration
    ) -> None:
        super().__init__(scope, construct_id)
        solution = {"SolutionArn": jsonata("$placement.solution_arn")}
        which = sfn.Pass.jsonata(
            self,
            "train: which",
            assign={
                "name": jsonata("$states.input"),
                "placement": jsonata("$lookup($run.placements, $states.input)"),
            },
            outputs={},
        )
        define = steps.ask(
            self,
            "train: define the solution",
            steps.functions.training,
            {"action": "define", "colour": jsonata("$run.colour"), "placement": jsonata("$name")},
            outputs={},
            retry=["ResourceInUseException", "LimitExceededException", "ThrottlingException"],
        )
        defined = steps.await_active(
            self,
            "train: solution",
            "describeSolution",
            solution,
            "Solution",
            every=steps.polling.solution,
        )
        find_version = steps.personalize(
            self,
            "train: find the version",
            "listSolutionVersions",
            solution,
            assign={
                "version": jsonata("$states.result.SolutionVersions[0].SolutionVersionArn"),
                "stop_at": jsonata(f"$millis() + {longest_model.to_milliseconds():.0f}"),
            },
            outputs={},
        )
        # The ARN of a version ends in random digits; the solution is this run's own, so it has just the one
        train = steps.create(
            self,
            "train: start",
            "createSolutionVersion",
            {"Name": jsonata("$placement.solution_version"), "TrainingMode": "FULL", **solution},
            find_version,
        )
        trained = steps.await_active(
            self,
            "train: model",
            "describeSolutionVersion",
            {"SolutionVersionArn": jsonata("$version")},
            "SolutionVersion",
            every=steps.polling.model,
            give_up=("$millis() > $stop_at", self._stop(steps, longest_model)),
        )
        gate = steps.ask(
            self,
            "train: metrics gate",
            steps.functions.training,
            {
                "action": "judge",
                "colour": jsonata("$run.colour"),
                "placement": jsonata("$name"),
                "solution_version_arn": jsonata("$version"),
                "run_id": jsonata("$run.run_id"),
                "training_hours": jsonata(
                    "$exists($states.input.TrainingHours) ? $states.input.TrainingHours : null"
                ),
            },
            retry=["FiltersPending"],
        )
        campaign = steps.await_active(
            self,
            "train: campaign",
            "describeCampaign",
            {"CampaignArn": jsonata("$placement.campaign_arn")},
            "Campaign",
            every=steps.polling.campaign,
        )
        make_campaign = steps.create(
            self,
            "train: create the campaign",
            "createCampaign",
            {
                "Name": jsonata("$placement.campaign"),
                "SolutionVersionArn": jsonata("$version"),
                "MinProvisionedTPS": jsonata("$placement.min_provisioned_tps"),
                "CampaignConfig": jsonata("$placement.campaign_config"),
            },
            campaign,
        )
        each = sfn.Map.jsonata(
            self,
            "train: each placement",
            items=sfn.ProvideItems.jsonata(jsonata("[$keys($run.placements)]")),
            outputs={},
        )
        each.item_processor(
            sfn.Chain.start(which)
            .next(define)
            .next(defined)
            .next(train)
            .next(trained)
            .next(gate)
            .next(make_campaign)
            .next(sfn.Pass.jsonata(self, "train: done", outputs={}))
        )
        self.reads(each)

    def _stop(self, steps: Steps, longest_model: cdk.Duration) -> sfn.State:
        """Training is billed by the hour, so it is stopped and not only left."""
        stop = steps.personalize(
            self,
            "train: stop the model",
            "stopSolutionVersionCreation",
            {"SolutionVersionArn": jsonata("$version")},
            outputs={},
        )
        gave_up = sfn.Fail.jsonata(
            self,
            "train: model took too long",
            error="TrainingTookTooLong",
            cause=jsonata(
                f"$name & ': not trained within {longest_model.to_human_string()}, and stopped: ' & $version"
            ),
        )
        # It may have ended in the meantime, or be gone: too late it is all the same
        stop.add_catch(gave_up, outputs={})
        stop.next(gave_up)
        return stop


class ProveNewColour(Phase):
    """Ask the new campaigns, then publish a version of the new colour and have that very version answer."""

    def __init__(self, scope: Construct, construct_id: str, *, steps: Steps) -> None:
        super().__init__(scope, construct_id)
        colour = {"colour": jsonata("$run.colour"), "run_id": jsonata("$run.run_id")}
        ask = steps.ask(
            self, "prove: heartbeat of the new campaigns", steps.functions.flip, {"action": "ask", **colour}
        )
        prove = steps.ask(
            self,
            "prove: heartbeat of the new version",
            steps.functions.flip,
            {"action": "prove", **colour},
            assign={"proved": jsonata("$states.result.Payload")},
            outlast=FLIP_CAN_PASS,
        )
        self.reads(sfn.Chain.start(ask).next(prove))


class Flip(Phase):
    """Send the new colour a share of the traffic if a canary is wanted; then point at it and move all."""

    def __init__(
        self, scope: Construct, construct_id: str, *, steps: Steps, canary: cdk.Duration | None
    ) -> None:
        super().__init__(scope, construct_id)
        move = steps.ask(
            self,
            "flip: move the live alias",
            steps.functions.flip,
            {
                "action": "move",
                "execution": _EXECUTION,
                "colour": jsonata("$run.colour"),
                "version": jsonata("$proved.version"),
                "run_id": jsonata("$run.run_id"),
            },
            outlast=FLIP_CAN_PASS,
        )
        if canary is None:
            self.reads(move)
            return
        share = steps.ask(
            self,
            "flip: send the canary a share",
            steps.functions.flip,
            {
                "action": "share",
                "execution": _EXECUTION,
                "version": jsonata("$proved.version"),
                "weight": CANARY_SHARE,
            },
            outlast=FLIP_CAN_PASS,
        )
        watch = Watch(self, "flip: canary", steps=steps, expected="$run.previous", lasting=canary)
        first = (
            sfn.Choice.jsonata(self, "flip: is there a colour to share with?")
            .when(sfn.Condition.jsonata(jsonata("$run.previous = 'none'")), move)
            .otherwise(sfn.Chain.start(share).next(watch).next(move))
        )
        self.reads(first)
        self._ends = [move]


class BakeUnderAlarms(Phase):
    """Keep the old colour for a while: an alarm of the new one takes the flip back. Then the run is good."""

    def __init__(self, scope: Construct, construct_id: str, *, steps: Steps, bake: cdk.Duration) -> None:
        super().__init__(scope, construct_id)
        watch = Watch(self, "bake", steps=steps, expected="$run.colour", lasting=bake)
        keep = steps.ask(
            self,
            "bake: remember the run as good",
            steps.functions.flip,
            {"action": "keep", "colour": jsonata("$run.colour"), "run_id": jsonata("$run.run_id")},
        )
        self.reads(sfn.Chain.start(watch).next(keep))


class Watch(Phase):
    """Look at the alarms of the new colour for a time; one that rings takes the flip back and ends the run.

    :param construct_id: the beginning of the states' names.
    :param expected: JSONata, the colour that the pointer names as long as nobody has moved it.
    :param lasting: for how long; the last look is at its end.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, steps: Steps, expected: str, lasting: cdk.Duration
    ) -> None:
        super().__init__(scope, f"Watch {construct_id}")
        prefix = f"{construct_id}:" if ":" not in construct_id else construct_id
        seconds = math.ceil(lasting.to_seconds())
        looks = math.ceil(seconds / steps.polling.alarms)
        begin = sfn.Pass.jsonata(self, f"{prefix} begin", assign={"looks": looks}, outputs={})
        wait = sfn.Wait.jsonata(
            self,
            f"{prefix} wait",
            time=pause(min(seconds, steps.polling.alarms)),
            outputs={},
        )
        look = steps.ask(
            self,
            f"{prefix} look at the alarms",
            steps.functions.flip,
            {
                "action": "watch",
                "execution": _EXECUTION,
                "colour": jsonata("$run.colour"),
                "expected": jsonata(expected),
                "previous": jsonata("$run.previous"),
                "previous_version": jsonata("$proved.previous_version"),
            },
            assign={"looks": jsonata("$looks - 1")},
            # A deploy may be why an alarm rings, and must not be why the flip is not taken back for it
            outlast=FLIP_CAN_PASS,
        )
        done = sfn.Choice.jsonata(self, f"{prefix} done?").when(
            sfn.Condition.jsonata(jsonata("$looks > 0")), wait
        )
        begin.next(wait).next(look).next(done)
        self.reads(begin, until=[done])


class RetirePreviousColour(Phase):
    """Tear the old colour down."""

    def __init__(self, scope: Construct, construct_id: str, *, steps: Steps) -> None:
        super().__init__(scope, construct_id)
        self.reads(steps.tear_down(self, "retire: tear the old colour down", "$run.previous"))


class End(Phase):
    """Give the lock back, and say how long it took and what it cost.

    :param prices: see `costs.of_a_run`; None where there are none of the Region.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, steps: Steps, prices: Mapping[str, Any] | None
    ) -> None:
        super().__init__(scope, construct_id)
        self.reads(
            steps.ask(
                self,
                "end: give the lock back",
                steps.functions.plan,
                {
                    "action": "end",
                    "execution": _EXECUTION,
                    "started": jsonata("$toMillis($states.context.Execution.StartTime)"),
                    "colour": jsonata("$run.colour"),
                    "prices": with_memory(prices, steps),
                },
                outputs={
                    "outcome": "done",
                    "colour": jsonata("$run.colour"),
                    "run_id": jsonata("$run.run_id"),
                    "cost": jsonata("$states.result.Payload.cost"),
                },
            )
        )


def with_memory(prices: Mapping[str, Any] | None, steps: Steps) -> dict[str, Any] | None:
    """The prices, and what the functions of the states so far have of memory."""
    return None if prices is None else {**prices, "memory_mib": dict(steps.memory_mib)}
