"""Spark and DuckDB make the same training data of the same lake, row for row and rule for rule."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from training_data.window import DAY_MS
from vocabulary.schemas import ExtraColumns
from vocabulary.training_rules import TrainingRules

# py4j leaves sockets to the garbage collector
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

IDS = [
    "a",
    "b",
    "",
    None,
    'say "hi"',
    "back\\slash",
    "a,b",
    "ünïcødé 日本 👟",
    " padded ",
    "#1",
    "two\nlines",
    "x" * 257,
]
JSON = [
    None, "", "not json", "[]", "{}", '{"pageType": "home", "stars": 4.5, "count": 3}', '{"pageType": null}',
    '{"pageType": "two\\nlines", "stars": "1e-3", "count": "12"}', '{"stars": "NaN", "count": 1.5}',
    '{"pageType": "say \\"hi\\" \\\\", "stars": "1d", "count": "99999999999999999999"}',
]  # fmt: skip


def dirty_events(seed: int, count: int, cutoff: int) -> list[dict[str, Any]]:
    """Everything that real clickstreams hold, and more of it."""
    roll = random.Random(seed)
    plain = {"received_at": cutoff - DAY_MS, "event_type": "view", "value": None, "properties": None}
    robots = [
        {**plain, "event_id": f"{who}{n}", "user_id": who, "session_id": session, "item_id": f"i{n % 5}"}
        | {"sent_at": cutoff - DAY_MS - n * 1000}
        for who, session, visits in (("robot", None, 260), ("crawler", "night", 60))
        for n in range(visits)
    ]
    moments = [cutoff, cutoff - 30 * DAY_MS, cutoff - DAY_MS]
    people = [
        {
            "event_id": roll.choice([None, "", *(f"e{n}" for n in range(count))]),
            "received_at": roll.choice([None, *([roll.choice(moments) + roll.randint(-5000, 5000)] * 30)]),
            "sent_at": roll.choice([None, 0, cutoff + DAY_MS, cutoff - roll.randint(0, 3000)]),
            "session_id": roll.choice([None, "", *(f"s{n}" for n in range(40))]),
            "user_id": roll.choice([*IDS, *(f"u{n}" for n in range(20))]),
            "event_type": roll.choice([None, "view", "view", "it's \\", "search", "colorway:marker"]),
            "item_id": roll.choice([*IDS, *(f"i{n}" for n in range(10))]),
            "value": roll.choice([None, 0.0, -0.0, 1.5, 1e-9, 3.4e37, float("nan"), float("inf")]),
            "properties": roll.choice(JSON),
            "impression": roll.choice([None, [], ["i1", None, "i2"], ["two\nlines"], ["x" * 300] * 4]),
        }
        for _ in range(count)
    ]
    again = [{**event, "event_id": f"copy{n}"} for n, event in enumerate(roll.sample(people, count // 10))]
    return [*people, *again, *robots]


def rows_of(exported: Any, kind: str) -> Counter[tuple[str | float | None, ...]]:
    numbers = {"EVENT_VALUE", "STARS", "PRICE"}  # 1e-09 and 1.0E-9 are one number
    return Counter(
        tuple((float(cell) if cell else None) if name in numbers else cell for name, cell in row.items())
        for row in exported.rows(kind)
    )


def without_examples(report: dict[str, Any]) -> dict[str, Any]:
    told = report["interactions"]
    return {**told, "dropped": {name: rule["rows"] for name, rule in told["dropped"].items()}}


def same_of_both(lake: Any, spark: Any, **changed: Any) -> Any:
    """Export by both engines; answer what DuckDB made of it."""
    exported = lake.export(**changed)
    by_spark = lake.export_with_spark(spark, **changed)
    assert by_spark.answer == exported.answer
    for kind in exported.answer["datasets"]:
        headers = {body.decode().partition("\n")[0] for body in by_spark.files(kind).values()}
        assert headers == {exported.text(kind).partition("\n")[0]}
        assert rows_of(by_spark, kind) == rows_of(exported, kind)
    assert without_examples(by_spark.report) == without_examples(exported.report)
    for part in ("late", "unreadable"):
        assert by_spark.report["source"][part] == exported.report["source"][part]
    assert by_spark.report["items"] == exported.report["items"]
    popular = "runs/run/popular/similar-items.json"
    assert by_spark.objects[popular] == exported.objects[popular]
    return exported


def test_the_engines_agree_on_everything_that_real_data_hold(lake: Any, cutoff: int, spark: Any) -> None:
    agree_on(lake, cutoff, spark, seed=1, count=3000)


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(2, 5))
def test_the_engines_agree_on_more_of_it(lake: Any, cutoff: int, spark: Any, seed: int) -> None:
    agree_on(lake, cutoff, spark, seed=seed, count=15_000)


def agree_on(lake: Any, cutoff: int, spark: Any, *, seed: int, count: int) -> None:
    events = dirty_events(seed, count, cutoff)
    for day, part in (
        ("2026-10-24", events[::3]),
        ("2026-11-23", events[1::3]),
        ("2026-11-24", events[2::3]),
    ):
        lake.put("events", part, day=day, without=["properties"] if day == "2026-10-24" else [])
    catalogue = [
        {"item_id": item, "brand": 'b\\"\nx', "category": " ", "price": 1e-9, "created_at": -5}
        for item in (*IDS[2:9], "a", "a", *(f"i{n}" for n in range(5)))
    ]
    lake.put("items", catalogue, day="2026-11-23")
    exported = same_of_both(
        lake,
        spark,
        event_types=("view", "it's \\"),
        rules=TrainingRules(
            most_events_per_day=250,
            most_events_per_session=20,
            newest_per_user=10,
            event_values={"it's \\": 2.5},
        ),
        extra=ExtraColumns(
            impressions=True, properties={"pageType": "string", "stars": "float", "count": "long"}
        ),
    )
    # A comparison of nothing would prove nothing: every rule has had something to drop
    assert exported.answer["interactions"] > 50
    assert set(exported.report["interactions"]["dropped"]) == set(exported.dropped())


def test_the_engines_agree_on_a_day_of_other_types_and_on_what_came_late(
    lake: Any, event: Any, cutoff: int, spark: Any, tmp_path: Path
) -> None:
    yesterday = cutoff - DAY_MS
    lake.s3.now = yesterday
    in_time = event(event_id="7", received_at=yesterday - 2000)
    lake.put("events", [in_time], day="2026-11-22")
    before = lake.export(cutoff=yesterday).report
    last_good = json.dumps({**before, "run_id": "yesterday"}).encode()
    lake.s3.put_object(Bucket="training", Key="last-good/report.json", Body=last_good)
    lake.s3.now = cutoff
    late = event(event_id="late", received_at=yesterday - 1, user_id="5")
    lake.put("events", [late, late, in_time, event(item_id="12")], day="2026-11-23")
    numbers = tmp_path / "numbers.parquet"  # of somebody whose ids and values are whole numbers
    duckdb.execute(
        f"COPY (SELECT 1000 + n AS event_id, {cutoff - 5000} AS received_at, 5 AS user_id, n % 3 AS item_id,"
        f" 'view' AS event_type, CAST(n AS INTEGER) AS value FROM range(10) t(n)) TO '{numbers}'"
    )
    lake.s3.put_object(Bucket="lake", Key="events/day=2026-11-24/numbers.parquet", Body=numbers.read_bytes())
    # A catalogue of before it had categories, with a column nobody asks for; the newer one was cut off
    catalogue = tmp_path / "catalogue.parquet"
    duckdb.execute(
        "COPY (SELECT unnest(['12', '0', '1', '2', ?, ?]) AS item_id, 5 AS price, 'red' AS colour_of_box)"
        f" TO '{catalogue}'",
        [in_time["item_id"], late["item_id"]],
    )
    lake.s3.put_object(
        Bucket="lake", Key="catalogue/items/day=2026-11-22/a.parquet", Body=catalogue.read_bytes()
    )
    cut_off = "catalogue/items/day=2026-11-23/a.parquet"
    lake.s3.put_object(Bucket="lake", Key=cut_off, Body=catalogue.read_bytes()[:-20])
    lake.put("users", [], day="2026-11-23")
    exported = same_of_both(lake, spark)
    assert exported.report["items"]["snapshot"] == "2026-11-22"
    assert exported.report["items"]["unreadable"] == [cut_off]
    assert {row["CATEGORY"] for row in exported.rows("items")} == {""}
    assert exported.answer["datasets"] == ["interactions", "items", "users"]
    assert exported.report["source"]["late"]["events"] == 1
    assert exported.answer["interactions"] == 1 + 1 + 1 + 10
    assert exported.report["source"]["unreadable"] == []


def test_the_engines_agree_on_files_whose_footers_are_whole_and_the_rest_is_not(
    lake: Any, event: Any, cutoff: int, spark: Any
) -> None:
    lake.put("items", [{"item_id": f"i{n}"} for n in range(3)], day="2026-11-22")
    broken = lake.put(
        "items", [{"item_id": f"i{n}", "name": f"{n:x} " * 9} for n in range(3000)], day="2026-11-23"
    )
    scratch(lake, broken, at=4000)
    lake.put_events(*(event(item_id=f"i{n}", received_at=cutoff - DAY_MS) for n in range(3)))
    # One that reads to its middle, one that reads nowhere, one without a row, one without a footer
    halves, nowhere = (
        lake.put("events", [event(item_id=f"i{n % 3}", user_id=f"u{n}") for n in range(10_000)], day=day)
        for day in ("2026-11-22", "2026-11-23")
    )
    scratch(lake, halves, at=len(lake.s3.objects["lake", halves][0]) * 9 // 10)
    scratch(lake, nowhere, at=4)
    lake.put("events", [], day="2026-11-23")
    footless = "events/day=2026-11-24/footless.parquet"
    lake.s3.put_object(Bucket="lake", Key=footless, Body=b"PAR1" + b"\x00" * 64 + b"PAR1")
    exported = same_of_both(lake, spark, rules=TrainingRules(most_unreadable=0.9))
    assert exported.report["source"]["unreadable"] == sorted([footless, halves, nowhere])
    assert exported.report["items"]["unreadable"] == [broken]
    assert exported.report["items"]["snapshot"] == "2026-11-22"
    assert exported.answer["interactions"] == 3


FITS = {
    "value": ["CAST(3 AS UBIGINT)", "3.25", "10.0625"],
    "sent_at": ["CAST(1000000000 AS INTEGER)"],
    "user_id": ["CAST(5 AS BIGINT)"],
    "impression": ["[1, 2]"],
    "properties": ["CAST('{{}}' AS JSON)"],
}
MISFITS = {
    "value": ["'3.5'"],
    "sent_at": ["'{now}'", "TIMESTAMP '2026-11-20'", "{now}.0e0"],
    "user_id": ["5e0", "5.5", "{{'a': 'b'}}"],
    "impression": ["'a|b'"],
}
"""Column to expressions whose types do or do not become the lake's."""


