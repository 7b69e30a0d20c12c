"""The colours over time: when each was built, live, and torn down, by what the runs did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from inspector.deployment import Run
from vocabulary.colours import colour_of, other
from vocabulary.phases import CLEARING, PHASES, phase_of

Doing = Literal["built", "live", "torn down"]

State = tuple[str, Any]
"""The name of a state of a run, and when it was entered."""


@dataclass(frozen=True)
class Span:
    """What a colour was from when to when; a share of the whole timeline each."""

    colour: str
    doing: Doing
    start: float
    width: float
    label: str


@dataclass(frozen=True)
class Phase:
    """A phase of a run: how it stands, and how long it has taken in seconds so far."""

    name: str
    stands: Literal["done", "now", "to come"]
    seconds: float


def phases(states: Sequence[State], now: datetime) -> list[Phase]:
    """Every phase of a run in progress; of one that clears up after a failure, the clearing alone."""
    began: dict[str, datetime] = {}
    for name, at in states:
        if phase := phase_of(name):
            began.setdefault(phase, at)
    if CLEARING in began:
        return [Phase(CLEARING, "now", (now - began[CLEARING]).total_seconds())]
    reached: list[str] = [phase for phase in PHASES if phase in began]
    current = reached[-1] if reached else PHASES[0]
    ends = dict(zip(reached, [began[phase] for phase in reached[1:]] + [now], strict=True))
    place = PHASES.index(current)
    return [
        Phase(
            phase,
            "done" if index < place else "now" if index == place else "to come",
            (ends[phase] - began[phase]).total_seconds() if phase in ends else 0.0,
        )
        for index, phase in enumerate(PHASES)
    ]


def spans(
    runs: Sequence[Run], states: Mapping[str, Sequence[State]], *, now: datetime
) -> tuple[list[Span], datetime | None]:
    """The spans of both colours, and when the timeline begins.

    :param runs: in any order; those by which no colour went live are left out.
    :param states: of each run by its name.
    """
    done = sorted((run for run in runs if run.colour), key=lambda run: run.started)
    if not done:
        return [], None
    begin = done[0].started
    whole = max((now - begin).total_seconds(), 1.0)
    found: list[Span] = []

    def add(colour: str, doing: Doing, start: datetime, end: datetime) -> None:
        at = (start - begin).total_seconds() / whole
        width = max((end - start).total_seconds() / whole, 0.0)
        label = f"{colour} {doing}, {start:%d %b %H:%M:%S} to {end:%d %b %H:%M:%S}"
        found.append(Span(colour, doing, at, width, label))

    for run in (run for run in runs if run.status == "RUNNING"):
        colour = other(colour_of(done[-1].colour))
        if _entered(states.get(run.name, ()), "bake"):  # it has flipped, and is not done yet
            done.append(replace(run, colour=colour))
        else:
            add(colour, "built", run.started, now)
    flips = [_entered(states.get(run.name, ()), "flip") or run.stopped or now for run in done]
    for place, (run, flip) in enumerate(zip(done, flips, strict=True)):
        until = flips[place + 1] if place + 1 < len(done) else now
        add(run.colour, "built", run.started, flip)
        add(run.colour, "live", flip, until)
        retired = _entered(states.get(run.name, ()), "retire") or run.stopped
        if place and retired:
            add(done[place - 1].colour, "torn down", retired, run.stopped or now)
    return found, begin


def _entered(states: Sequence[State], phase: str) -> datetime | None:
    return next((at for name, at in states if phase_of(name) == phase), None)
