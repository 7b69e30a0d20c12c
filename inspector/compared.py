"""What `make compare` has left: variants of recipe and data, each with lists for the same customers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

VARIANT_METRICS: Final = {
    "normalized_discounted_cumulative_gain_at_10": "NDCG at 10",
    "mean_reciprocal_rank_at_25": "reciprocal rank at 25",
    "precision_at_10": "precision at 10",
    "coverage": "coverage",
}


@dataclass(frozen=True)
class Variant:
    """One way to build the row; `metrics` may lack some."""

    name: str
    says: str
    recipe: str
    metrics: Mapping[str, float | None]


@dataclass(frozen=True)
class Compared:
    """The last comparison of an environment."""

    run_id: str
    variants: Sequence[Variant]
    lists: Mapping[str, Mapping[str, Sequence[str]]]
    """Customer to variant to item ids."""

    @classmethod
    def read(cls, path: Path) -> Compared | None:
        """None where nothing has been compared."""
        if not path.exists():
            return None
        told: dict[str, Any] = json.loads(path.read_text())
        return cls(
            told["run_id"],
            [
                Variant(each["name"], each["says"], each["recipe"], each["metrics"])
                for each in told["variants"]
            ],
            {each["user_id"]: each["lists"] for each in told["customers"]},
        )
