from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local_cloud.connection import LocalCloudError
from local_cloud.lake_loading import History, connect
from local_cloud.own_data import OwnData, OwnDataError, read
from vocabulary import lake

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

SHOP = """\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1001,00017,LANTERN,6,2026-11-20 08:26:00,2.50,17850.0,France
1001,84029E,"HOT, WATER BOTTLE",2,2026-11-20 08:26:00,3.00,17850.0,France
1002,00017,LANTERN OLD,1,2026-11-21 09:00:00,3.50,,Spain
C1003,00017,LANTERN,-1,2026-11-22 09:00:00,2.50,17850.0,France
"""
SHOP_COLUMNS = (
    "user_id=CAST(CustomerID AS INT), session_id=InvoiceNo, item_id=StockCode, sent_at=InvoiceDate, "
    "event_type='purchase', value=round(UnitPrice*Quantity, 2), segment=Country"
)
PLAIN = """\
user_id,item_id,event_type,timestamp
u1,a,view,2026-11-24T10:00:00Z
"""


class Reading:
    """What came of reading: the history and what was said."""

    def __init__(self, **settings: str) -> None:
        self.said: list[str] = []
        self.connection = connect()
        own = OwnData.from_environ({name.upper(): value for name, value in settings.items()})
        assert own is not None
        self.history: History = read(
            self.connection,
            own,
            now=NOW,
            history_days=90,
            event_types=("view", "click", "purchase"),
            progress=self.said.append,
        )

    def events(self, columns: str) -> list[tuple[Any, ...]]:
        return self.history.events.project(columns).order("ALL").fetchall()


def file(tmp_path: Path, text: str, name: str = "events.csv") -> str:
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return str(path)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_columns_whose_names_match_need_no_mapping(tmp_path: Path) -> None:
    text = "UserID,Session Id,itemId,EVENT_TYPE,Timestamp,Rating\nu1,s1,a,view,2026-11-24T10:00:00Z,4\n"
    reading = Reading(clickstream=file(tmp_path, text))
    assert set(reading.history.events.columns) >= {column.name for column in lake.EVENT_COLUMNS}
    moment = at("2026-11-24T10:00:00")
    assert reading.events("user_id, session_id, item_id, event_type, sent_at, received_at, value") == [
        ("u1", "s1", "a", "view", moment, moment, 4.0)
    ]
    assert reading.history.items.project("item_id, name").fetchall() == [("a", "a")]


def test_a_mapping_names_columns_and_expressions(tmp_path: Path) -> None:
    path = file(tmp_path, SHOP, "shop.csv.gz")
    reading = Reading(
        clickstream=path,
        clickstream_columns=SHOP_COLUMNS,
        clickstream_where="Quantity > 0",
        catalogue=path,
        catalogue_columns="item_id=stockcode,name=Description,price=UnitPrice",
    )
    assert reading.events("user_id, session_id, item_id, event_type, value") == [
        ("17850", "1001", "00017", "purchase", 15.0),
        ("17850", "1001", "84029E", "purchase", 6.0),
        (None, "1002", "00017", "purchase", 3.5),
    ]
    assert reading.history.users.fetchall() == [("17850", "France")]
    items = reading.history.items.project("item_id, name, price").order("item_id").fetchall()
    assert items == [("00017", "LANTERN", 2.5), ("84029E", "HOT, WATER BOTTLE", 3.0)]


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-24 10:00:00",
        "2026-11-24T10:00:00Z",
        "2026-11-24T12:00:00+02:00",
        "1795514400",
        "1795514400000",
        "1795514400.0",
    ],
)
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_times_may_be_iso_or_unix_seconds_or_milliseconds(tmp_path: Path, written: str, kind: str) -> None:
    path = tmp_path / f"events.{kind}"
    row = f"SELECT 'u1' AS user_id, 'a' AS item_id, 'view' AS event_type, '{written}' AS time"
    if kind == "parquet" and written.isdigit():
        row = row.replace(f"'{written}'", written)
    connect().execute(f"COPY ({row}) TO '{path}' (FORMAT {kind.replace('jsonl', 'json')})")
    reading = Reading(clickstream=str(path))
    assert reading.events("sent_at") == [(at("2026-11-24T10:00:00"),)]


