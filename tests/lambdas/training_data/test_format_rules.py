"""What Amazon Personalize asks of the files it imports, rule by rule, of the files of either engine.

The rules are the developer guide's: "Preparing training data", "Creating schema JSON files" and "Amazon
Personalize endpoints and quotas".
"""

from __future__ import annotations

import io
import json
import math
import re
from itertools import chain
from typing import Any

import pytest

from local_cloud.personalize.csv_import import read_table
from local_cloud.personalize.schemas import parse_schema
from training_data.window import DAY_MS
from vocabulary.schemas import DatasetKind, ExtraColumns, schemas

# py4j leaves sockets to the garbage collector
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

KINDS: tuple[DatasetKind, ...] = ("interactions", "items", "users")
EXTRA = ExtraColumns(impressions=True, properties={"pageType": "string", "stars": "float", "count": "long"})
SCHEMAS = schemas(EXTRA)
FIELDS = {kind: json.loads(SCHEMAS[kind])["fields"] for kind in KINDS}

NAMES = [
    "a,b", 'say "hi"', '"', "back\\slash", "ends\\", '\\"', "\\n", "ünïcødé 日本 👟", " padded ", "\u00a0",
    "#1", "'", "a|b", "null", "NaN", "0012", "1e5", "-", "=1+1", "e\u0301", "x" * 256, "👟" * 256,
]  # fmt: skip
UNWRITABLE = [
    "two\nlines", "carriage\r", "tab\t", "nul\x00", "escape\x1b", "delete\x7f", "next line\x85",
    "line separator\u2028", "paragraph separator\u2029", "x" * 257, "👟" * 257,
]  # fmt: skip
TEXTS = {
    "red": "red",
    "a,b": "a,b",
    'say "hi" \\ ': 'say "hi" \\',
    "two\r\nlines\u2028more\x85": "two  lines more",
    "": "",
    " \t": "",
    "true": "true",
    "red|blue": "red|blue",
    "| red || blue|": "red|blue",
    "|": "",
    "é" * 1001: "é" * 1000,
    "|".join(["v" * 300] * 4): "|".join(["v" * 300] * 3),
}
"""What a catalogue or a property says to the categorical value it becomes."""
NUMBERS = {
    None: None, 0.0: 0.0, -1.5: -1.5, 120.5: 120.5, 1e-9: 1e-9, 12345678.9: 12345678.9, 3.3e38: 3.3e38,
    3.5e38: None, -1e300: None, math.inf: None, math.nan: None,
}  # fmt: skip
TIMES = {None: "", 0: "0", 999: "0", 1_700_000_000_999: "1700000000", -1: "", 1_700_000_000_000_000: ""}
"""Of items, in milliseconds; the last is in microseconds."""
IMPRESSIONS = {
    ("i1", "i2"): "i1|i2",
    ("i1", "a|b", "", None, "i2"): "i1|i2",
    tuple(f"i{n}" for n in range(30)): "|".join(f"i{n}" for n in range(25)),
    (): "shown-3",
    ("a|b",): "shown-4",
    ("two\nlines",): "shown-5",
    ("x" * 600, "y" * 600): "shown-6",
}
"""What was shown to IMPRESSION: where it cannot be told, the item touched, for that was shown."""
PROPERTIES = {
    '{"pageType": true, "stars": true, "count": true}': ("true", None, ""),
    '{"pageType": ["a", "b"], "stars": [1], "count": {"n": 1}}': ("", None, ""),
    '{"pageType": {"a": 1}, "stars": "1e-3", "count": "12"}': ("", 0.001, "12"),
    '{"pageType": 7, "stars": 1e60, "count": 99999999999999999999}': ("7", None, ""),
    '{"pageType": null, "stars": "NaN", "count": 1.5}': ("", None, ""),
    "no json": ("", None, ""),
}
"""To PAGE_TYPE, STARS and COUNT."""


@pytest.fixture(scope="module", params=["duckdb", "spark"])
def exported(request: pytest.FixtureRequest, lake_of_module: Any, cutoff: int) -> Any:
    """Made of every value above, and of enough plain ones."""
    lake = lake_of_module
    if not lake.s3.objects:
        fill(lake, cutoff)
    # One file in a folder must not say what the others hold: Spark writes several
    if request.param == "duckdb":
        return lake.export(cutoff=cutoff, extra=EXTRA)
    return lake.export_with_spark(request.getfixturevalue("spark"), cutoff=cutoff, extra=EXTRA)


