"""How good the local recommenders are, beside popularity, by the split that the developer guide documents.

    python -m benchmarks.recommenders_quality
    python -m benchmarks.recommenders_quality --interactions mine.csv --items my_items.csv

Without files, on the generated marketplace; with one, on a CSV as Personalize imports it (USER_ID, ITEM_ID,
TIMESTAMP in unix seconds; an Items CSV has ITEM_ID). Figures are means over which users are tested.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from local_cloud.lake_loading import connect
from local_cloud.marketplace import generate
from local_cloud.personalize.recommenders import Interactions, train

_RECIPES = ("aws-popularity-count", "aws-user-personalization", "aws-similar-items")
_SHOWN = (
    "normalized_discounted_cumulative_gain_at_10",
    "mean_reciprocal_rank_at_25",
    "precision_at_10",
    "coverage",
)
_NOW = datetime(2025, 11, 30, tzinfo=UTC)  # the marketplace is the same each time

Items = Mapping[str, Mapping[str, object]]


def of_marketplace() -> tuple[Interactions, Items]:
    """Everything that names a customer and an item."""
    marketplace = generate(seed=7, now=_NOW)
    connection = connect()
    history = marketplace.history(connection)
    rows = (
        history.events.filter("user_id IS NOT NULL AND item_id IS NOT NULL")
        .project("user_id, item_id, sent_at")
        .fetchall()
    )
    items = history.items
    items = items.select(*(name for name in items.columns if name != "image"))  # a picture is no word
    columns = [name.upper() for name in items.columns]
    described = [dict(zip(columns, row, strict=True)) for row in items.fetchall()]
    return (
        Interactions(
            user_ids=[row[0] for row in rows],
            item_ids=[row[1] for row in rows],
            timestamps=np.array([row[2] // 1000 for row in rows], dtype=np.int64),
        ),
        {str(row["ITEM_ID"]): row for row in described},
    )


def of_files(interactions: Path, items: Path | None) -> tuple[Interactions, Items]:
    rows = list(_rows(interactions))
    return (
        Interactions(
            user_ids=[row["USER_ID"] for row in rows],
            item_ids=[row["ITEM_ID"] for row in rows],
            timestamps=np.array([int(row["TIMESTAMP"]) for row in rows], dtype=np.int64),
        ),
        {row["ITEM_ID"]: row for row in _rows(items)} if items else {},
    )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--interactions", type=Path)
    parser.add_argument("--items", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    interactions, items = (
        of_files(arguments.interactions, arguments.items) if arguments.interactions else of_marketplace()
    )
    print(
        f"{len(interactions.item_ids):,} interactions, {len(set(interactions.user_ids)):,} users, "
        f"{len(set(interactions.item_ids)):,} items touched; {arguments.seeds} seeds"
    )
    for recipe in _RECIPES:
        began = time.perf_counter()
        metrics = [
            train(recipe, interactions, items=items, seed=seed).metrics for seed in range(arguments.seeds)
        ]
        took = (time.perf_counter() - began) / arguments.seeds
        means = {name: float(np.mean([each[name] for each in metrics])) for name in _SHOWN}
        shown = ", ".join(f"{name} {mean:.4f}" for name, mean in means.items())
        print(f"{recipe}: {shown}; {took:.1f} s to train and measure", flush=True)


if __name__ == "__main__":
    main()
