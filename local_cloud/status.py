"""What a deployment is doing: which colour is live since when, what runs, what exists in Personalize."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from local_cloud import deployed
from local_cloud.connection import Connection
from vocabulary.coordination import RUN_LOCK, TABLE_KEY, OpenColour

_RUNS = 5


def status(connection: Connection) -> list[str]:
    """Lines for a person to read.

    :raises LocalCloudError: when the stacks are not deployed.
    """
    items = _coordination_items(connection)
    running = next((item["holder"] for item in items if item[TABLE_KEY] == RUN_LOCK), None)
    return [
        *what_is_live(connection),
        _row("running", running.rpartition(":")[2] if running else "no retraining"),
        *_rows("runs", _runs(connection)),
        *_rows(
            "events go to", [_open(OpenColour.from_item(item)) for item in items if "tracking_id" in item]
        ),
    ]


def what_is_live(connection: Connection) -> list[str]:
    """Lines that say which colour is live, and what exists in Personalize."""
    return [
        _row("live", live(connection)),
        *_rows("personalize", in_personalize(connection)),
    ]


def live(connection: Connection) -> str:
    """The live colour, and since when, as the pointer says."""
    name = deployed.output(connection, "LivePointerName")
    parameter = connection.client("ssm").get_parameter(Name=name)["Parameter"]
    return f"{parameter['Value']} since {_moment(parameter['LastModifiedDate'])}"


def in_personalize(connection: Connection) -> list[str]:
    """What of every dataset group exists in Personalize, a line each."""
    personalize = connection.client("personalize")
    lines = []
    for group in personalize.list_dataset_groups()["datasetGroups"]:
        of_group = {"datasetGroupArn": group["datasetGroupArn"]}
        solutions = personalize.list_solutions(**of_group)["solutions"]
        campaigns = [
            campaign["name"]
            for solution in solutions
            for campaign in personalize.list_campaigns(solutionArn=solution["solutionArn"])["campaigns"]
        ]
        datasets = len(personalize.list_datasets(**of_group)["datasets"])
        lines.append(
            f"dataset group {group['name']} {group['status']}: {datasets} datasets, "
            f"{len(solutions)} solutions, campaigns {', '.join(campaigns) or 'none'}"
        )
    return lines


def _runs(connection: Connection) -> list[str]:
    executions = connection.client("stepfunctions").list_executions(
        stateMachineArn=deployed.output(connection, "RetrainingArn"), maxResults=_RUNS
    )["executions"]
    return [
        f"{_moment(each['startDate'])}  {each['status']:<9} {_took(each)}".rstrip() for each in executions
    ]


def _took(execution: dict[str, Any]) -> str:
    if "stopDate" not in execution:
        return ""
    return f"{(execution['stopDate'] - execution['startDate']).total_seconds():.1f} s"


def _coordination_items(connection: Connection) -> list[dict[str, Any]]:
    table = deployed.output(connection, "CoordinationTableName")
    items: list[dict[str, Any]] = connection.table(table).scan()["Items"]
    return items


def _open(colour: OpenColour) -> str:
    cutoff = datetime.fromtimestamp(colour.cutoff / 1000, UTC)
    return f"{colour.colour}, those received since {_moment(cutoff)}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _rows(title: str, lines: list[str]) -> list[str]:
    return [_row(title if place == 0 else "", line) for place, line in enumerate(lines or ["none"])]


def _row(title: str, text: str) -> str:
    return f"  {title:<12}  {text}"
