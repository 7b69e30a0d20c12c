"""What goes wrong while a benchmark retrains."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local_cloud.faults import Fault as CallFault
from local_cloud.personalize.faults import Fault as PersonalizeFault


@dataclass(frozen=True)
class Trouble:
    """What goes wrong during one run.

    :param answers: whether it is of the answers to customers: then popular items may come instead.
    """

    name: str
    personalize: tuple[PersonalizeFault, ...] = ()
    calls: tuple[CallFault, ...] = ()
    answers: bool = False


def troubles(machine: str, tasks: Sequence[str], dice: random.Random) -> list[Trouble]:
    """Every kind once, in an order of the dice; a third of them end the run.

    :param machine: name of the retraining's state machine.
    :param tasks: its states that do something, in the order in which a run enters them.
    """
    throttled, broken = "ThrottlingException", "InternalServerException"

    def call(**how: Any) -> CallFault:
        return CallFault(machine=machine, **how)

    kinds = [
        Trouble("none"),
        Trouble(
            "Personalize throttles and fails a tenth of what the run asks",
            tuple(
                PersonalizeFault(operation=operation, error=error, rate=0.1)
                for operation in ("Describe*", "Create*", "Delete*")
                for error in (throttled, "ServiceUnavailableException")
            ),
        ),
        Trouble(
            "Personalize throttles and fails 2 % of the customers' requests each",
            tuple(
                PersonalizeFault(operation="GetRecommendations", error=error, rate=0.02)
                for error in (throttled, broken)
            ),
            answers=True,
        ),
        Trouble(
            "Personalize dawdles for 3 s at 1 % of the customers' requests",
            (PersonalizeFault(operation="GetRecommendations", latency=3.0, rate=0.01),),
            answers=True,
        ),
    ]
    for when, happens in (("before", "fails"), ("after", "is lost")):
        phase = dice.choice(tasks).partition(":")[0]
        kinds.append(
            Trouble(
                f"every request of the functions of {phase!r} {happens} at first",
                calls=(call(state=f"{phase}: *", operation="?*", when=when),),
            )
        )
    for how in ("error", "stop", "time-out"):
        task = dice.choice(tasks)
        kinds.append(
            Trouble(
                f"{task}: {how}",
                calls=(call(state=task, when="after", how=how, error="Benchmark", times=1),),
            )
        )
    dice.shuffle(kinds)
    return kinds
