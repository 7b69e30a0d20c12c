"""SQL for two engines: what DuckDB and Spark spell alike is written out, what they do not is a `Dialect`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from vocabulary.table_sql import CONTROL_CHARACTERS


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How an engine spells what the two spell differently.

    :param hash: of any values, 64 bits; the engines' hashes differ, so none may show in a result.
    :param fingerprint: of any values, a number that equal values share, and so few others that those can be
        compared in full. DuckDB sorts 32 bits in half the time of 64 and with half the memory: of a hundred
        million events two in a hundred then share one by chance.
    :param number: gives each row of a table a number of its own.
    :param matches: whether a text has a match of a pattern.
    :param replaced: a text with every match of a pattern replaced.
    :param json_value: the text at a path of a JSON object in a text; null where either is not there.
    :param joined: the first n elements of a list, with '|' between them; without those that it would split
        or lose.
    :param repeated: of a table and a number over it, the numbers there more than once, as `repeated`. DuckDB
        sorts numbers faster than it groups them; Spark would sort all of them in one place.
    """

    hash: str
    fingerprint: str
    number: str
    matches: str
    replaced: str
    json_value: str
    joined: str
    repeated: str

    def hash_of(self, *values: str) -> str:
        return self.hash.format(", ".join(values))

    def fingerprint_of(self, *values: str) -> str:
        return self.fingerprint.format(", ".join(values))

    def unwritable(self, column: str, longest: int) -> str:
        """A condition: an identifier that a record of one line, or Personalize, cannot hold."""
        return f"length({column}) > {longest} OR {self.matches.format(column, CONTROL_CHARACTERS)}"

    def categories(self, text: str, longest: int) -> str:
        """A categorical value on one line, or null; where '|' separates several, none is empty or cut."""
        one_line = self.replaced.format(text, CONTROL_CHARACTERS, "' '")
        parted = self.replaced.format(one_line, "'[ ]*[|][| ]*'", "'|'")
        values = self.replaced.format(parted, "'^[| ]+|[| ]+$'", "''")
        whole = self.replaced.format(f"substring({values}, 1, {longest + 1})", "'[|][^|]*$'", "''")
        cut = f"trim(substring({whole}, 1, {longest}))"
        return f"nullif(CASE WHEN length({values}) > {longest} THEN {cut} ELSE {values} END, '')"


DUCKDB: Final = Dialect(
    hash="hash({})",
    fingerprint="CAST(hash({}) >> 32 AS UINTEGER)",
    number="CAST(row_number() OVER () AS UINTEGER)",
    matches="regexp_matches({}, {})",
    replaced="regexp_replace({}, {}, {}, 'g')",
    json_value="CASE WHEN json_valid({0}) THEN json_extract_string({0}, {1}) END",
    joined="array_to_string(list_slice([x FOR x IN {0} IF x <> '' AND NOT contains(x, '|')], 1, {1}), '|')",
    repeated="SELECT DISTINCT number AS repeated FROM ("
    "SELECT number, lag(number) OVER (ORDER BY number) AS before FROM (SELECT {1} AS number FROM {0})"
    ") WHERE number = before",
)

SPARK: Final = Dialect(
    hash="xxhash64({})",
    fingerprint="xxhash64({})",
    number="monotonically_increasing_id()",
    matches="regexp_like({}, {})",
    replaced="regexp_replace({}, {}, {})",
    json_value="get_json_object({}, {})",
    joined="array_join(slice(filter({0}, x -> x <> '' AND NOT contains(x, '|')), 1, {1}), '|')",
    repeated="SELECT {1} AS repeated FROM {0} GROUP BY {1} HAVING count(*) > 1",
)


class Engine(Protocol):
    """What runs the SQL."""

    @property
    def dialect(self) -> Dialect: ...

    def define(self, name: str, query: str, *, keep: bool = False) -> None:
        """Give a query a name. With `keep` it is run at once, and what came out is what the name means."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query answers; for small answers."""


def row(engine: Engine, query: str) -> tuple[Any, ...]:
    """The one row of an aggregate without groups."""
    [only] = engine.rows(query)
    return only


def records(engine: Engine, names: Sequence[str], query: str) -> list[dict[str, Any]]:
    """Rows as objects.

    :param names: of the columns that the query selects.
    """
    return [dict(zip(names, values, strict=True)) for values in engine.rows(query)]


def literal(text: str) -> str:
    """A string as both engines read it: Spark takes neither '' for a quote nor a backslash for itself."""
    if not re.search(r"['\\]", text):
        return f"'{text}'"
    parts = [
        f"chr({ord(part)})" if part in ("'", "\\") else f"'{part}'" for part in re.split(r"(['\\])", text)
    ]
    return f"concat({', '.join(part for part in parts if part != chr(39) * 2)})"
