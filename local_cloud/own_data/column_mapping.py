"""Whose column is whose: a short text that says where each of our columns is found in the user's own data.

    user_id=CustomerID, item_id=StockCode, sent_at=InvoiceDate, event_type='purchase', value=Price*Quantity

Left of each `=` stands a column of ours, right of it a column of theirs or any
DuckDB expression over theirs. Commas within parentheses or quotes belong to the
expression. What is not mapped is taken from a column of the same name, in any
case and however its words are joined, or of a common synonym.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from local_cloud.connection import LocalCloudError

SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "event_id": ("id",),
    "received_at": ("server timestamp", "collected at"),
    "sent_at": ("timestamp", "event time", "event timestamp", "time", "ts", "date", "datetime", "created at"),
    "session_id": ("session", "visit id"),
    "user_id": ("user", "customer id", "visitor id", "client id"),
    "event_type": ("event", "event name", "action"),
    "item_id": ("item", "product id", "sku", "article id"),
    "value": ("event value", "rating"),
    "recommendation_id": (),
    "segment": (),
    "name": ("title", "product name", "item name", "description"),
    "brand": ("manufacturer",),
    "category": ("categories", "genres", "product type", "department"),
    "price": ("unit price",),
    "image": ("image url", "picture", "thumbnail"),
    "created_at": ("release date", "creation timestamp", "added at"),
}
"""Names under which other systems keep the same thing, nearest first."""


class OwnDataError(LocalCloudError):
    """The user's own data cannot be read as they are; the message says what to write instead."""


def parse(text: str, *, allowed: Collection[str], setting: str) -> dict[str, str]:
    """Our column to their column or expression.

    :param text: a mapping as above; may be empty.
    :param allowed: names of our columns.
    :param setting: where the text came from, for messages.
    :raises OwnDataError: for a part without `=`, and a column that is not ours or mapped twice.
    """
    mapping: dict[str, str] = {}
    for part in split(text):
        ours, equals, theirs = (piece.strip() for piece in part.partition("="))
        if not equals or not theirs:
            raise OwnDataError(f"{setting}: {part.strip()!r} is not of the form our_column=their_column")
        if ours not in allowed:
            raise OwnDataError(
                f"{setting}: there is no column {ours!r} to map; ours are {', '.join(allowed)}"
            )
        if ours in mapping:
            raise OwnDataError(f"{setting}: {ours!r} is mapped twice")
        mapping[ours] = theirs
    return mapping


def split(text: str) -> list[str]:
    """The parts of a mapping: at commas, but not at those within brackets or quotes."""
    parts, depth, quote = [""], 0, ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        depth += 0 if quote else (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += sign
    return [part for part in parts if part.strip()]


def resolve(mapping: Mapping[str, str], *, ours: Iterable[str], theirs: Collection[str]) -> dict[str, str]:
    """The SQL for each of our columns that the data have: a quoted column of theirs, or an expression.

    :param mapping: from `parse`; wins over names that match.
    :param ours: columns wanted.
    :param theirs: columns found.
    """
    exact = {name.lower(): name for name in theirs}
    by_name = {_plain(name): name for name in reversed(list(theirs))}
    found: dict[str, str] = {}
    for column in ours:
        if column in mapping:
            name = exact.get(mapping[column].lower())
            found[column] = quoted(name) if name else mapping[column]
            continue
        candidates = (column, *SYNONYMS.get(column, ()))
        name = next((by_name[_plain(each)] for each in candidates if _plain(each) in by_name), None)
        if name is not None:
            found[column] = quoted(name)
    return found


def quoted(name: str) -> str:
    """A column's name as SQL takes it, whatever it consists of."""
    return '"' + name.replace('"', '""') + '"'


def _plain(name: str) -> str:
    """A name without case and joints: `CustomerID`, `customer_id` and `Customer Id` are one."""
    return re.sub(r"[\W_]", "", name).lower()
