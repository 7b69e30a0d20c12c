"""Takes the failure queue to the open colours; only says what it would do, unless told to do it."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

from local_cloud import deployed
from local_cloud.connection import LocalCloudError
from local_cloud.deployed import Cloud
from local_cloud.progress import Progress

_LOOK_SECONDS: Final = 180
_WORK_SECONDS: Final = 15
"""What one call may take: it tells of its progress when it ends."""

_COUNTS: Final = ("placed", "not_needed", "put_off", "hopeless", "discarded")


class RedriveError(LocalCloudError):
    """The redrive function failed; the message is its own."""


def redrive(cloud: Cloud, progress: Progress, *, apply: bool, discard: bool = False) -> dict[str, int]:
    """Redrive the queue, showing how it goes; answer how many messages met which fate.

    :param apply: do it, rather than say what would be done.
    :param discard: delete what can never be placed.
    :raises RedriveError: when it breaks off; what is done is done, and nothing is lost.
    """
    function = deployed.output(cloud, "RedriveFunctionName")
    total: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    with progress.step("redrive" if apply else "look") as step:
        while True:
            report = _invoke(
                cloud,
                function,
                {
                    "seconds": _WORK_SECONDS if apply else _LOOK_SECONDS,
                    "dry_run": not apply,
                    "discard": discard,
                },
            )
            total.update({name: report[name] for name in _COUNTS})
            reasons.update(report["reasons"])
            step.says(f"{sum(total.values()) - total['discarded']} messages")
            settled = report["placed"] + report["not_needed"] + report["discarded"]
            if not report["more"] or not apply or not settled:
                break
    _tell(progress, total, reasons, apply=apply)
    if report["more"]:
        progress.say("  There are more than could be looked at: run it again.")
    return dict(total)


def _tell(progress: Progress, total: Counter[str], reasons: Counter[str], *, apply: bool) -> None:
    placed = "placed with every open colour that wants it" if apply else "to be placed with the open colours"
    lines = [
        (total["placed"], placed),
        (total["not_needed"], "not needed: bulk import has brought it, or will, or its colour is retired"),
        (total["put_off"], "left for another time"),
        (total["hopeless"] - total["discarded"], "cannot be placed" + (", and stays" if apply else "")),
        (total["discarded"], "could not be placed, and is deleted"),
    ]
    for count, what in lines:
        if count:
            progress.say(f"  {count:>8,}  {what}")
    for reason, count in reasons.most_common():
        progress.say(f"            {count:,} {reason}")
    if not any(count for count, _ in lines):
        progress.say("  The failure queue is empty.")
    elif not apply:
        progress.say(
            "  Nothing was moved. To redrive: APPLY=1; with DISCARD=1 what cannot be placed is deleted."
        )


def _invoke(cloud: Cloud, function: str, event: dict[str, Any]) -> dict[str, Any]:
    reply = cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    answer: dict[str, Any] = json.loads(reply["Payload"].read())
    if "FunctionError" in reply:
        raise RedriveError(f"{answer.get('errorType')}: {answer.get('errorMessage')}")
    return answer
