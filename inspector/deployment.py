"""What the inspector reads of a deployment, with plain boto3 clients; it writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from vocabulary import placements as words
from vocabulary.colours import COLOURS, Colour, Names, live_colour_of, personalize_arn
from vocabulary.coordination import OpenColour, open_colour_key
from vocabulary.lake import popular_key
from vocabulary.placements import Placement

_SHOWN_RUNS: Final = 12


class NotDeployedError(Exception):
    """There is nothing to look at; the message says what to do."""


@dataclass(frozen=True)
class Run:
    """An execution of the retraining: `outcome` is what it said at its end, or why it failed."""

    name: str
    status: str
    started: Any
    stopped: Any
    outcome: str


@dataclass(frozen=True)
class Deployment:
    """One environment.

    :param names: which one.
    :param client: a boto3 client of a service by its name.
    """

    names: Names
    client: Callable[[str], Any]

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs of its stacks.

        :raises NotDeployedError: when it has none.
        """
        pages = self.client("cloudformation").get_paginator("describe_stacks").paginate()
        found = {
            output["OutputKey"]: output["OutputValue"]
            for page in pages
            for stack in page["Stacks"]
            if stack["StackName"].startswith(f"{self.names.prefix}-")
            for output in stack.get("Outputs", ())
        }
        if "RetrainingArn" not in found:
            raise NotDeployedError(
                f"{self.names.prefix} is not deployed here: run `make demo`, or `npx cdk deploy --all`"
            )
        return found

    @cached_property
    def placements(self) -> Sequence[Placement]:
        """The placements that the serving function knows."""
        function = self.outputs["ServingFunctionName"]
        configuration = self.client("lambda").get_function_configuration(FunctionName=function)
        return words.from_json(configuration["Environment"]["Variables"]["PLACEMENTS"])

    def live_colour(self) -> Colour | None:
        """The colour that the live pointer names."""
        answer = self.client("ssm").get_parameter(Name=self.outputs["LivePointerName"])
        return live_colour_of(answer["Parameter"]["Value"])

    def open_colours(self) -> list[OpenColour]:
        """The colours that take events, with their cutoffs."""
        table = self.client("dynamodb")
        found = []
        for colour in COLOURS:
            item = table.get_item(
                TableName=self.outputs["CoordinationTableName"], Key={"key": {"S": open_colour_key(colour)}}
            ).get("Item")
            if item:
                found.append(
                    OpenColour.from_item({key: next(iter(each.values())) for key, each in item.items()})
                )
        return found

    def recommend(
        self, colour: Colour, placement: Placement, *, user_id: str, item_id: str | None, count: int
    ) -> list[tuple[str, float | None]]:
        """What a colour's campaign recommends: item ids with their scores.

        :raises ClientError: as Personalize refuses it; ResourceNotFoundException where there is no campaign.
        """
        question: dict[str, Any] = {"campaignArn": self._campaign(colour, placement), "numResults": count}
        if placement.needs == "user":
            question["userId"] = user_id
        if placement.needs == "item" and item_id:
            question["itemId"] = item_id
        answer = self.client("personalize-runtime").get_recommendations(**question)
        return [(item["itemId"], item.get("score")) for item in answer["itemList"]]

    def popular(self, placement: Placement) -> list[str]:
        """The popular items that stand in for a placement's own; none before the first training."""
        s3 = self.client("s3")
        try:
            body = s3.get_object(Bucket=self.outputs["TrainingBucketName"], Key=popular_key(placement.name))
        except s3.exceptions.NoSuchKey:
            return []
        return [item["item_id"] for item in json.load(body["Body"])["items"]]

    def runs(self) -> list[Run]:
        """The last retrainings, newest first."""
        states = self.client("stepfunctions")
        executions = states.list_executions(
            stateMachineArn=self.outputs["RetrainingArn"], maxResults=_SHOWN_RUNS
        )["executions"]
        return [self._run(states, each) for each in executions]

    def alarms(self) -> list[dict[str, Any]]:
        """The deployment's alarms, those that ring first."""
        pages = (
            self.client("cloudwatch")
            .get_paginator("describe_alarms")
            .paginate(AlarmNamePrefix=f"{self.names.prefix}-")
        )
        found = [alarm for page in pages for alarm in page["MetricAlarms"]]
        order = {"ALARM": 0, "INSUFFICIENT_DATA": 2}
        return sorted(found, key=lambda alarm: (order.get(alarm["StateValue"], 1), alarm["AlarmName"]))

    def states_of(self, run: Run) -> list[tuple[str, Any]]:
        """The states that a run has entered, and when, oldest first."""
        states = self.client("stepfunctions")
        arn = self.outputs["RetrainingArn"].replace(":stateMachine:", ":execution:") + f":{run.name}"
        pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
        return [
            (event["stateEnteredEventDetails"]["name"], event["timestamp"])
            for page in pages
            for event in page["events"]
            if "stateEnteredEventDetails" in event
        ]

    def _campaign(self, colour: Colour, placement: Placement) -> str:
        _, partition, _, region, account = self.outputs["RetrainingArn"].split(":")[:5]
        name = self.names.campaign(colour, placement.name)
        return personalize_arn(partition, region, account, "campaign", name)

    @staticmethod
    def _run(states: Any, execution: dict[str, Any]) -> Run:
        described = states.describe_execution(executionArn=execution["executionArn"])
        output = json.loads(described.get("output") or "{}")
        outcome = str(output.get("says") or output.get("outcome") or described.get("error") or "")
        return Run(
            execution["name"],
            execution["status"],
            execution["startDate"],
            execution.get("stopDate"),
            f"{outcome} ({output['colour']})" if output.get("colour") else outcome,
        )
