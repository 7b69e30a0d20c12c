"""What a deployment is doing: what is live, since when, how good it is; the other colour; the runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from costs.estimate import night
from costs.prices import Prices
from local_cloud import deployed
from local_cloud.aws_account import AwsAccount
from local_cloud.connection import REGION
from local_cloud.deployed import Cloud
from local_cloud.retraining_progress import failure_of, history, phases_of
from vocabulary.colours import COLOURS, NO_COLOUR
from vocabulary.coordination import RUN_LOCK, TABLE_KEY, OpenColour
from vocabulary.lake import LAST_GOOD_REPORT_KEY, report_key
from vocabulary.placements import from_json

_RUNS: Final = 10
_LOOKED_AT: Final = 100
"""Of the executions, newest first: the hourly ones that have nothing to do are many."""

_METRICS: Final = {
    "normalized_discounted_cumulative_gain_at_25": "NDCG@25",
    "mean_reciprocal_rank_at_25": "MRR@25",
    "coverage": "coverage",
}


def status(cloud: Cloud) -> list[str]:
    """Lines for a person to read.

    :raises LocalCloudError: when the stacks are not deployed.
    """
    items = cloud.table(deployed.output(cloud, "CoordinationTableName")).scan()["Items"]
    running = next((item["holder"] for item in items if item[TABLE_KEY] == RUN_LOCK), None)
    opened = {item["colour"]: OpenColour.from_item(item) for item in items if "tracking_id" in item}
    pointed = pointer(cloud)["Value"]
    return [
        _row("live", live(cloud)),
        *_rows("model", model(cloud, opened.get(pointed)) if pointed != NO_COLOUR else ["none yet"]),
        *_rows("dormant", _dormant(cloud, pointed, running, opened)),
        *_rows("events go to", [_open(colour) for colour in opened.values()]),
        *_rows("personalize", in_personalize(cloud)),
        *_rows("runs", list(_runs(cloud))),
    ]


def what_is_live(cloud: Cloud) -> list[str]:
    """Lines that say which colour is live, and what exists in Personalize."""
    return [
        _row("live", live(cloud)),
        *_rows("personalize", in_personalize(cloud)),
    ]


def pointer(cloud: Cloud) -> Mapping[str, Any]:
    """The live pointer: `Value` and `LastModifiedDate`."""
    name = deployed.output(cloud, "LivePointerName")
    parameter: Mapping[str, Any] = cloud.client("ssm").get_parameter(Name=name)["Parameter"]
    return parameter


def live(cloud: Cloud) -> str:
    """The live colour, and since when, as the pointer says."""
    parameter = pointer(cloud)
    return f"{parameter['Value']} since {_moment(parameter['LastModifiedDate'])}"


def model(cloud: Cloud, opened: OpenColour | None) -> list[str]:
    """What the live colour was trained on and how its models did, a line each."""
    if opened is None:
        return ["of an unknown run: the coordination table does not name the live colour"]
    lines = [f"trained on events received before {_at(opened.cutoff)} (run {opened.run_id})"]
    report = _report(cloud, opened.run_id)
    if report is None:
        return [*lines, "its report is no longer kept"]
    told = report["interactions"]
    lines.append(f"{told['rows_out']} interactions of {told['users']} users with {told['items']} items")
    for placement, judged in sorted((report.get("metrics") or {}).items()):
        figures = [
            f"{short} {judged['metrics'][name]:.3f}"
            for name, short in _METRICS.items()
            if name in judged["metrics"]
        ]
        lines.append(f"{placement:<20}  {', '.join(figures)}")
    if told := report.get("cost"):
        lines.append(f"cost of the run: {_cost(told)}{_on_aws(cloud, report)}")
    return lines


def _on_aws(cloud: Cloud, report: Mapping[str, Any]) -> str:
    """What the night of a local cloud, whose models take seconds, would cost where they take hours."""
    cost = report["cost"]
    if isinstance(cloud, AwsAccount) or cost["total"] is None:
        return ""
    placements = from_json(deployed.settings_with(cloud, "PLACEMENTS")["PLACEMENTS"])
    estimate = night(Prices.of(REGION), placements, report["interactions"]["rows_out"])
    return (
        f" for what took seconds here; on AWS such a night is about {estimate.total:,.2f} {cost['currency']}"
        " (make cost)"
    )


def in_personalize(cloud: Cloud, prefix: str = "") -> list[str]:
    """What of every dataset group exists in Personalize, a line each; campaigns by their placement.

    :param prefix: only of groups whose name begins with it.
    """
    personalize = cloud.client("personalize")
    lines = []
    for group in personalize.list_dataset_groups()["datasetGroups"]:
        if not group["name"].startswith(prefix or cloud.stack_prefix):
            continue
        of_group = {"datasetGroupArn": group["datasetGroupArn"]}
        solutions = personalize.list_solutions(**of_group)["solutions"]
        campaigns = [
            campaign["name"].removeprefix(f"{group['name']}-")
            for solution in solutions
            for campaign in personalize.list_campaigns(solutionArn=solution["solutionArn"])["campaigns"]
        ]
        datasets = len(personalize.list_datasets(**of_group)["datasets"])
        lines.append(
            f"dataset group {group['name']} {group['status']}: {datasets} datasets, "
            f"{len(solutions)} solutions, campaigns {', '.join(campaigns) or 'none'}"
        )
    return lines


def _dormant(cloud: Cloud, pointed: str, running: str | None, opened: Mapping[str, OpenColour]) -> list[str]:
    """What happens to the colour that is not live."""
    others = [colour for colour in COLOURS if colour != pointed] if pointed != NO_COLOUR else ["none live"]
    name = " and ".join(others)
    if running is None:
        exists = [colour for colour in others if colour in opened]
        return [f"{name}: {'there, though no retraining runs' if exists else 'does not exist'}"]
    states = cloud.client("stepfunctions")
    if states.describe_execution(executionArn=running)["status"] != "RUNNING":
        return [f"{name}: {running} has ended and left its lock; the next run or the clearing takes it"]
    phases = phases_of(history(states, running))
    doing = (
        f"{phases[-1].name}: {phases[-1].doing}, since {_moment(phases[-1].began)}" if phases else "begins"
    )
    return [f"{name}: {doing}", f"by {running.rpartition(':')[2]}"]


def _runs(cloud: Cloud) -> Iterator[str]:
    """The last runs that did anything, and how each ended."""
    states = cloud.client("stepfunctions")
    executions = states.list_executions(
        stateMachineArn=deployed.output(cloud, "RetrainingArn"), maxResults=_LOOKED_AT
    )["executions"]
    shown = 0
    for each in executions:
        if shown == _RUNS:
            return
        if (how := _how(states, each)) is not None:
            shown += 1
            yield f"{_moment(each['startDate'])}  {each['status']:<9} {_took(each):>9}  {how}".rstrip()


def _how(states: Any, execution: Mapping[str, Any]) -> str | None:
    """In a few words; None for a run that had nothing to do."""
    if execution["status"] == "RUNNING":
        return ""
    if execution["status"] != "SUCCEEDED":
        return str(failure_of(history(states, execution["executionArn"])) or "")
    output = json.loads(
        states.describe_execution(executionArn=execution["executionArn"]).get("output") or "{}"
    )
    match output.get("outcome"):
        case "nothing-to-do":
            return None
        case "done":
            cost = f", {_cost(output['cost'])}" if "cost" in output else ""
            return f"{output['colour']} went live{cost}"
        case outcome:
            return str(output.get("says") or outcome or "")


def _report(cloud: Cloud, run_id: str) -> dict[str, Any] | None:
    s3, bucket = cloud.client("s3"), deployed.output(cloud, "TrainingBucketName")
    for key in (report_key(run_id), LAST_GOOD_REPORT_KEY):
        try:
            found: dict[str, Any] = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except s3.exceptions.NoSuchKey:
            continue
        if found["run_id"] == run_id:
            return found
    return None


def _cost(told: Mapping[str, Any]) -> str:
    """What a run cost, as its report has it; a warning where the prices are old or missing."""
    warning = f" ({told['says']})" if "says" in told else ""
    known = told["total"] is not None
    return (f"{told['total']:,.2f} {told['currency']}" if known else "unknown") + warning


def _took(execution: Mapping[str, Any]) -> str:
    if "stopDate" not in execution:
        return ""
    return f"{(execution['stopDate'] - execution['startDate']).total_seconds():.1f} s"


def _open(colour: OpenColour) -> str:
    return f"{colour.colour}, those received since {_at(colour.cutoff)}"


def _at(milliseconds: int) -> str:
    return _moment(datetime.fromtimestamp(milliseconds / 1000, UTC))


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _rows(title: str, lines: Iterable[str]) -> list[str]:
    return [_row(title if place == 0 else "", line) for place, line in enumerate(list(lines) or ["none"])]


def _row(title: str, text: str) -> str:
    return f"  {title:<12}  {text}"
