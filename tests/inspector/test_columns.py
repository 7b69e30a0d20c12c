from __future__ import annotations

from datetime import UTC, datetime

from inspector.columns import against, reasons
from inspector.history import Item

NOW = datetime(2026, 11, 24, tzinfo=UTC)
A, B, C, D = (Item(each, each.upper()) for each in "abcd")


def test_a_column_says_what_moved_and_what_is_new_against_the_first() -> None:
    column = against({"a": A, "b": B, "d": D}, "blue", [(B, None, ()), (C, None, ()), (A, None, ())])
    assert [(entry.item.item_id, entry.moved) for entry in column.entries] == [
        ("b", 1),
        ("c", None),
        ("a", -2),
    ]
    assert column.overlap == 2 / 3
    assert column.gone == (D,)


def test_the_first_column_is_compared_with_nothing() -> None:
    column = against(None, "maize", [(A, 0.5, ())])
    assert (column.overlap, column.entries[0].moved, column.gone) == (None, None, ())


def test_an_empty_column_overlaps_nothing() -> None:
    assert against({"a": A}, "popular", []).overlap == 0


def test_reasons_name_what_the_data_show() -> None:
    shoe = Item("s", "Tempo", brand="Zuvio", category="running", created_at=int(NOW.timestamp() * 1000))
    touched = {"t": Item("t", "Stride", brand="Zuvio", category="running"), "s": shoe}
    found = reasons(shoe, touched=touched, neighbours={"s": 1200}, popular={"s"}, now=NOW)
    assert found == (
        "touched before",
        "1,200 alike touched it",
        "same brand",
        "same kind",
        "new product",
        "popular",
    )


def test_what_has_nothing_in_common_has_no_reason() -> None:
    assert reasons(A, touched={"b": B}, neighbours={}, popular=set(), now=NOW) == ()
