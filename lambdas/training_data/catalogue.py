"""Items and Users: from the newest catalogue snapshot to the rows of their CSV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from training_data.interactions import LARGEST_FLOAT
from training_data.selection import LONGEST_ID
from training_data.sql import Dialect, Engine
from vocabulary.lake import ITEM_COLUMNS, ITEMS_FOLDER, USER_COLUMNS, USERS_FOLDER, Column
from vocabulary.schemas import DatasetKind

_LONGEST_TEXT: Final = 1000
"""Characters of a categorical value (developer guide, "Items and users data sets")."""

_LATEST: Final = 4_102_444_800_000
"""2100-01-01 in unix milliseconds: a time beyond it is in microseconds, and no time at all."""

Holds = Literal["id", "text", "number", "time"]


@dataclass(frozen=True)
class Catalogue:
    """A dataset beside the interactions.

    :param kind: of the dataset, and the name of the table that holds its snapshot.
    :param folder: of its snapshots in the lake.
    :param columns: of its snapshots.
    :param id: the column that identifies a row.
    :param values: CSV column to the column it comes from, and what that holds.
    """

    kind: DatasetKind
    folder: str
    columns: tuple[Column, ...]
    id: str
    values: dict[str, tuple[str, Holds]]

    def convert(self, engine: Engine) -> dict[str, Any]:
        """Make the table `{kind}_csv` of the snapshot's table; answer its part of the report."""
        # Which of several rows of one id stays must not depend on how the files are read
        order = ", ".join(f"{column.name} NULLS LAST" for column in self.columns)
        values = ", ".join(
            f"{_value(engine.dialect, column, holds)} AS {name}"
            for name, (column, holds) in self.values.items()
        )
        engine.define(
            f"{self.kind}_judged",
            f"""
            SELECT {values},
                   CASE WHEN coalesce({self.id}, '') = '' THEN 'no-id'
                        WHEN {engine.dialect.unwritable(self.id, LONGEST_ID)} THEN 'unwritable'
                        WHEN occurrence > 1 THEN 'repeat' END AS dropped
            FROM (
                SELECT *, row_number() OVER (PARTITION BY {self.id} ORDER BY {order}) AS occurrence
                FROM {self.kind}
            )""",
            keep=True,
        )
        engine.define(f"{self.kind}_csv", f"SELECT * FROM {self.kind}_judged WHERE dropped IS NULL")
        counts = dict(engine.rows(f"SELECT dropped, count(*) FROM {self.kind}_judged GROUP BY dropped"))
        kept = counts.pop(None, 0)
        return {"rows_in": kept + sum(counts.values()), "rows_out": kept, "dropped": counts}


def _value(dialect: Dialect, column: str, holds: Holds) -> str:
    match holds:
        case "id":
            return column
        case "text":
            return dialect.categories(column, _LONGEST_TEXT)
        case "number":
            return f"CASE WHEN {column} BETWEEN -{LARGEST_FLOAT} AND {LARGEST_FLOAT} THEN {column} END"
        case "time":
            plausible = f"{column} BETWEEN 0 AND {_LATEST}"
            return f"CASE WHEN {plausible} THEN CAST(floor({column} / 1000.0) AS BIGINT) END"


CATALOGUES: Final = (
    Catalogue(
        kind="items",
        folder=ITEMS_FOLDER,
        columns=ITEM_COLUMNS,
        id="item_id",
        values={
            "ITEM_ID": ("item_id", "id"),
            "BRAND": ("brand", "text"),
            "CATEGORY": ("category", "text"),
            "PRICE": ("price", "number"),
            "CREATION_TIMESTAMP": ("created_at", "time"),
        },
    ),
    Catalogue(
        kind="users",
        folder=USERS_FOLDER,
        columns=USER_COLUMNS,
        id="user_id",
        values={"USER_ID": ("user_id", "id"), "SEGMENT": ("segment", "text")},
    ),
)
