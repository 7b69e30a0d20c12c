"""What the inspector reads of a deployment, with plain boto3 clients; it writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

from experiments.stack_outputs import outputs_of
from vocabulary import placements as words
from vocabulary.colours import COLOURS, Colour, Names, live_colour_of, personalize_arn
from vocabulary.coordination import OpenColour, open_colour_key
from vocabulary.lake import popular_key
from vocabulary.metrics import NAMESPACE
from vocabulary.placements import Placement

_SHOWN_RUNS: Final = 12
_RANKED: Final = 25


class NotDeployedError(Exception):
    """There is nothing to look at; the message says what to do."""


Datum = tuple[datetime, float]
"""When, and how much."""


@dataclass(frozen=True)
class Metric:
    """A metric of Colorway's own in CloudWatch; its environment goes without saying."""

    name: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    statistic: str = "Sum"


@dataclass(frozen=True)
class Run:
    """An execution of the retraining.

    :param outcome: what it said at its end, or why it failed.
    :param colour: that went live by it; "" where none did.
    """

    name: str
    status: str
    started: datetime
    stopped: datetime | None
    outcome: str
    colour: str = ""


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
        found = outputs_of(self.client("cloudformation"), self.names.prefix)
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
        self,
        colour: Colour,
        placement: Placement,
        *,
        user_id: str,
        item_id: str | None,
        count: int,
        context: Mapping[str, str] | None = None,
    ) -> list[tuple[str, float | None]]:
        """What a colour's campaign recommends: item ids with their scores.

        A placement that ranks is given the popular items to rank.

        :param context: circumstances to assume, by the names that the placement declares.
        :raises ClientError: as Personalize refuses it; ResourceNotFoundException where there is no campaign.
        """
        question: dict[str, Any] = {"campaignArn": self._campaign(colour, placement)}
        if context:
            question["context"] = dict(context)
        runtime = self.client("personalize-runtime")
        if placement.needs == "items":
            popular = self.popular(placement)[:_RANKED]
            if not popular:
                return []
            answer = runtime.get_personalized_ranking(**question, userId=user_id, inputList=popular)
            return [(item["itemId"], item.get("score")) for item in answer["personalizedRanking"][:count]]
        question["numResults"] = count
        if placement.needs == "user":
            question["userId"] = user_id
        if placement.needs == "item" and item_id:
            question["itemId"] = item_id
        answer = runtime.get_recommendations(**question)
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
        pages = states.get_paginator("get_execution_history").paginate(
            executionArn=arn, includeExecutionData=False, PaginationConfig={"PageSize": 1000}
        )
        return [
            (event["stateEnteredEventDetails"]["name"], event["timestamp"])
            for page in pages
            for event in page["events"]
            if "stateEnteredEventDetails" in event
        ]

    def measured(self, wanted: Sequence[Metric], *, since: datetime, period: int) -> list[list[Datum]]:
        """What CloudWatch has of each metric since then, oldest first.

        :param period: seconds that one datum stands for.
        """
        queries = [
            {
                "Id": f"m{place}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": NAMESPACE,
                        "MetricName": each.name,
                        "Dimensions": [
                            {"Name": name, "Value": value}
                            for name, value in {
                                "environment": self.names.environment,
                                **each.dimensions,
                            }.items()
                        ],
                    },
                    "Period": period,
                    "Stat": each.statistic,
                },
            }
            for place, each in enumerate(wanted)
        ]
        pages = (
            self.client("cloudwatch")
            .get_paginator("get_metric_data")
            .paginate(MetricDataQueries=queries, StartTime=since, EndTime=datetime.now(UTC))
        )
        found: list[list[Datum]] = [[] for _ in wanted]
        for page in pages:
            for result in page["MetricDataResults"]:
                found[int(result["Id"][1:])] += zip(result["Timestamps"], result["Values"], strict=True)
        return [sorted(each) for each in found]

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
            output["colour"] if output.get("outcome") == "done" else "",
        )
