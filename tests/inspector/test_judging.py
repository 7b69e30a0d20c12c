from __future__ import annotations

from inspector.columns import NEW
from inspector.history import Item
from inspector.judging import judge, kept

AT = 1_800_000_000.0
OLD = int((AT - NEW.total_seconds() - 1) * 1000)
ITEMS = {
    "a": Item("a", "A", brand="x", category="k", created_at=OLD),
    "b": Item("b", "B", brand="x", category="k", created_at=int(AT * 1000) - 1000),
    "c": Item("c", "C", brand="y", category="k"),
}


def test_figures_of_lists_are_shares_of_places_pairs_and_catalogue() -> None:
    judged = judge([["a", "b"], ["a", "c"]], items=ITEMS, much_touched={"a"}, catalogue=6, at=AT)
    assert judged
    assert judged.coverage == 0.5  # three of six
    assert judged.popularity == 0.5  # two of four places
    assert judged.new == 0.25  # b
    assert judged.diversity == 0.5  # no pair of the first list, every one of the second


def test_what_came_after_the_lists_were_made_was_not_new_then() -> None:
    judged = judge([["b"]], items=ITEMS, much_touched=set(), catalogue=3, at=AT - 3600)
    assert judged and judged.new == 0


def test_no_lists_have_no_figures() -> None:
    assert judge([[], []], items={}, much_touched=set(), catalogue=3, at=AT) is None


def test_what_is_kept_counts_the_first_ten_in_any_order() -> None:
    ten = [str(n) for n in range(10)]
    assert kept([ten, ["a", "b"], []], [ten[::-1], ["b", "c"], ["a"]]) == [1.0, 0.5]
    assert kept([[*ten, "late"]], [["late"]]) == [0.0]
