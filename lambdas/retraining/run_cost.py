"""What a run cost, by its own execution history and the prices that were deployed with it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from vocabulary.drops import Drop, mean_floor
from vocabulary.placements import Placement

_BEGIN: Final = "plan: begin"
_EXPORT: Final = "export: write the training data"
_CAMPAIGNS_UP: Final = "train: campaign active?"


@dataclass(frozen=True, kw_only=True)
class Used:
    """What a run used.

    :param run_id: None of one that never began.
    :param previous: the colour that was live meanwhile, `none` where none was.
    :param transitions: states that were entered.
    :param seconds: by state, of all its visits together; retries and their pauses included.
    :param visits: by state, how many came to an end.
    :param interactions: in the training data.
    :param both: from the first look at a campaign until the end, when both colours were up; None where
        there was no such look.
    """

    run_id: str | None = None
    previous: str = "none"
    transitions: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    visits: Mapping[str, int] = field(default_factory=dict)
    interactions: int = 0
    both: tuple[datetime, datetime] | None = None

    @property
    def both_hours(self) -> float:
        """How long the colours of both were up; none were of a deployment's first run."""
        if self.both is None or self.previous == "none":
            return 0.0
        since, until = self.both
        return (until - since).total_seconds() / 3600


def used(events: Iterable[Mapping[str, Any]]) -> Used:
    """Read `events` of GetExecutionHistory, oldest first and with their data.

    Placements train side by side: visits of one state are told apart by nothing, and need not be, since
    together they lasted as long as their ends are later than their beginnings.
    """
    entered: dict[str, list[datetime]] = defaultdict(list)
    seconds: dict[str, float] = defaultdict(float)
    visits: dict[str, int] = defaultdict(int)
    run: Mapping[str, Any] = {}
    transitions, interactions, campaigns_since, last = 0, 0, None, None
    for event in events:
        last = event["timestamp"]
        if name := event.get("stateEnteredEventDetails", {}).get("name"):
            transitions += 1
            entered[name].append(last)
            if name == _CAMPAIGNS_UP and campaigns_since is None:
                campaigns_since = last
        if name := event.get("stateExitedEventDetails", {}).get("name"):
            seconds[name] += (last - entered[name].pop(0)).total_seconds()
            visits[name] += 1
            if name in (_BEGIN, _EXPORT):
                output = json.loads(event["stateExitedEventDetails"].get("output") or "{}")
                if name == _BEGIN:
                    run = output.get("run") or {}
                else:
                    interactions = int(output.get("interactions") or 0)
    return Used(
        run_id=run.get("run_id"),
        previous=run.get("previous", "none"),
        transitions=transitions,
        seconds=dict(seconds),
        visits=dict(visits),
        interactions=interactions,
        both=(campaigns_since, last) if campaigns_since and last else None,
    )


def training_hours(report: Mapping[str, Any] | None) -> dict[str, float]:
    """What Personalize says it bills, by placement, of every model that was judged."""
    judged = (report or {}).get("metrics") or {}
    return {
        placement: float(told["training_hours"])
        for placement, told in sorted(judged.items())
        if told.get("training_hours") is not None
    }


def cost(
    of: Used,
    hours: Mapping[str, float],
    prices: Mapping[str, Any] | None,
    placements: Collection[Placement],
    today: date,
) -> dict[str, Any]:
    """What that costs, for the run's report: `total` in `currency`, `of` what, and what was `used`.

    Not in it: what was imported (by the gigabyte), and the first campaigns of a deployment, which are the
    standing ones.

    :param hours: see `training_hours`.
    :param prices: as `costs.of_a_run.prices_of_a_run` has baked them, with the `drops` that campaigns provide
        for; or None where there are none of the Region.
    """
    etl = of.seconds.get(_EXPORT, 0.0)
    told: dict[str, Any] = {
        "used": {
            "training_hours": {name: round(each, 3) for name, each in hours.items()},
            "both_colours_hours": round(of.both_hours, 3),
            "etl_seconds": round(etl, 1),
            "transitions": of.transitions,
        }
    }
    if prices is None:
        return {
            **told,
            "total": None,
            "says": "no prices of this Region: docs/operations.md, 'What a run costs'",
        }
    memory: Mapping[str, float] = prices["memory_mib"]
    in_functions = {name: spent * memory[name] / 1024 for name, spent in of.seconds.items() if name in memory}
    invocations = sum(count for name, count in of.visits.items() if name in memory)
    second = prices["lambda_gb_second"]
    of_etl = (
        in_functions.pop(_EXPORT) * second
        if _EXPORT in in_functions
        else etl / 3600 * prices["glue_dpus"] * prices["glue_dpu_hour"]
    )
    drops = [Drop(**each) for each in prices.get("drops", ())]
    v2 = [each for each in placements if each.is_v2]
    v1 = [each for each in placements if not each.is_v2]
    campaigns = [(each, prices["recommendations_1000"]) for each in v1]
    campaigns += [(each, prices["v2_recommendations_1000"]) for each in v2]
    of_v1 = sum(hours.get(each.name, 0.0) for each in v1)
    trained = [each for each in v2 if each.name in hours]
    parts = {
        "training": of_v1 * prices["training_hour"]
        + len(trained) * of.interactions / 1000 * prices["v2_training_1000_interactions"],
        "both_colours_up": sum(
            _floor(of, each, drops) * 3.6 * of.both_hours * thousand for each, thousand in campaigns
        ),
        "etl": of_etl,
        "functions": sum(in_functions.values()) * second
        + invocations / 1e6 * prices["lambda_requests_million"],
        "transitions": of.transitions / 1000 * prices["transitions_1000"],
    }
    stale = today > date.fromisoformat(prices["stale_after"])
    warning = f"the prices are of {prices['as_of']}: check them" if stale else None
    return {
        **told,
        "total": round(sum(parts.values()), 4),
        "currency": prices["currency"],
        "of": {name: round(each, 6) for name, each in parts.items()},
        "prices": f"{prices['region']}, {prices['as_of']}",
        **({"says": warning} if warning else {}),
    }


def _floor(of: Used, placement: Placement, drops: Collection[Drop]) -> float:
    """Requests a second that the second campaign provided, and was paid for, on average."""
    if of.both is None:
        return 0.0
    return mean_floor(*of.both, placement.name, placement.min_provisioned_tps, drops)