def fill(lake: Any, cutoff: int) -> None:
    moment = {"received_at": cutoff - DAY_MS, "sent_at": cutoff - DAY_MS - 1}
    # Apart in time, since what is the same within a second is one
    plain = [
        {"user_id": f"user-{n % 50}", "item_id": f"i{n % 100}", "sent_at": cutoff - DAY_MS - n * 60_000}
        for n in range(1000)
    ]
    said: list[dict[str, Any]] = [
        *plain,
        *({"user_id": name, "item_id": name} for name in (*NAMES, *UNWRITABLE)),
        *({"item_id": f"value-{n}", "value": number} for n, number in enumerate(NUMBERS)),
        *({"item_id": f"shown-{n}", "impression": list(shown)} for n, shown in enumerate(IMPRESSIONS)),
        *(
            {"item_id": f"text-{n}", "properties": json.dumps({"pageType": text})}
            for n, text in enumerate(TEXTS)
        ),
        *({"item_id": f"properties-{n}", "properties": text} for n, text in enumerate(PROPERTIES)),
        *({"item_id": "twice", "sent_at": cutoff - DAY_MS - n} for n in (1, 2)),
        *({"item_id": None, "user_id": user} for user in ("", None)),
        {"item_id": "of no time", "sent_at": None},
        {"item_id": "ahead", "sent_at": cutoff * 1000},
    ]
    lake.put(
        "events",
        [
            {"event_id": f"e{n}", "user_id": "ada", "event_type": "view", **moment, **each}
            for n, each in enumerate(said)
        ],
        day="2026-11-23",
    )
    items: dict[str, dict[str, Any]] = {str(each["item_id"]): {} for each in said if each["item_id"]}
    for n, (text, (made, _)) in enumerate(zip(TEXTS, [*TIMES.items()] * 2, strict=False)):
        items[f"text-{n}"] = {"brand": text, "category": text, "created_at": made}
    for n, number in enumerate(NUMBERS):
        items[f"value-{n}"] = {"price": number}
    lake.put("items", [{"item_id": item, **more} for item, more in items.items()], day="2026-11-23")
    lake.put("items", [{"item_id": "twice"}, {"item_id": ""}, {"item_id": None}], day="2026-11-23")
    users = [{"user_id": f"text-{n}", "segment": text} for n, text in enumerate(TEXTS)]
    users += [{"user_id": name} for name in (*NAMES, *UNWRITABLE)]
    lake.put("users", users, day="2026-11-23")


def found(exported: Any, kind: str, name: str) -> dict[str, str]:
    """The row of an item or user; there is one."""
    id_ = "USER_ID" if kind == "users" else "ITEM_ID"
    [row] = [row for row in exported.rows(kind) if row[id_] == name]
    return dict(row)


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_holds_files_whose_names_end_in_csv_and_no_other(exported: Any, kind: DatasetKind) -> None:
    assert exported.files(kind)
    assert all(re.fullmatch(rf"runs/run/{kind}/[^/]+\.csv", key) for key in exported.files(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_utf_8_without_a_mark(exported: Any, kind: DatasetKind) -> None:
    for body in exported.files(kind).values():
        assert body.decode("utf-8").encode("utf-8") == body
        assert not body.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("kind", KINDS)
def test_every_files_first_line_is_the_schemas_fields_in_their_order_unquoted(
    exported: Any, kind: DatasetKind
) -> None:
    header = ",".join(field["name"] for field in FIELDS[kind])
    assert {body.decode().split("\n")[0] for body in exported.files(kind).values()} == {header}


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_one_line_for_whatever_reader(exported: Any, kind: DatasetKind) -> None:
    texts = [body.decode() for body in exported.files(kind).values()]
    lines = sum(len(text.splitlines()) - 1 for text in texts)  # which ends lines at U+2028 and the like too
    assert lines == sum(text.count("\n") - 1 for text in texts) == len(exported.rows(kind))


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("a,b", r'"a,b"'),
        ('say "hi"', r'"say \"hi\""'),
        ('"', r'"\""'),
        ("back\\slash", r'"back\\slash"'),
        ('\\"', r'"\\\""'),
    ],
)
def test_a_field_is_quoted_where_it_has_to_be_and_escaped_by_a_backslash(
    exported: Any, name: str, field: str
) -> None:
    for kind, beginning in (
        ("items", f"{field},"),
        ("users", f"{field},"),
        ("interactions", f"{field},{field},"),
    ):
        lines = chain.from_iterable(body.decode().split("\n") for body in exported.files(kind).values())
        assert sum(line.startswith(beginning) for line in lines) == 1


@pytest.mark.parametrize("name", NAMES)
def test_an_id_of_up_to_256_characters_is_there_as_it_was(exported: Any, name: str) -> None:
    assert found(exported, "interactions", name)["USER_ID"] == name
    found(exported, "items", name)
    found(exported, "users", name)


@pytest.mark.parametrize("name", UNWRITABLE)
def test_an_id_that_is_longer_or_no_single_line_is_left_out(exported: Any, name: str) -> None:
    for kind in KINDS:
        assert not [row for row in exported.rows(kind) if name in row.values()]
    assert exported.report["interactions"]["dropped"]["unwritable"]["rows"] == len(UNWRITABLE)
    assert exported.report["items"]["dropped"]["unwritable"] == len(UNWRITABLE)


