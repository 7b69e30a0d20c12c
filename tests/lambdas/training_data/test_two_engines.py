"""Spark and DuckDB make the same training data of the same lake, row for row and rule for rule."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.lambdas.training_data.java import home_of_java
from training_data.window import DAY_MS
from vocabulary.schemas import ExtraColumns
from vocabulary.training_rules import TrainingRules

pyspark = pytest.importorskip("pyspark", reason="NOT RUN: `make spark` installs Spark, which this needs")

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


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    from training_data_job.spark_engine import SETTINGS, Spark

    java = home_of_java()
    if java is None:
        pytest.skip("NOT RUN: no Java 17; `make spark` installs one")
    local = {
        "spark.master": "local[1]",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.showConsoleProgress": "false",
        # Of so few rows, to compile each query takes longer than to run it
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.adaptive.enabled": "false",
        "spark.log.level": "ERROR",
    }
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("JAVA_HOME", java)
        session = SparkSession.builder.config(map={**SETTINGS, **local}).getOrCreate()
        yield Spark(session)
        session.stop()


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


def rows_of(texts: list[str]) -> Counter[tuple[str | float | None, ...]]:
    rows: Counter[tuple[str | float | None, ...]] = Counter()
    for text in texts:
        header, *lines = csv.reader(
            io.StringIO(text, newline=""), escapechar="\\", doublequote=False, strict=True
        )
        # 1e-09 and 1.0E-9 are one number
        numbers = {header.index(name) for name in ("EVENT_VALUE", "STARS", "PRICE") if name in header}
        rows.update(
            tuple((float(cell) if cell else None) if at in numbers else cell for at, cell in enumerate(line))
            for line in lines
        )
    return rows


def without_examples(report: dict[str, Any]) -> dict[str, Any]:
    told = report["interactions"]
    return {**told, "dropped": {name: rule["rows"] for name, rule in told["dropped"].items()}}


def same_of_both(lake: Any, spark: Any, tmp_path: Path, **changed: Any) -> Any:
    """Export by both engines; answer what DuckDB made of it."""
    from dataclasses import replace

    from training_data_job.export import SparkExport

    exported = lake.export(**changed)
    for (bucket, key), (body, _) in lake.s3.objects.items():
        if bucket == "lake":
            path = tmp_path / "lake" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
    at = {"lake_at": (tmp_path / "lake").as_uri(), "training_at": (tmp_path / "training").as_uri()}
    settings = replace(lake.settings, **changed)
    cutoff = exported.report["cutoff"]
    answer = SparkExport(settings, lake.lake, lake.s3, spark, **at).run("run", cutoff)
    by_spark = {key: body for (bucket, key), (body, _) in lake.s3.objects.items() if bucket == "training"}

    assert answer == exported.answer
    for kind in answer["datasets"]:
        files = sorted((tmp_path / "training" / "runs" / "run" / kind).iterdir())
        shown = [file for file in files if not file.name.startswith(".")]
        assert {file.suffix for file in shown} == {".csv"}
        texts = [file.read_bytes().decode() for file in shown]
        assert {text.partition("\n")[0] for text in texts} == {exported.text(kind).partition("\n")[0]}
        assert rows_of(texts) == rows_of([exported.text(kind)])
    spark_report = type(exported)(answer, by_spark).report
    assert without_examples(spark_report) == without_examples(exported.report)
    assert spark_report["items"] == exported.report["items"]
    assert spark_report["source"]["late"] == exported.report["source"]["late"]
    assert spark_report["source"]["unreadable"] == exported.report["source"]["unreadable"]
    popular = "runs/run/popular/similar-items.json"
    assert by_spark[popular] == exported.objects[popular]
    return exported


def test_the_engines_agree_on_everything_that_real_data_hold(
    lake: Any, cutoff: int, spark: Any, tmp_path: Path
) -> None:
    agree_on(lake, cutoff, spark, tmp_path, seed=1, count=3000)


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(2, 5))
def test_the_engines_agree_on_more_of_it(
    lake: Any, cutoff: int, spark: Any, tmp_path: Path, seed: int
) -> None:
    agree_on(lake, cutoff, spark, tmp_path, seed=seed, count=15_000)


def agree_on(lake: Any, cutoff: int, spark: Any, tmp_path: Path, *, seed: int, count: int) -> None:
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
        tmp_path,
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
    exported = same_of_both(lake, spark, tmp_path)
    assert exported.report["items"]["snapshot"] == "2026-11-22"
    assert exported.report["items"]["unreadable"] == [cut_off]
    assert {row["CATEGORY"] for row in exported.rows("items")} == {""}
    assert exported.answer["datasets"] == ["interactions", "items", "users"]
    assert exported.report["source"]["late"]["events"] == 1
    assert exported.answer["interactions"] == 1 + 1 + 1 + 10
    assert exported.report["source"]["unreadable"] == []


def test_the_engines_agree_on_files_whose_footers_are_whole_and_the_rest_is_not(
    lake: Any, event: Any, cutoff: int, spark: Any, tmp_path: Path
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
    exported = same_of_both(lake, spark, tmp_path, rules=TrainingRules(most_unreadable=0.9))
    assert exported.report["source"]["unreadable"] == [footless, halves, nowhere]
    assert exported.report["items"]["unreadable"] == [broken]
    assert exported.report["items"]["snapshot"] == "2026-11-22"
    assert exported.answer["interactions"] == 3


def scratch(lake: Any, key: str, *, at: int) -> None:
    body = lake.s3.objects["lake", key][0]
    lake.s3.put_object(Bucket="lake", Key=key, Body=body[:at] + b"\xff" * 2000 + body[at + 2000 :])
