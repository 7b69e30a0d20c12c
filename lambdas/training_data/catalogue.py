"""Items and Users: from the newest catalogue snapshot to the rows of their CSV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import duckdb

from training_data.interactions import unwritable
from vocabulary.lake import ITEM_COLUMNS, ITEMS_FOLDER, USER_COLUMNS, USERS_FOLDER, Column
from vocabulary.schemas import DatasetKind

_LONGEST_TEXT: Final = 1000
"""Characters of a categorical value (developer guide, "Items and users data sets")."""


def _text(column: str) -> str:
    """One line of text, or null."""
    one_line = f"regexp_replace({column}, '[\\x00-\\x1F\\x7F]+', ' ', 'g')"
    return f"nullif(trim(substring({one_line}, 1, {_LONGEST_TEXT})), '')"


@dataclass(frozen=True)
class Catalogue:
    """A dataset beside the interactions.

    :param kind: of the dataset, and the name of the table that holds its snapshot.
    :param folder: of its snapshots in the lake.
    :param columns: of its snapshots.
    :param id: the column that identifies a row.
    :param values: CSV column to SQL expression.
    """

    kind: DatasetKind
    folder: str
    columns: tuple[Column, ...]
    id: str
    values: dict[str, str]

    def convert(self, connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
        """Make the table `{kind}_csv` of the snapshot's table; answer its part of the report."""
        # Which of several rows of one id stays must not depend on how the files are read
        order = ", ".join(column.name for column in self.columns)
        values = ", ".join(f"{expression} AS {name}" for name, expression in self.values.items())
        connection.execute(f"""
            CREATE OR REPLACE TABLE {self.kind}_csv AS
            WITH numbered AS (
                SELECT *, row_number() OVER (PARTITION BY {self.id} ORDER BY {order}) AS occurrence
                FROM {self.kind}
            )
            SELECT {values},
                   CASE WHEN coalesce({self.id}, '') = '' THEN 'no-id'
                        WHEN {unwritable(self.id)} THEN 'unwritable'
                        WHEN occurrence > 1 THEN 'repeat' END AS dropped
            FROM numbered""")
        counts = dict(
            connection.execute(f"SELECT dropped, count(*) FROM {self.kind}_csv GROUP BY ALL").fetchall()
        )
        connection.execute(f"DELETE FROM {self.kind}_csv WHERE dropped IS NOT NULL")
        kept = counts.pop(None, 0)
        return {"rows_in": kept + sum(counts.values()), "rows_out": kept, "dropped": counts}


CATALOGUES: Final = (
    Catalogue(
        kind="items",
        folder=ITEMS_FOLDER,
        columns=ITEM_COLUMNS,
        id="item_id",
        values={
            "ITEM_ID": "item_id",
            "BRAND": _text("brand"),
            "CATEGORY": _text("category"),
            "PRICE": "CASE WHEN price BETWEEN -3.4e38 AND 3.4e38 THEN price END",
            "CREATION_TIMESTAMP": "CASE WHEN created_at >= 0 "
            "THEN CAST(floor(created_at / 1000.0) AS BIGINT) END",
        },
    ),
    Catalogue(
        kind="users",
        folder=USERS_FOLDER,
        columns=USER_COLUMNS,
        id="user_id",
        values={"USER_ID": "user_id", "SEGMENT": _text("segment")},
    ),
)
