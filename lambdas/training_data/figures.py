"""What one transformation did, in figures: counted from its tables, told in the run's report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from training_data.interactions import define
from training_data.selection import Rule, Selection
from training_data.sql import Engine, records, row

_EXAMPLES: Final = 3

# What was seen less what was left out since, which is little: cheaper than to count all of it again
_TOUCHES: Final = """\
SELECT {column} AS name, sum(events) AS touches
FROM (
    SELECT {column}, events FROM {seen}
    UNION ALL SELECT {column}, -1 AS events FROM excluded_events
    UNION ALL SELECT {column}, 1 - occurrences AS events FROM merged_interactions{capped}
)
GROUP BY {column}
HAVING sum(events) > 0"""

_TYPES: Final = """\
SELECT EVENT_TYPE, touches, oldest, newest
FROM (
    SELECT type_number, count(*) AS touches, min(TIMESTAMP) AS oldest, max(TIMESTAMP) AS newest
    FROM numbered_interactions
    GROUP BY type_number
) n JOIN types_chosen t ON n.type_number = t.type_number"""

_OLDER: Final = (
    "FROM unique_interactions JOIN capped_users ON user_number = capped_user WHERE TIMESTAMP < oldest_kept"
)

_NAMED: Final = """\
SELECT ITEM_ID, EVENT_TYPE, {columns}
FROM ({rows}) n
JOIN items_known i ON n.item_number = i.item_number
JOIN types_chosen t ON n.type_number = t.type_number"""


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
        place: (rows, *changed)
        for place, rows, *changed in engine.rows(
            "SELECT dropped, count(*), count(*) FILTER (WHERE from_session),"
            " count(*) FILTER (WHERE ahead_of_time), count(*) FILTER (WHERE not_a_float)"
            " FROM judged GROUP BY dropped"
        )
    }
    _, *changed = counts.pop(None, (0, 0, 0, 0))
    dropped = {
        **_dropped_events(engine, selection, {place: rows for place, (rows, *_) in counts.items()}),
        **_dropped_people(engine, selection),
        **_dropped_interactions(engine, selection),
    }
    by_type = sorted(engine.rows(_TYPES), key=lambda found: (-found[1], found[0]))
    out = sum(touches for _, touches, _, _ in by_type)
    users, regulars = row(
        engine,
        "SELECT count(*), count(*) FILTER (WHERE touches > 1)"
        f" FROM ({_touches(selection, 'user_number', 'user_touches')})",
    )
    (items,) = row(engine, f"SELECT count(*) FROM ({_touches(selection, 'item_number', 'item_touches')})")
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
        "oldest": min((oldest for _, _, oldest, _ in by_type), default=None),
        "newest": max((newest for *_, newest in by_type), default=None),
        "event_types": {kind: touches for kind, touches, _, _ in by_type},
    }


def _touches(selection: Selection, column: str, seen: str) -> str:
    """SELECT each user or item that has interactions as `name`, and how many as `touches`."""
    older = f"\n    UNION ALL SELECT {column}, -1 AS events {_OLDER}"
    capped = older if selection.rules.newest_per_user else ""
    return _TOUCHES.format(column=column, seen=seen, capped=capped)


def _dropped_events(engine: Engine, selection: Selection, counts: Mapping[int, int]) -> dict[str, Any]:
    return {
        rule.name: _told(
            rule,
            counts.get(place, 0),
            engine,
            ["event_id", "item_id", "event_type", "received_at"],
            "SELECT told_event_id, told_item_id, told_event_type, told_received_at FROM judged"
            f" WHERE dropped = {place} LIMIT {_EXAMPLES}",
        )
        for place, rule in enumerate(selection.rules_of_events)
    }


def _dropped_people(engine: Engine, selection: Selection) -> dict[str, Any]:
    counts = dict(engine.rows("SELECT excluded, count(*) FROM excluded_events GROUP BY excluded"))
    return {
        rule.name: _told(
            rule,
            counts.get(rule.name, 0),
            engine,
            ["item_id", "event_type", "timestamp"],
            _named("TIMESTAMP", f"FROM excluded_events WHERE excluded = '{rule.name}'"),
        )
        for rule in selection.rules_of_people
    }


def _dropped_interactions(engine: Engine, selection: Selection) -> dict[str, Any]:
    (merged,) = row(engine, "SELECT coalesce(sum(occurrences - 1), 0) FROM merged_interactions")
    rows, which = {"duplicate": int(merged)}, {"duplicate": "FROM merged_interactions WHERE occurrences > 1"}
    if selection.rules.newest_per_user:
        (rows["not-newest"],) = row(engine, f"SELECT count(*) {_OLDER}")
        which["not-newest"] = _OLDER
    return {
        rule.name: _told(
            rule,
            rows[rule.name],
            engine,
            ["item_id", "event_type", "timestamp", "occurrences"],
            _named("TIMESTAMP, occurrences", which[rule.name]),
        )
        for rule in selection.rules_of_interactions
    }


def _named(columns: str, rows: str) -> str:
    """SELECT some of those rows, with the names of item and type."""
    return _NAMED.format(columns=columns, rows=f"SELECT * {rows} LIMIT {_EXAMPLES}")


def _told(rule: Rule, rows: int, engine: Engine, names: list[str], query: str) -> dict[str, Any]:
    examples = records(engine, names, query) if rows else []
    return {"rows": rows, "reason": rule.reason, "examples": examples}