def test_identical_lines_are_one_event_and_loading_again_gives_the_same_ids(tmp_path: Path) -> None:
    line = "u1,a,view,2026-11-24T10:00:00Z\n"
    path = file(tmp_path, PLAIN + line + line.replace(",a,", ",b,"))
    first, again = (Reading(clickstream=path, shift_dates=shift) for shift in ("", "1"))
    ids = dict.fromkeys(event_id for (event_id,) in first.events("event_id"))
    assert len(ids) == 2
    assert first.events("event_id") == again.events("event_id")
    assert any(said.startswith("2 different events (view 3) of 1 users") for said in first.said)


def test_a_pause_of_half_an_hour_starts_a_session_where_none_is_told(tmp_path: Path) -> None:
    times = ("10:00:00", "10:30:00", "11:00:01", "11:20:00")
    text = "user_id,item_id,event_type,timestamp\n" + "".join(
        f"{user},a,view,2026-11-20T{time}Z\n" for user in ("u1", "u2") for time in times
    )
    reading = Reading(clickstream=file(tmp_path, text))
    start, second = at("2026-11-20T10:00:00"), at("2026-11-20T11:00:01")
    sessions = [session for (session,) in reading.events("session_id")]
    assert sessions == [f"{user}:{time}" for user in ("u1", "u2") for time in (start, start, second, second)]


def test_an_id_kept_as_a_float_loses_its_fraction_and_one_like_a_number_keeps_its_zeros(
    tmp_path: Path,
) -> None:
    path = tmp_path / "events.parquet"
    connect().execute(
        f"COPY (SELECT 17850.0::DOUBLE AS user_id, '007' AS item_id, 'view' AS event_type, "
        f"TIMESTAMP '2026-11-20' AS time) TO '{path}'"
    )
    assert Reading(clickstream=str(path)).events("user_id, item_id") == [("17850", "007")]
    csv = file(tmp_path, PLAIN.replace(",a,", ",007,"))
    assert Reading(clickstream=csv).events("item_id") == [("007",)]


def test_impressions_and_properties_are_taken_in_the_forms_they_come_in(tmp_path: Path) -> None:
    text = (
        '{"user_id":"u1","item_id":"a","event_type":"view","ts":1795514400,'
        '"impression":["a","b"],"properties":{"device":"phone"}}\n'
    )
    reading = Reading(clickstream=file(tmp_path, text, "events.jsonl"))
    assert reading.events("impression, properties") == [(["a", "b"], '{"device":"phone"}')]
    csv = PLAIN.replace("timestamp", "timestamp,impression").replace("Z", "Z,a|b")
    assert Reading(clickstream=file(tmp_path, csv)).events("impression") == [(["a", "b"],)]


def test_incomplete_rows_are_dropped_and_counted_by_what_they_lack(tmp_path: Path) -> None:
    text = PLAIN + "u1,,view,2026-11-24T10:00:00Z\nu1,a,view,yesterday\n,a,view,2026-11-24T10:00:00Z\n"
    reading = Reading(clickstream=file(tmp_path, text))
    assert reading.said[0] == (
        "events.csv: 4 rows, 1 of them events "
        "(1 without user_id or session_id, 1 without item_id, 1 without a time that can be read)\n"
        "  sent_at is left empty in 1 rows ('yesterday', say): a date of another form is read by "
        "sent_at=strptime(THEIRS, '%m/%d/%Y %H:%M')"
    )


