"""What one transformation did, in figures: counted from its tables, told in the run's report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from training_data.interactions import define
from training_data.selection import Rule, Selection
from training_data.sql import Engine, records, row

_EXAMPLES: Final = 3

_COUNTED: Final = """\
SELECT CASE WHEN grouping(USER_ID) = 0 THEN 'user'
            WHEN grouping(ITEM_ID) = 0 THEN 'item' ELSE 'type' END AS of,
       coalesce(USER_ID, ITEM_ID, EVENT_TYPE) AS name,
       count(*) AS touches, min(TIMESTAMP) AS oldest, max(TIMESTAMP) AS newest
FROM interactions
GROUP BY GROUPING SETS ((USER_ID), (ITEM_ID), (EVENT_TYPE))"""


def transform(engine: Engine, selection: Selection) -> dict[str, Any]:
    """Define the tables `judged` and `interactions`, and answer the report's part on interactions.

    `rows_in` is `rows_out` plus the rows of everything in `dropped`. `changed`
    counts events that no rule of events drops, and that are read otherwise than they were sent. Times are
    unix seconds, and null without interactions. Examples name no user.
    """
    define(engine, selection)
    return figures(engine, selection)


def figures(engine: Engine, selection: Selection) -> dict[str, Any]:
    """The report's part on interactions, from the tables that were defined."""
    counts = {
        name: (rows, *changed)
        for name, rows, *changed in engine.rows(
            "SELECT dropped, count(*), count(*) FILTER (WHERE from_session),"
            " count(*) FILTER (WHERE ahead_of_time), count(*) FILTER (WHERE not_a_float)"
            " FROM judged GROUP BY dropped"
        )
    }
    _, *changed = counts.pop(None, (0, 0, 0, 0))
    dropped = {
        **_dropped_events(engine, selection, {name: rows for name, (rows, *_) in counts.items()}),
        **_dropped_people(engine, selection),
        **_dropped_interactions(engine, selection),
    }
    # One pass over the interactions for all that is asked of them
    engine.define("counted", _COUNTED, keep=True)
    out, oldest, newest = row(
        engine, "SELECT coalesce(sum(touches), 0), min(oldest), max(newest) FROM counted WHERE of = 'type'"
    )
    users, regulars, items = row(
        engine,
        "SELECT count(*) FILTER (WHERE of = 'user'), count(*) FILTER (WHERE of = 'user' AND touches > 1),"
        " count(*) FILTER (WHERE of = 'item') FROM counted",
    )
    types = engine.rows("SELECT name, touches FROM counted WHERE of = 'type' ORDER BY touches DESC, name")
    out = int(out)
    return {
        "rows_in": out + sum(rule["rows"] for rule in dropped.values()),
        "rows_out": out,
        "dropped": dropped,
        "changed": dict(
            zip(("user-from-session", "time-ahead-of-receipt", "value-not-a-float"), changed, strict=True)
        ),
        "users": users,
        "users_with_two_or_more": regulars,
        "items": items,
        "oldest": oldest,
        "newest": newest,
        "event_types": dict(types),
    }


def _dropped_events(engine: Engine, selection: Selection, counts: Mapping[str, int]) -> dict[str, Any]:
    first = [rule for rule in selection.rules_of_events if rule.name in ("marker", "incomplete")]
    rest = [rule for rule in selection.rules_of_events if rule not in first]
    return {
        rule.name: _told(
            rule,
            counts.get(rule.name, 0),
            engine,
            ["event_id", "item_id", "event_type", "received_at"],
            "SELECT told_event_id, ITEM_ID, EVENT_TYPE, told_received_at FROM judged"
            f" WHERE dropped = '{rule.name}'",
        )
        for rule in (*first, *selection.rules_of_repeats, *rest)
    }


def _dropped_people(engine: Engine, selection: Selection) -> dict[str, Any]:
    some = row(
        engine,
        "SELECT (SELECT count(*) FROM excluded_users) + (SELECT count(*) FROM excluded_items)"
        " + (SELECT count(*) FROM excluded_sessions)",
    )
    counts = (
        dict(
            engine.rows(
                "SELECT excluded, count(*) FROM screened WHERE excluded IS NOT NULL GROUP BY excluded"
            )
        )
        if some != (0,)
        else {}
    )
    return {
        rule.name: _told(
            rule,
            counts.get(rule.name, 0),
            engine,
            ["item_id", "event_type", "timestamp"],
            f"SELECT ITEM_ID, EVENT_TYPE, TIMESTAMP FROM screened WHERE excluded = '{rule.name}'",
        )
        for rule in selection.rules_of_people
    }


def _dropped_interactions(engine: Engine, selection: Selection) -> dict[str, Any]:
    (merged,) = row(engine, "SELECT coalesce(sum(occurrences - 1), 0) FROM merged_interactions")
    rows = {"duplicate": int(merged)}
    examples = {
        "duplicate": "SELECT ITEM_ID, EVENT_TYPE, TIMESTAMP, occurrences FROM merged_interactions"
        " WHERE occurrences > 1"
    }
    if selection.rules.newest_per_user:
        older = (
            "FROM unique_interactions JOIN capped_users ON USER_ID = capped_user"
            " WHERE TIMESTAMP < oldest_kept"
        )
        (rows["not-newest"],) = row(engine, f"SELECT count(*) {older}")
        examples["not-newest"] = f"SELECT ITEM_ID, EVENT_TYPE, TIMESTAMP, occurrences {older}"
    return {
        rule.name: _told(
            rule,
            rows[rule.name],
            engine,
            ["item_id", "event_type", "timestamp", "occurrences"],
            examples[rule.name],
        )
        for rule in selection.rules_of_interactions
    }


def _told(rule: Rule, rows: int, engine: Engine, names: list[str], query: str) -> dict[str, Any]:
    examples = records(engine, names, f"{query} LIMIT {_EXAMPLES}") if rows else []
    return {"rows": rows, "reason": rule.reason, "examples": examples}