@pytest.mark.parametrize("kind", KINDS)
def test_null_is_an_empty_field_and_only_where_the_schema_says_null(exported: Any, kind: DatasetKind) -> None:
    demanded = {field["name"] for field in FIELDS[kind] if "null" not in field["type"]}
    assert not [row for row in exported.rows(kind) if any(row[name] == "" for name in demanded)]
    for body in exported.files(kind).values():
        assert not re.search(r'(?m)(^|,)""(,|$)', body.decode())


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_holds_what_its_type_says(exported: Any, kind: DatasetKind) -> None:
    for field in FIELDS[kind]:
        types = {field["type"]} if isinstance(field["type"], str) else set(field["type"])
        assert types <= {"string", "float", "long", "null"}, "booleans train nothing"
        values = {row[field["name"]] for row in exported.rows(kind)} - {""}
        if "long" in types:
            assert all(re.fullmatch(r"-?\d{1,18}", value) for value in values)
        if "float" in types:
            assert all(abs(float(value)) <= 3.4028234e38 for value in values)
            assert values


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_that_a_32_bit_float_holds_is_written_and_no_other(exported: Any, number: float) -> None:
    place, expected = list(NUMBERS).index(number), NUMBERS[number]
    for kind, column in (("interactions", "EVENT_VALUE"), ("items", "PRICE")):
        cell = found(exported, kind, f"value-{place}")[column]
        assert (float(cell) if cell else None) == expected


def test_timestamps_are_whole_seconds_since_1970(exported: Any, cutoff: int) -> None:
    second = (cutoff - DAY_MS) // 1000
    assert found(exported, "interactions", "twice")["TIMESTAMP"] == str(second - 1)
    # Without a time of its own, or with one to come, an event happened when it was received
    for item in ("of no time", "ahead"):
        assert found(exported, "interactions", item)["TIMESTAMP"] == str(second)
    assert all(946_684_800 <= int(row["TIMESTAMP"]) < cutoff // 1000 for row in exported.rows())


@pytest.mark.parametrize("made", TIMES)
def test_creation_timestamps_are_whole_seconds_or_null(exported: Any, made: int | None) -> None:
    place = list(TIMES).index(made)
    assert found(exported, "items", f"text-{place}")["CREATION_TIMESTAMP"] == TIMES[made]


@pytest.mark.parametrize("text", TEXTS)
def test_a_categorical_value_is_one_line_of_up_to_1000_characters_none_of_its_parts_empty_or_cut(
    exported: Any, text: str
) -> None:
    name = f"text-{list(TEXTS).index(text)}"
    item = found(exported, "items", name)
    assert (item["BRAND"], item["CATEGORY"]) == (TEXTS[text], TEXTS[text])
    assert found(exported, "users", name)["SEGMENT"] == TEXTS[text]
    assert found(exported, "interactions", name)["PAGE_TYPE"] == TEXTS[text]


@pytest.mark.parametrize("properties", PROPERTIES)
def test_a_property_is_a_single_value_of_its_type_or_null(exported: Any, properties: str) -> None:
    row = found(exported, "interactions", f"properties-{list(PROPERTIES).index(properties)}")
    stars = float(row["STARS"]) if row["STARS"] else None
    assert (row["PAGE_TYPE"], stars, row["COUNT"]) == PROPERTIES[properties]


@pytest.mark.parametrize("shown", IMPRESSIONS)
def test_an_impression_is_up_to_25_items_and_1000_characters_and_never_empty(
    exported: Any, shown: Any
) -> None:
    item = f"shown-{list(IMPRESSIONS).index(shown)}"
    assert found(exported, "interactions", item)["IMPRESSION"] == IMPRESSIONS[shown]


def test_the_item_touched_is_the_impression_where_none_is_told(exported: Any) -> None:
    assert found(exported, "interactions", "twice")["IMPRESSION"] == "twice"


@pytest.mark.parametrize("kind", KINDS)
def test_no_record_is_there_twice_and_no_item_or_user_either(exported: Any, kind: DatasetKind) -> None:
    key = {"interactions": tuple(exported.rows(kind)[0]), "items": ("ITEM_ID",), "users": ("USER_ID",)}[kind]
    rows = [tuple(row[name] for name in key) for row in exported.rows(kind)]
    assert len(set(rows)) == len(rows) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_import_takes_the_files_whole(exported: Any, kind: DatasetKind) -> None:
    files = [(key, io.BytesIO(body)) for key, body in exported.files(kind).items()]
    table = read_table(files, parse_schema(SCHEMAS[kind]))
    assert len(table) == exported.report[kind]["rows_out"] == len(exported.rows(kind))
    types = [str(field["type"]) for field in FIELDS[kind]]
    read = [tuple(map(as_read, types, row.values())) for row in exported.rows(kind)]
    assert sorted(read, key=repr) == sorted(map(tuple, table.rows()), key=repr)


def as_read(type_: str, cell: str) -> str | float | None:
    if cell == "":
        return None
    return float(cell) if "float" in type_ else int(cell) if "long" in type_ else cell
