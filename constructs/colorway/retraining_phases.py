"""The phases of a retraining, in order, each a fragment of its state machine.

Variables of the run: `run` (see `retraining.plan`) and `schemas` (dataset kind
to schema ARN) are assigned at the beginning; `opened`, `marked`, `exported` and
`proved` by the phases of those names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from colorway.retraining_steps import Phase, Steps, jsonata
from colorway.training_bucket import TrainingBucket
from vocabulary.schemas import DatasetKind

_EXECUTION = jsonata("$states.context.Execution.Id")
_LAKE_DELIVERY_TAKES_AT_MOST = cdk.Duration.minutes(30)
"""Firehose delivers within minutes; its buffer is one minute (see `Clickstream`)."""

FLIP_CAN_PASS = ("ServingStackBusy", "ResourceConflictException", "PreconditionFailedException")
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
        leftovers = steps.tear_down(self, "open: clear what is left of the colour", "$run.colour")
        opened = steps.ask(
            self,
            "open: set the cutoff",
            steps.functions.projection,
            {
                "action": "open",
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
            self, "open: dataset group", "describeDatasetGroup", group, "DatasetGroup"
        )
        make_group = steps.create(
            self,
            "open: create the dataset group",
            "createDatasetGroup",
            {"Name": jsonata("$run.dataset_group")},
            dataset_group,
        )
        self.reads(
            sfn.Chain.start(leftovers)
            .next(make_group)
            .next(make_interactions)
            .next(make_tracker)
            .next(tracker)
            .next(opened)
            .next(cutoff)
        )


class ExportTrainingData(Phase):
    """Once the lake holds everything up to the cutoff, turn it into training data and judge those."""

    def __init__(self, scope: Construct, construct_id: str, *, steps: Steps) -> None:
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
            self, "export: not yet in the lake", time=sfn.WaitTime.duration(steps.poll), outputs={}
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
        export = steps.ask(
            self,
            "export: write the training data",
            steps.training_data,
            {
                "action": "export",
                "run_id": jsonata("$run.run_id"),
                "cutoff": jsonata("$opened.cutoff"),
            },
            assign={"exported": jsonata("$states.result.Payload")},
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
        ready = steps.await_active(self, "import: dataset", "describeDataset", dataset, "Dataset")
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
    """For each placement, side by side: train a model, judge it, and put a campaign over it."""

    def __init__(self, scope: Construct, construct_id: str, *, steps: Steps) -> None:
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
        defined = steps.await_active(self, "train: solution", "describeSolution", solution, "Solution")
        find_version = steps.personalize(
            self,
            "train: find the version",
            "listSolutionVersions",
            solution,
            assign={"version": jsonata("$states.result.SolutionVersions[0].SolutionVersionArn")},
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
        )
        gate = steps.ask(
            self,
            "train: metrics gate",
            steps.functions.training,
            {
                "action": "judge",
                "placement": jsonata("$name"),
                "solution_version_arn": jsonata("$version"),
                "run_id": jsonata("$run.run_id"),
            },
        )
        campaign = steps.await_active(
            self,
            "train: campaign",
            "describeCampaign",
            {"CampaignArn": jsonata("$placement.campaign_arn")},
            "Campaign",
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


class ProveNewColour(Phase):
    """Publish a function version of the new colour and have that very version answer."""

    def __init__(self, scope: Construct, construct_id: str, *, steps: Steps) -> None:
        super().__init__(scope, construct_id)
        self.reads(
            steps.ask(
                self,
                "prove: heartbeat of the new version",
                steps.functions.flip,
                {"action": "prove", "colour": jsonata("$run.colour"), "run_id": jsonata("$run.run_id")},
                assign={"proved": jsonata("$states.result.Payload")},
                retry=FLIP_CAN_PASS,
            )
        )


class Flip(Phase):
    """Point at the new colour and move the traffic to it."""

    def __init__(self, scope: Construct, construct_id: str, *, steps: Steps) -> None:
        super().__init__(scope, construct_id)
        self.reads(
            steps.ask(
                self,
                "flip: move the live alias",
                steps.functions.flip,
                {
                    "action": "move",
                    "colour": jsonata("$run.colour"),
                    "version": jsonata("$proved.version"),
                    "run_id": jsonata("$run.run_id"),
                },
                retry=FLIP_CAN_PASS,
            )
        )


class BakeUnderAlarms(Phase):
    """Keep the old colour for a while; an alarm of the new one takes the flip back."""

    def __init__(self, scope: Construct, construct_id: str, *, steps: Steps, bake: cdk.Duration) -> None:
        super().__init__(scope, construct_id)
        looks = math.ceil(bake.to_seconds() / steps.poll.to_seconds())
        begin = sfn.Pass.jsonata(self, "bake: begin", assign={"looks": looks}, outputs={})
        wait = sfn.Wait.jsonata(self, "bake: wait", time=sfn.WaitTime.duration(steps.poll), outputs={})
        look = steps.ask(
            self,
            "bake: look at the alarms",
            steps.functions.flip,
            {
                "action": "bake",
                "colour": jsonata("$run.colour"),
                "previous": jsonata("$run.previous"),
                "previous_version": jsonata("$proved.previous_version"),
            },
            assign={"looks": jsonata("$looks - 1")},
        )
        done = sfn.Choice.jsonata(self, "bake: done?").when(
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
    """Give the lock back and say how long it took."""

    def __init__(self, scope: Construct, construct_id: str, *, steps: Steps) -> None:
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
                },
                outputs={
                    "outcome": "done",
                    "colour": jsonata("$run.colour"),
                    "run_id": jsonata("$run.run_id"),
                },
            )
        )
