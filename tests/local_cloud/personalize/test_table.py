"""Columns say what rows of objects would."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.personalize import table as tables
from local_cloud.personalize.csv_import import read_table
from local_cloud.personalize.lifecycle import Failed
from local_cloud.personalize.schemas import Field, Schema
from local_cloud.personalize.streamed import Touch
from local_cloud.personalize.table import Table
from local_cloud.personalize.touches import ByUser, Touches

FIELDS = (("ITEM_ID", "string"), ("STOCK", "long"), ("PRICE", "double"), ("NEW", "boolean"))
SCHEMA = Schema(
    dataset_type="ITEMS",
    fields=tuple(Field(name=name, kind=kind, nullable=True, textual=False) for name, kind in FIELDS),
)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "ü", None]),
        st.sampled_from([0, -1, 2**62, None]),
        st.sampled_from([0.5, -0.0, 1e300, None]),
        st.sampled_from([True, False, None]),
    ),
    max_size=30,
)


def read(rows: list[tuple[object, ...]]) -> Table:
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    text = "\n".join([",".join(name for name, _ in FIELDS), *lines]) + "\n"
    return read_table([("items.csv", io.BytesIO(text.encode()))], SCHEMA)


@given(ROWS, ROWS)
def test_rows_come_out_as_they_went_in_each_once(
    some: list[tuple[object, ...]], more: list[tuple[object, ...]]
) -> None:
    assert list(read(some).rows()) == list(dict.fromkeys(some))
    assert list(read(some).joined(read(more)).distinct().rows()) == list(dict.fromkeys([*some, *more]))


@given(ROWS)
def test_rows_that_share_a_hash_are_told_apart(rows: list[tuple[object, ...]]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tables, "_MULTIPLIER", np.uint64(0))
        assert list(read(rows).rows()) == list(dict.fromkeys(rows))


@given(rows=ROWS)
def test_a_table_is_read_back_as_it_was_saved(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[object, ...]]
) -> None:
    path: Path = tmp_path_factory.mktemp("table") / "rows.npz"
    read(rows).save(path)
    assert list(Table.load(path).rows()) == list(read(rows).rows())


def test_a_file_is_read_to_its_last_line_however_long_it_is() -> None:
    rows: list[tuple[object, ...]] = [(f"item {number}", number, None, None) for number in range(7000)]
    assert list(read(rows).rows()) == rows
    with pytest.raises(Failed, match="do not conform"):
        read([*rows, ("last", "many", None, None)])


def test_numbers_are_what_they_look_like() -> None:
    for wrong in ("1_000", "9223372036854775808", "1.5", "nan"):
        with pytest.raises(Failed, match="do not conform"):
            read([("a", wrong, None, None)])
    for wrong in ("1_0.5", "nan", "-inf", "much"):
        with pytest.raises(Failed, match="do not conform"):
            read([("a", None, wrong, None)])


def test_interactions_are_found_by_user_and_left_out_by_user() -> None:
    given_ = [
        Touch("anne", "hat", 3, "view", None),
        Touch("ben", "shoe", 1, None, 2.5),
        Touch("anne", "sock", 2, "buy", 1.0),
    ]
    touches = Touches.of(given_)
    assert ByUser(touches).of("anne") == [given_[0], given_[2]]
    assert ByUser(touches).of("nobody") == []
    assert touches.without_users({"anne", "nobody"}).listed() == [given_[1]]
    assert touches.with_those(Touches.of([given_[1], Touch("cy", "hat", 9, "view", None)])).listed() == [
        *given_,
        Touch("cy", "hat", 9, "view", None),
    ]
    assert touches.without_users({"anne"}).users.values == ["ben"]


def test_a_streamed_event_tells_its_circumstances_in_its_properties() -> None:
    sent = [
        Touch("anne", "hat", 1, "view", None, {"deviceType": "phone"}),
        Touch("anne", "hat", 2, "view", None, {"deviceType": 7}),
        Touch("anne", "hat", 3, "view", None),
    ]
    imported = Touches.of([sent[2]], ["DEVICE_TYPE"])
    told = imported.with_those(Touches.of(sent, ["DEVICE_TYPE"])).contexts["DEVICE_TYPE"]
    assert told.listed() == [None, "phone", None]
    assert Touches.of(sent, ["DEVICE_TYPE", "WEATHER"]).with_contexts(["WEATHER"]).contexts.keys() == {
        "WEATHER"
    }
