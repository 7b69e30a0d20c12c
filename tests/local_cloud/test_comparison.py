from __future__ import annotations

import pytest

from local_cloud.comparison import card, change_table, marks
from local_cloud.showcase import Product

NIMBUS = Product("i1", "Aero Nimbus", "Aero", "running", 120.0)
COURT = Product("i2", "Kite Court", "Kite", "retro", 89.5)
BOOT = Product("i3", "Fjell Moraine", "Fjell", "boots", None)


def test_marks_what_is_new_what_moved_and_what_stayed() -> None:
    assert marks(["a", "b", "c", "d"], ["a", "x", "b", "d"]) == ["=", "new", "-1", "="]
    assert marks(["a", "b", "c"], ["c", "a", "b"]) == ["+2", "-1", "-1"]


def test_a_card_is_as_wide_as_asked_and_keeps_the_price() -> None:
    assert card(NIMBUS, 20) == "Aero Nimbus      120"
    assert card(Product("i4", "A name that is much too long", price=89.5), 20) == "A name that i… 89.50"


def test_puts_old_beside_new_by_name_and_never_by_id() -> None:
    heading, _, *rows = change_table([NIMBUS, COURT], [BOOT, NIMBUS, COURT], width=100)
    assert heading.split() == ["before", "now"]
    assert [row.split() for row in rows] == [
        ["1", "Aero", "Nimbus", "120", "new", "Fjell", "Moraine"],
        ["2", "Kite", "Court", "89.50", "-1", "Aero", "Nimbus", "120"],
        ["3", "-1", "Kite", "Court", "89.50"],
    ]
    assert len({row.index(word) for row, word in zip(rows, ("Fjell", "Aero", "Kite"), strict=True)}) == 1


@pytest.mark.parametrize("width", [60, 80, 100])
def test_fits_into_a_narrow_window(width: int) -> None:
    long = Product("i5", "A name that is as long as names of a supermarket's own brand are", price=1089.5)
    rows = change_table([long, NIMBUS], [NIMBUS, long], width)
    assert max(len(row) for row in rows) <= width
    assert rows[-1].endswith("1,089.50")
