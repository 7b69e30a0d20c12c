"""CloudWatch metrics by log line: the embedded metric format, without a library or a call.

Specification: Amazon CloudWatch user guide, "Embedded metric format".
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TextIO

NAMESPACE: Final = "Colorway"

_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode


def emit(
    dimensions: Mapping[str, str],
    counts: Mapping[str, float],
    milliseconds: Mapping[str, float | Iterable[float]] | None = None,
    *,
    dimension_sets: Sequence[Sequence[str]] | None = None,
    properties: Mapping[str, Any] | None = None,
    stream: TextIO | None = None,
    now: float | None = None,
) -> None:
    """Write one log line that CloudWatch turns into metrics.

    :param dimensions: names to values; bounded sets only (`environment`, `placement`, `colour`, `source`).
    :param counts: metric to count.
    :param milliseconds: metric to a duration, or to several.
    :param dimension_sets: which of the dimensions are to be told apart together; each set is a metric of
        its own, and CloudWatch adds none of them up. All of them together unless told.
    :param properties: what else the line is to say; no metric comes of it.
    :param stream: where log lines go, stdout unless told.
    :param now: unix seconds.
    """
    durations = {
        name: value if isinstance(value, int | float) else list(value)
        for name, value in (milliseconds or {}).items()
    }
    sets = tuple(map(tuple, dimension_sets or (dimensions,)))
    told = _ENCODE({**(properties or {}), **dimensions, **counts, **durations})
    moment = int((time.time() if now is None else now) * 1000)
    definitions = _definitions(sets, tuple(counts), tuple(durations))
    line = f'{{"_aws":{{"Timestamp":{moment},"CloudWatchMetrics":{definitions}}},{told[1:]}'
    print(line, file=stream or sys.stdout)


@lru_cache(maxsize=32)
def _definitions(
    sets: tuple[tuple[str, ...], ...], counts: tuple[str, ...], durations: tuple[str, ...]
) -> str:
    """What is the same in every line of a kind; half of the line, so it is not written anew each time."""
    metrics = [{"Name": name, "Unit": "Count"} for name in counts]
    metrics += [{"Name": name, "Unit": "Milliseconds"} for name in durations]
    return _ENCODE([{"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": metrics}])