def test_dates_and_numbers_of_another_form_are_told_with_what_reads_them(tmp_path: Path) -> None:
    text = "user_id;item_id;event_type;date;value\nu1;a;buy;12/31/2010 8:26;1,5\n"
    path = file(tmp_path, text)
    with pytest.raises(OwnDataError, match=r"left empty in 1 rows \('12/31/2010 8:26', say\): .*strptime"):
        Reading(clickstream=path)
    date = "sent_at=strptime(date, '%m/%d/%Y %H:%M')"
    reading = Reading(clickstream=path, clickstream_columns=date)
    assert "value is left empty in 1 rows ('1,5', say)" in reading.said[0]
    reading = Reading(clickstream=path, clickstream_columns=f"{date}, value=replace(value, ',', '.')")
    assert reading.said[0] == "events.csv: 1 rows, 1 of them events"
    assert reading.events("sent_at, value") == [(at("2010-12-31T08:26:00"), 1.5)]


def test_a_csv_that_is_not_utf_8_is_refused_with_what_makes_it_so(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(PLAIN.replace(",a,", ",café,").encode("latin-1"))
    with pytest.raises(OwnDataError, match=r"cannot be read as csv: it is not encoded in UTF-8; iconv"):
        Reading(clickstream=str(path))


def test_old_data_are_told_to_be_shifted_and_then_end_just_before_now(tmp_path: Path) -> None:
    text = PLAIN + "u1,b,view,2011-12-09T12:50:00Z\nu1,b,view,2011-12-01T12:50:00Z\n"
    text = text.replace("2026-11-24T10:00:00Z", "2010-12-01T08:26:00Z")
    path = file(tmp_path, text)
    old = Reading(clickstream=path)
    assert "training reads the last 90 days: 0 of these events" in old.said
    assert "3 events are older; SHIFT_DATES=1 moves the newest to now" in old.said
    assert "too few to train, which takes 1,000" in old.said
    now = int(NOW.timestamp() * 1000)
    shifted = Reading(clickstream=path, shift_dates="1")
    times = [time for (time,) in shifted.events("received_at")]
    assert times[-1] == now - 60_000
    assert times[-1] - times[-2] == 8 * 86_400_000
    assert "times moved by 5,464 days" in shifted.said
    assert "1 events are older; SHIFT_DATES=fit squeezes all into that time" in shifted.said
    fitted = Reading(clickstream=path, shift_dates="fit")
    times = [time for (time,) in fitted.events("received_at")]
    assert (times[0], times[-1]) == (now - 60_000 - 89 * 86_400_000, now - 60_000)
    assert "training reads the last 90 days: 3 of these events" in fitted.said


def test_event_types_that_are_not_trained_on_and_times_to_come_are_pointed_out(tmp_path: Path) -> None:
    text = PLAIN + "u1,a,rated,2026-11-24T10:00:00Z\nu1,a,view,2026-11-24T14:00:00Z\n"
    said = Reading(clickstream=file(tmp_path, text)).said
    assert (
        "training makes no use of rated, only of view, click, purchase; "
        "map one to another by event_type=… in CLICKSTREAM_COLUMNS"
    ) in said
    assert "1 events lie in the future and wait for it; are their times UTC?" in said


def test_a_missing_column_lists_what_is_there_what_is_needed_and_an_example(tmp_path: Path) -> None:
    with pytest.raises(OwnDataError) as caught:
        Reading(clickstream=file(tmp_path, SHOP, "shop.csv"), clickstream_columns="item_id=StockCode")
    assert str(caught.value) == (
        "CLICKSTREAM_COLUMNS: shop.csv has no column that is clearly sent_at or event_type\n"
        "  columns found: InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, "
        "Country\n"
        "  needed: user_id or session_id, item_id, sent_at, event_type\n"
        "  say which is which, for example: CLICKSTREAM_COLUMNS=\"sent_at=InvoiceDate,event_type='purchase'\""
    )
    assert isinstance(caught.value, LocalCloudError)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"clickstream_columns": "customer=user_id"},
            "CLICKSTREAM_COLUMNS: there is no column 'customer' to map; ours are event_id, received_at, "
            "sent_at, session_id, user_id, event_type, item_id, value, properties, impression, "
            "recommendation_id, segment",
        ),
        (
            {"clickstream_columns": "user_id"},
            "CLICKSTREAM_COLUMNS: 'user_id' is not of the form our_column=their_column",
        ),
        ({"clickstream_columns": "user_id=a,user_id=b"}, "CLICKSTREAM_COLUMNS: 'user_id' is mapped twice"),
        ({"shift_dates": "yes"}, "SHIFT_DATES is 'yes', allowed: 1, fit, or nothing"),
        ({"clickstream_where": "user_id = 'nobody'"}, "events.csv: no rows that meet CLICKSTREAM_WHERE="),
        (
            {"clickstream_where": "quantity > 0"},
            "CLICKSTREAM_WHERE: 'quantity > 0' does not work: Binder Error",
        ),
        (
            {"clickstream_columns": "value=price*2"},
            "CLICKSTREAM_COLUMNS: value=price*2 does not work on events.csv: Binder Error",
        ),
        ({"catalogue": "nowhere.csv"}, "CATALOGUE=nowhere.csv: there is no such file"),
        (
            {"clickstream": "nowhere.xlsx"},
            "CLICKSTREAM=nowhere.xlsx: what kind of file is it? Known endings:",
        ),
    ],
)
def test_a_wrong_setting_is_refused_by_name(tmp_path: Path, settings: dict[str, str], says: str) -> None:
    with pytest.raises(OwnDataError) as caught:
        Reading(**{"clickstream": file(tmp_path, PLAIN), **settings})
    assert says in str(caught.value)


