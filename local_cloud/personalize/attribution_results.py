"""What came of recommendations: the metrics of an attribution, by source, in quarters of an hour.

Developer guide, "Measuring recommendation impact with a metric attribution" and "Guidelines and requirements
for a metric attribution".
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from local_cloud.personalize.region import Region
from local_cloud.personalize.store import Resource
from local_cloud.personalize.table import Coded, Column, Table
from local_cloud.personalize.touches import Touches

UNDEFINED: Final = "SOURCE_NAME_UNDEFINED"
"""Of an interaction that does not say which recommendation it goes back to."""

MOST_SOURCES: Final = 100
WINDOW: Final = 15 * 60  # seconds

_MARK: Final = 10  # characters at the end of a recommendation id

_log = logging.getLogger(__name__)

ItemOf = Callable[[str], Mapping[str, Any]]
"""From an id to the columns of an item."""


class Result(NamedTuple):
    """
    :param window: its begin, in unix seconds.
    """

    metric: str
    event_type: str
    function: str
    source: str
    window: int
    value: float


def mark_of(arn: str) -> str:
    """What a recommendation id ends in that comes from this campaign or recommender."""
    return f"CID-{hashlib.sha256(arn.encode()).hexdigest()[:6]}"


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """A metric attribution as it is at one moment.

    :param item: from an id to the columns of an item.
    :param sources: campaigns and recommenders of the group, by their marks.
    """

    resource: Resource
    metrics: Sequence[Mapping[str, str]]
    item: ItemOf
    sources: Mapping[str, str]

    @classmethod
    def of_group(cls, region: Region, group_arn: str) -> Attribution | None:
        """The dataset group's, where it has one that is ACTIVE; looks at nothing that is under way."""
        items = region.dataset(group_arn, "ITEMS")
        sources = {}
        found = None
        for resource in region.store.everything():
            if resource.members.get("datasetGroupArn") != group_arn:
                continue
            if resource.kind in ("Campaign", "Recommender"):
                sources[mark_of(resource.arn)] = resource.arn
            elif resource.kind == "MetricAttribution" and resource.is_active:
                found = resource
        if found is None:
            return None
        return cls(
            resource=found,
            metrics=list(found.members["metrics"]),
            item=items.record if items else lambda item_id: {},
            sources=sources,
        )

    def results(self, table: Table) -> list[Result]:
        """By metric, source and time; of further sources than may be, nothing.

        :param table: of interactions, with all their columns.
        """
        touches = Touches.of_dataset(table)
        windows = touches.timestamps // WINDOW * WINDOW
        sources = _sources(table, self.sources)
        results: list[Result] = []
        for metric in self.metrics:
            wanted = metric["eventType"].lower()
            is_meant = np.array(
                [(kind or "").lower() == wanted for kind in touches.event_types.values], dtype=bool
            )
            rows = np.flatnonzero(is_meant[touches.event_types.codes])
            values = _values(metric["expression"], table, touches, self.item)[rows]
            keys = np.stack([sources.codes[rows].astype(np.int64), windows[rows]])
            groups, members = np.unique(keys, axis=1, return_inverse=True)
            sums = np.bincount(members.ravel(), weights=values, minlength=groups.shape[1])
            function = metric["expression"].partition("(")[0].lower()
            results += [
                Result(metric["metricName"], metric["eventType"], function, sources.values[s], window, value)
                for (s, window), value in zip(groups.T.tolist(), sums.tolist(), strict=True)
            ]
        return self._of_known_sources(results)

    def _of_known_sources(self, results: Iterable[Result]) -> list[Result]:
        """What AWS does with the 101st source its documents do not say; here it is left out and logged."""
        known: list[str] = self.resource.members.setdefault("sources", [])
        kept = []
        for result in results:
            if result.source != UNDEFINED and result.source not in known:
                if len(known) >= MOST_SOURCES:
                    said = "%s has %s sources: %s is left out"
                    _log.warning(said, self.resource.arn, MOST_SOURCES, result.source)
                    continue
                known.append(result.source)
            kept.append(result)
        return kept


def _sources(table: Table, known: Mapping[str, str]) -> Coded:
    """EVENT_ATTRIBUTION_SOURCE is worth more than RECOMMENDATION_ID."""
    named, recommended = (_listed(table, name) for name in ("EVENT_ATTRIBUTION_SOURCE", "RECOMMENDATION_ID"))
    return Coded.of(
        name or known.get((recommendation or "")[-_MARK:], UNDEFINED)
        for name, recommendation in zip(named, recommended, strict=True)
    )


def _listed(table: Table, name: str) -> list[Any]:
    column = table.columns.get(name)
    return [None] * len(table) if column is None else column.listed()


def _values(expression: str, table: Table, touches: Touches, item: ItemOf) -> NDArray[np.float64]:
    """Per interaction, what it adds."""
    _, _, inside = expression.rstrip(")").partition("(")
    if not inside:
        return np.ones(len(table))
    dataset, _, column = inside.partition(".")
    if dataset.lower() == "items":
        worth = [_number(item(item_id).get(column)) for item_id in touches.items.values]
        return np.array(worth, dtype=np.float64)[touches.items.codes]
    return _numbers(table.columns[column])


def _numbers(column: Column) -> NDArray[np.float64]:
    return np.array([_number(value) for value in column.listed()], dtype=np.float64)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
