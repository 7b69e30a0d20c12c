"""The experiment as it ran: salt, allocation and plan, from the versions that AppConfig has deployed.

A version that was only saved has shown nothing to anybody, and says nothing here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from experiments.plan import Plan, first_stated
from recommendations.experiment import Experiment, Unreadable
from vocabulary.hosted_configuration import deployments_of, versions_of


class NoExperiment(Exception):
    """There is none to report on; the message says what to do."""


@dataclass(frozen=True)
class Configured:
    """An experiment that is or was configured.

    :param notes: what a reader must know about how it was configured.
    """

    experiment: Experiment
    plan: Plan
    notes: list[str]


def configured(appconfig: Any, identifiers: str, wanted: str = "") -> Configured:
    """The last experiment that was deployed switched on, or the one whose id begins with `wanted`.

    One that is off by now is read all the same: that is when it is over.

    :param identifiers: `application/environment/profile`, the output `Experiment` of the serving stack.
    :raises NoExperiment: when none was ever deployed, or none of that id.
    """
    saved = dict(versions_of(appconfig, identifiers))
    deployments = deployments_of(appconfig, identifiers)
    # In the order they went out; of what was deleted since nothing is known
    versions = [(number, saved[number]) for number, _ in deployments if number in saved]
    on: list[tuple[int, Experiment, dict[str, Any]]] = []
    for number, text in versions:
        try:
            experiment = Experiment.read(text)
        except Unreadable:
            continue  # serving does not follow it either
        if experiment and experiment.id.startswith(wanted):
            on.append((number, experiment, json.loads(text)))
    if not on:
        which = f"an id that begins with {wanted}" if wanted else "`enabled` true, and a salt"
        only = sorted(saved.keys() - {number for number, _ in versions})
        were = "version {} was" if len(only) == 1 else "versions {} were"
        raise NoExperiment(
            f"no configuration that AppConfig has deployed has {which}"
            + (f"; {were.format(', '.join(map(str, only)))} saved and never deployed" if only else "")
            + '. docs/operations.md, "Run the experiment", says how to begin one'
        )
    _, experiment, _ = on[-1]
    same = [(number, each, told) for number, each, told in on if each.salt == experiment.salt]
    stated = [
        (number, Plan.read(told["plan"])) for number, _, told in same if isinstance(told.get("plan"), dict)
    ]
    plan, notes = first_stated(stated)
    if stated and stated[0][0] != same[0][0] and plan.starts is None:
        notes.append(
            f"It was on in version {same[0][0]} already, before version {stated[0][0]} stated the plan, and "
            "the days from then on count: whoever stated it may have seen how it went."
        )
    now = next((number for number, taken_back in reversed(deployments) if not taken_back), None)
    if now not in [number for number, _, _ in same]:
        why = "it was taken back" if now is None else f"version {now} of the configuration is deployed"
        notes.append(f"It is off by now: {why}.")
    if any(each.treatment * experiment.control != each.control * experiment.treatment for _, each, _ in same):
        notes.append(
            "The ratio of treatment to control was changed on the way: users of before and after are mixed "
            "in unlike parts. Begin a new experiment with a new salt."
        )
    return Configured(experiment, plan, notes)
