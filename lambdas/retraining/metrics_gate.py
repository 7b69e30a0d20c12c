"""The metrics gate: a model whose offline metrics fall short is not put before customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


class MetricsGateRefused(Exception):
    """The model falls short; the message says which metric, the figure and the limit."""


@dataclass(frozen=True)
class Check:
    """One metric of one placement held against its floor."""

    metric: str
    figure: float | None
    floor: float

    @property
    def holds(self) -> bool:
        return self.figure is not None and self.figure >= self.floor

    def __str__(self) -> str:
        return f"{self.metric} is {self.figure}, the floor is {self.floor}"


def check(metrics: Mapping[str, float], floors: Mapping[str, float]) -> list[Check]:
    """Hold a solution version's metrics against the placement's floors, each by name."""
    return [Check(name, metrics.get(name), floor) for name, floor in sorted(floors.items())]


def report(metrics: Mapping[str, float], checks: list[Check]) -> dict[str, object]:
    """What is kept of the gate beside the run's report."""
    return {
        "metrics": dict(metrics),
        "checks": [{**asdict(each), "holds": each.holds} for each in checks],
        "passed": all(each.holds for each in checks),
    }
