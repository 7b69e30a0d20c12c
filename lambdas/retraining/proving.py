"""Proves a colour before traffic reaches it: its campaigns, then the function version that will serve it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from retraining.heartbeat import HeartbeatFailed, Lists, Sample, check_answers, check_campaign
from retraining.live_colour import LiveColour
from retraining.reports import Reports
from retraining.settings import Settings
from vocabulary.colours import Colour
from vocabulary.gates import Check, failed, verdict
from vocabulary.metrics import emit
from vocabulary.placements import Placement

KEPT: Final = 25
"""How much of each list is kept beside the report: as many as clients get unless they ask for more."""


@dataclass(frozen=True)
class Proof:
    """The heartbeat of one run.

    :param aws: client of a service by its boto3 name.
    :param reports: where what came of it is told.
    :param clock: seconds that only grow.
    """

    settings: Settings
    aws: Callable[[str], Any]
    reports: Reports
    run_id: str
    sample: Sample
    clock: Callable[[], float] = time.monotonic

    def ask_campaigns(self, colour: Colour, *, tell: bool = True) -> None:
        """Ask every campaign of the colour directly.

        :param tell: in the run's report, and by a metric.
        :raises HeartbeatFailed: naming placement, check, figure and limit.
        """
        for placement in self.settings.placements:
            lists, milliseconds = self._ask(colour, placement)
            checks = check_campaign(lists, milliseconds, self.settings.heartbeat_gate)
            if tell:
                self._tell("campaigns", placement, checks)
            _require(placement, checks)

    def ask_version(self, live: LiveColour, version: str, colour: Colour) -> None:
        """Ask the version for every placement, and the one that is live for comparison.

        :raises HeartbeatFailed: naming placement, check, figure and limit.
        """
        last_good = self.reports.last_good() or {}
        for placement in self.settings.placements:
            request = self.sample.request(placement)
            lists = live.beat(version, colour, request)
            known = self.sample.known
            if placement.needs == "item":
                known = known[: len(self.sample.items)]  # beyond, the items begin again
            same = ((last_good.get("metrics") or {}).get(placement.name) or {}).get("recipe")
            of_live = live.beat_of_live(request) if same == placement.recipe else None
            self._keep(colour, placement, lists[: len(known)], of_live and of_live[: len(known)])
            checks = check_answers(
                placement,
                lists,
                known=len(known),
                popular=self.reports.popular(self.run_id, placement.name),
                live=of_live,
                gate=self.settings.heartbeat_gate,
            )
            self._tell("heartbeat", placement, checks)
            _require(placement, checks)

    def _ask(self, colour: Colour, placement: Placement) -> tuple[list[list[str]], list[float]]:
        request = self.sample.request(placement)
        lists, milliseconds = [], []
        for place, user in enumerate(request["user_ids"]):
            began = self.clock()
            lists.append(self._answer(colour, placement, user, request.get("item_ids") or (), place))
            milliseconds.append((self.clock() - began) * 1000)
        return lists, milliseconds

    def _answer(
        self, colour: Colour, placement: Placement, user: str, items: Sequence[str], place: int
    ) -> list[str]:
        runtime = self.aws("personalize-runtime")
        question = {"campaignArn": self.settings.campaign_arn(colour, placement.name), "userId": user}
        if placement.needs == "items":
            ranked = runtime.get_personalized_ranking(**question, inputList=list(items))
            return [each["itemId"] for each in ranked["personalizedRanking"]]
        if placement.needs == "item":
            question["itemId"] = items[place]
        return [each["itemId"] for each in runtime.get_recommendations(**question)["itemList"]]

    def _keep(self, colour: Colour, placement: Placement, lists: Lists, live: Lists | None) -> None:
        """Whom the lists were made for is not kept: then nothing of it has to be erased."""
        self.reports.keep_lists(
            self.run_id,
            placement.name,
            {
                "run_id": self.run_id,
                "placement": placement.name,
                "recipe": placement.recipe,
                "colour": colour,
                "lists": [list(each[:KEPT]) for each in lists],
                "live": None if live is None else [list(each[:KEPT]) for each in live],
            },
        )

    def _tell(self, gate: str, placement: Placement, checks: list[Check]) -> None:
        self.reports.add(self.run_id, gate, placement.name, verdict(checks))
        if refused := failed(checks):
            emit(
                {"environment": self.settings.names.environment},
                {"GateFailures": len(refused)},
                properties={
                    "gate": gate,
                    "run_id": self.run_id,
                    "refused": [f"{placement.name}: {each}" for each in refused],
                },
            )


def _require(placement: Placement, checks: list[Check]) -> None:
    if refused := failed(checks):
        raise HeartbeatFailed(f"{placement.name}: " + "; ".join(refused))