def test_a_catalogue_without_ids_and_one_of_other_items_are_refused(tmp_path: Path) -> None:
    events = file(tmp_path, PLAIN)
    with pytest.raises(OwnDataError, match='for example: CATALOGUE_COLUMNS="item_id=StockCode"'):
        Reading(clickstream=events, catalogue=file(tmp_path, "Code,Title\na,A\n", "items.csv"))
    with pytest.raises(OwnDataError, match="The clickstream has 'a', the catalogue 'b'"):
        Reading(clickstream=events, catalogue=file(tmp_path, "sku,title\nb,B\n", "items.csv"))


def test_events_on_items_that_the_catalogue_lacks_are_counted(tmp_path: Path) -> None:
    events = file(tmp_path, PLAIN + "u1,b,view,2026-11-24T10:00:00Z\n")
    reading = Reading(clickstream=events, catalogue=file(tmp_path, "sku,title\na,A\n", "items.csv"))
    assert "1 events touch items that the catalogue lacks; training leaves them out" in reading.said
    assert reading.history.items.project("item_id, name").fetchall() == [("a", "A")]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.csv", "user_id,item_id,event_type,timestamp\n", "empty.csv: no rows"),
        ("broken.parquet", "this is no Parquet", "broken.parquet: cannot be read as parquet"),
        ("useless.csv", PLAIN.replace(",a,", ",,"), "none of 1 rows is a complete event: 1 without item_id"),
    ],
)
def test_files_without_events_are_refused(tmp_path: Path, name: str, content: str, says: str) -> None:
    with pytest.raises(OwnDataError) as caught:
        Reading(clickstream=file(tmp_path, content, name))
    assert says in str(caught.value)


def test_no_clickstream_means_no_data_of_ones_own_but_other_settings_alone_are_a_mistake() -> None:
    assert OwnData.from_environ({"CLICKSTREAM": " ", "COLUMNS": "80"}) is None
    with pytest.raises(OwnDataError, match="CATALOGUE, CLICKSTREAM_COLUMNS given without CLICKSTREAM"):
        OwnData.from_environ({"CATALOGUE": "items.csv", "CLICKSTREAM_COLUMNS": "a=b", "COLUMNS": "80"})
