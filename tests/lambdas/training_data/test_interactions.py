from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training_data.database import DuckDb
from training_data.figures import transform
from training_data.selection import EARLIEST, Selection
from training_data.sql import literal
from training_data.window import Window
from vocabulary.lake import EVENT_COLUMNS, ITEM_COLUMNS
from vocabulary.training_rules import TrainingRules

Row = dict[str, Any]
Table = Callable[[duckdb.DuckDBPyConnection, Sequence[Row], Sequence[Any]], None]

WINDOW = Window(EARLIEST + 10_000, EARLIEST + 20_000)
MOMENTS = st.sampled_from([WINDOW.start, WINDOW.cutoff]).flatmap(
    lambda moment: st.integers(moment - 2500, moment + 2500)
)
NAMES = st.sampled_from([None, "", "a", "b", "ü,\"'\\", "line\nbreak"])
EVENTS = st.fixed_dictionaries(
    {
        "event_id": st.sampled_from([None, "", *(f"e{n}" for n in range(12))]),
        "received_at": st.none() | MOMENTS,
        "sent_at": st.none() | MOMENTS | st.integers(EARLIEST - 2, EARLIEST + 2),
        "session_id": st.sampled_from([None, "", "s", "t"]),
        "user_id": NAMES,
        "event_type": st.sampled_from([None, "view", "purchase", "search", "colorway:marker"]),
        "item_id": NAMES,
        "value": st.sampled_from([None, 0.0, 1.5, math.nan, math.inf]),
    }
)


def first_rule(
    event: Row,
    owners: dict[str, set[str]],
    *,
    repeat: bool,
    items: set[str] | None,
    of_events: bool = False,
) -> str | None:
    """What the design says of one event, in Python."""
    kind, received, sent = event["event_type"], event["received_at"], event["sent_at"]
    owner = owners.get(event["session_id"], set())
    user = event["user_id"] or (next(iter(owner)) if len(owner) == 1 else None)
    if kind and kind.startswith("colorway:"):
        return "marker"
    if not event["event_id"] or received is None or not kind:
        return "incomplete"
    happened = min(received, received if sent is None else sent)
    checks = {
        "repeat": repeat,
        "before-window": received < WINDOW.start,
        "after-cutoff": received >= WINDOW.cutoff,
        "other-event-type": kind not in ("view", "purchase"),
        "no-item": not event["item_id"],
        "anonymous": not user,
        "unknown-item": items is not None and event["item_id"] not in items,
        "implausible-time": happened < EARLIEST,
        "unwritable": "\n" in (user or "") + (event["item_id"] or ""),
    }
    if of_events:
        del checks["unwritable"]
    return next((name for name, applies in checks.items() if applies), None)


def by_receipt(event: Row, owners: dict[str, set[str]], items: set[str] | None) -> tuple[Any, ...]:
    """The order in which repeats of an event are told apart: by receipt, then by what shows, null last."""
    received, sent, value = event["received_at"], event["sent_at"], event["value"]
    owner = owners.get(event["session_id"], set())
    user = event["user_id"] or (next(iter(owner)) if len(owner) == 1 else None)
    moments = [moment for moment in (received, sent) if moment is not None]
    second = min(moments) // 1000 if moments else None
    fits = value is not None and math.isfinite(value)
    values = (
        received,
        user,
        event["item_id"] or None,
        second,
        event["event_type"],
        value if fits else None,
        first_rule(event, owners, repeat=False, items=items, of_events=True),
    )
    return tuple((value is None, 0 if value is None else value) for value in values)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENTS, max_size=25), items=st.none() | st.sets(st.sampled_from(["a", "b"])))
def test_every_event_comes_out_or_is_dropped_by_the_first_rule_that_applies(
    make_table: Table, events: list[Row], items: set[str] | None
) -> None:
    with duckdb.connect() as connection:
        make_table(connection, events, EVENT_COLUMNS)
        connection.execute("ALTER TABLE rows RENAME TO raw_events")
        if items is not None:
            make_table(connection, [{"item_id": item} for item in items], ITEM_COLUMNS)
            connection.execute("ALTER TABLE rows RENAME TO items")
        selection = Selection(WINDOW, ("view", "purchase"), has_catalogue=items is not None)
        told = transform(DuckDb(connection), selection)

    assert told["rows_in"] == len(events)
    assert told["rows_in"] == told["rows_out"] + sum(rule["rows"] for rule in told["dropped"].values())

    owners: dict[str, set[str]] = {}
    for event in events:
        known = event["received_at"] is not None and event["received_at"] < WINDOW.cutoff
        kind = event["event_type"]
        if event["session_id"] and event["user_id"] and known and kind and not kind.startswith("colorway:"):
            owners.setdefault(event["session_id"], set()).add(event["user_id"])
    seen: set[str] = set()
    expected: Counter[str | None] = Counter()
    for event in sorted(events, key=lambda each: by_receipt(each, owners, items)):
        repeat = event["event_id"] in seen
        seen.add(event["event_id"])
        expected[first_rule(event, owners, repeat=repeat, items=items)] += 1
    dropped = {name: rule["rows"] for name, rule in told["dropped"].items()}
    assert told["rows_out"] + dropped.pop("duplicate") == expected.pop(None, 0)
    assert {name: rows for name, rows in dropped.items() if rows} == dict(expected)


def test_the_rules_have_names_that_tell_them_apart() -> None:
    chosen = Selection(WINDOW, ("view",), has_catalogue=True, rules=TrainingRules(newest_per_user=5))
    rules = [
        *chosen.rules_of_events,
        *chosen.rules_of_people,
        *chosen.rules_of_interactions,
    ]
    assert len({rule.name for rule in rules}) == len(rules)
    assert all(rule.reason for rule in rules)


def test_an_event_type_with_a_quote_is_a_value_and_no_sql(make_table: Table) -> None:
    events = [
        {
            "event_id": "e",
            "received_at": WINDOW.start,
            "user_id": "u",
            "item_id": "i",
            "event_type": "it's') OR (true",
        }
    ]
    with duckdb.connect() as connection:
        make_table(connection, events, EVENT_COLUMNS)
        connection.execute("ALTER TABLE rows RENAME TO raw_events")
        selection = Selection(WINDOW, ("it's') OR (true",), has_catalogue=False)
        assert transform(DuckDb(connection), selection)["rows_out"] == 1


def test_a_text_of_any_signs_is_a_literal() -> None:
    for text in ("", "plain", "it's", "\\", "'\\'", "a\\'b"):
        assert duckdb.execute(f"SELECT {literal(text)}").fetchall() == [(text,)]
