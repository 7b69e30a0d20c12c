"""How many transitions of the state machine a night takes, and what they cost: counted on its definition.

    python -m benchmarks.retraining_transitions

It walks the reviewed snapshot along the path of a run that goes through, and waits in each loop for as long
as Amazon Personalize usually takes. AWS publishes no such durations: these are what its users report.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SNAPSHOT: Final = (
    Path(__file__).resolve().parent.parent / "tests" / "constructs" / "snapshots" / "retraining.asl.json"
)

USD_PER_TRANSITION: Final = 0.025 / 1000
"""Standard workflows, us-east-1; 4000 a month are free."""

EVENTS_PER_LOOK: Final = 9
MOST_EVENTS: Final = 25_000

USUAL_SECONDS: Final = {
    "open: clear what is left of the colour, not gone yet": 0,
    "open: dataset group not yet": 90,
    "open: interactions dataset not yet": 25,
    "open: event tracker not yet": 30,
    "export: not yet in the lake": 90,
    "import: dataset not yet": 25,
    "import: job not yet": 600,
    "train: solution not yet": 5,
    "train: model not yet": 2100,
    "train: campaign not yet": 900,
    "retire: tear the old colour down, not gone yet": 480,
}
"""How long each wait goes on in all."""


@dataclass
class Night:
    """One run.

    :param items: Map state to how many things it works on.
    :param seconds: Wait state to how long it goes on in all.
    """

    items: Mapping[str, int]
    seconds: Mapping[str, int]
    transitions: int = 0
    looks: int = 0

    def walk(self, machine: Mapping[str, Any]) -> None:
        """From the first state to the last, with every loop; a choice takes what it does by default."""
        states = machine["States"]
        name: str | None = machine["StartAt"]
        left: dict[str, int] = {}
        while name is not None:
            state = states[name]
            self.transitions += 1
            if state["Type"] == "Pass" and "looks" in state.get("Assign", {}):
                left["looks"] = state["Assign"]["looks"]
            if state["Type"] == "Map":
                for _ in range(self.items[name]):
                    self.walk(state["ItemProcessor"])
            name = self._after(name, states, left) if state["Type"] == "Choice" else state.get("Next")

    def _after(self, name: str, states: Mapping[str, Any], left: dict[str, int]) -> str:
        choice = states[name]
        for each in choice["Choices"]:
            wait = each["Next"]
            if states[wait]["Type"] != "Wait":
                continue
            if wait in self.seconds:
                looks = math.ceil(self.seconds[wait] / states[wait]["Seconds"])
            else:  # counts its looks itself, and has waited before the first
                looks = left["looks"] - 1
            remaining = left.setdefault(name, looks)
            left[name] = remaining - 1
            if remaining > 0:
                self.looks += 1
                return str(wait)
            del left[name]
        return str(choice["Default"])


def night(*, placements: int, datasets: int, model_seconds: int) -> Night:
    """A night without a canary."""
    definition = json.loads(SNAPSHOT.read_text())
    canary = definition["States"]["flip: is there a colour to share with?"]
    canary["Default"] = canary["Choices"][0]["Next"]
    found = Night(
        items={"import: each dataset": datasets, "train: each placement": placements},
        seconds={**USUAL_SECONDS, "train: model not yet": model_seconds},
    )
    found.walk(definition)
    return found


def main() -> None:
    print(
        "| placements | data sets | a model trains | transitions | USD a night | 30 nights | history events |"
    )
    print("|---|---|---|---|---|---|---|")
    for placements, datasets, minutes in ((1, 1, 35), (1, 3, 35), (3, 3, 35), (3, 3, 360), (5, 3, 480)):
        found = night(placements=placements, datasets=datasets, model_seconds=minutes * 60)
        usd = found.transitions * USD_PER_TRANSITION
        events = 5 * (found.transitions - 3 * found.looks) + EVENTS_PER_LOOK * found.looks
        print(
            f"| {placements} | {datasets} | {minutes} min | {found.transitions} | {usd:.4f} | {30 * usd:.2f} "
            f"| about {events} of {MOST_EVENTS} |"
        )


if __name__ == "__main__":
    main()