def test_the_engines_agree_on_files_of_one_day_that_differ_in_a_columns_type(
    lake: Any, event: Any, cutoff: int, spark: Any, tmp_path: Path
) -> None:
    lake.put("events", [event(item_id="plain")], day="2026-11-23")

    def put(name: str, column: str, value: str, day: str = "2026-11-23") -> str:
        columns = {
            "event_id": f"'{name}'",
            "received_at": "CAST({now} AS BIGINT)",
            "user_id": "'ada'",
            "event_type": "'view'",
            "item_id": f"'{name}'",
            column: value,
        }
        selected = ", ".join(f"{each} AS {as_}" for as_, each in columns.items())
        file = tmp_path / "typed.parquet"
        duckdb.execute(f"COPY (SELECT {selected.format(now=cutoff - 5000)}) TO '{file}'")
        key = f"events/day={day}/{name}.parquet"
        lake.s3.put_object(Bucket="lake", Key=key, Body=file.read_bytes())
        return key

    fit, misfit = (
        [
            put(f"{which}-{column}-{n}", column, value)
            for column, values in table.items()
            for n, value in enumerate(values)
        ]
        for which, table in (("fit", FITS), ("misfit", MISFITS))
    )
    for value in ("2.5", "1.125"):  # of which each alone agrees with all other files of its day
        put(f"decimal-{value}", "value", value, day="2026-11-22")
    # A file that lacks the column of which the other makes something else
    fit.append(put("fit-beside", "value", "1.5e0", day="2026-11-21"))
    misfit.append(put("misfit-beside", "impression", "'a|b'", day="2026-11-21"))
    exported = same_of_both(
        lake,
        spark,
        rules=TrainingRules(most_unreadable=0.9),
        extra=ExtraColumns(impressions=True, properties={"pageType": "string"}),
    )
    assert exported.report["source"]["unreadable"] == sorted(misfit)
    items = {row["ITEM_ID"] for row in exported.rows() if row["ITEM_ID"].startswith("fit-")}
    # Of a time in seconds nothing is made, whatever its type
    assert len(items) == len(fit) - 1
    assert exported.dropped() == {"implausible-time": 1}
    values = {row["ITEM_ID"]: row["EVENT_VALUE"] for row in exported.rows()}
    assert (values["decimal-2.5"], values["decimal-1.125"]) == ("2.5", "1.125")


def test_a_snapshot_with_a_column_of_another_type_does_not_count_with_either_engine(
    lake: Any, event: Any, spark: Any, tmp_path: Path
) -> None:
    lake.put_events(event(item_id="a"))
    lake.put("items", [{"item_id": "a"}], day="2026-11-22")
    file = tmp_path / "typed.parquet"
    duckdb.execute(f"COPY (SELECT 'a' AS item_id, TIMESTAMP '2026-11-20' AS created_at) TO '{file}'")
    odd = "catalogue/items/day=2026-11-23/odd.parquet"
    lake.s3.put_object(Bucket="lake", Key=odd, Body=file.read_bytes())
    exported = same_of_both(lake, spark)
    assert exported.report["items"]["snapshot"] == "2026-11-22"
    assert exported.report["items"]["unreadable"] == [odd]


def scratch(lake: Any, key: str, *, at: int) -> None:
    body = lake.s3.objects["lake", key][0]
    lake.s3.put_object(Bucket="lake", Key=key, Body=body[:at] + b"\xff" * 2000 + body[at + 2000 :])
