"""Metrics in log lines: the embedded metric format, and metric filters of JSON lines.

Specifications: Amazon CloudWatch user guide, "Embedded metric format"; Amazon CloudWatch Logs user
guide, "Filter pattern syntax for metric filters".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Datum:
    """One value of one metric.

    :param dimensions: all of them, and no other: each set is a metric of its own.
    :param time: unix seconds, or None for now.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    value: float
    unit: str = "None"
    time: float | None = None


def data_of(line: str) -> Iterator[Datum]:
    """What CloudWatch makes of a log line; nothing where it is none of the format.

    A metric or a dimension that the line names and does not hold is left out, as on AWS.
    """
    if '"_aws"' not in line:
        return
    try:
        told = json.loads(line)
        about = told["_aws"]
        for directive in about["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                if any(not isinstance(told.get(name), str) for name in names):
                    continue
                dimensions = {name: told[name] for name in names}
                for metric in directive["Metrics"]:
                    for value in _values(told.get(metric["Name"])):
                        yield Datum(
                            directive["Namespace"],
                            metric["Name"],
                            dimensions,
                            value,
                            metric.get("Unit", "None"),
                            about["Timestamp"] / 1000,
                        )
    except (ValueError, TypeError, KeyError):
        return


def _values(value: Any) -> list[float]:
    values = value if isinstance(value, list) else [value]
    return [float(each) for each in values if isinstance(each, int | float) and not isinstance(each, bool)]


_FIELD_IS: Final = re.compile(r'\{\s*\$\.([\w.]+)\s*(=|!=)\s*"?([^"}]*?)"?\s*\}')


def field_filter(pattern: str) -> Callable[[str], bool]:
    """Whether a line is one that a filter pattern means: `{ $.field = value }` or `!=`, `*` at either end.

    >>> is_throttled = field_filter('{ $.status = "429" }')
    >>> is_throttled('{"status": "429"}'), is_throttled('{"status": "200"}'), is_throttled("no JSON")
    (True, False, False)

    :raises ValueError: for another pattern.
    """
    if not (found := _FIELD_IS.fullmatch(pattern.strip())):
        raise ValueError(f"filter pattern must be {{ $.field = value }}, got {pattern!r}")
    field, comparison, wanted = found.groups()
    like = re.compile(".*".join(map(re.escape, wanted.split("*"))))

    def matches(line: str) -> bool:
        try:
            value: Any = json.loads(line)
            for key in field.split("."):
                value = value[key]
        except (ValueError, TypeError, KeyError):
            return False
        return bool(like.fullmatch(str(value))) == (comparison == "=")

    return matches
