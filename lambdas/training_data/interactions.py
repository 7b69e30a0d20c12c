"""From events to interactions: the one definition, as SQL that DuckDB and Spark both run.

It reads a table `raw_events` (`vocabulary.lake.EVENT_COLUMNS`, at least once)
and, where there is a catalogue, a table `items`. Each row gets the place of the
first rule that drops it, or null: so what goes in is always what comes out plus
what was dropped, and every drop has a reason.

Users, items and event types are numbered as they are read, and what is kept of
an event are numbers, few bytes each: texts are looked up again for the lines
that are written, and kept of those events only that may turn up in the report.

Nothing here sorts or groups all events by more than a number: few rows repeat,
and those that share a fingerprint are compared in full, so that no collision
can mislead. The raw events are read several times, each time just the columns
needed, which is cheaper than to keep them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from training_data.selection import EARLIEST, LONGEST_ID, RESERVED, Selection
from training_data.sql import Dialect, Engine, literal
from vocabulary.schemas import column_of, columns_of

__all__ = ["EARLIEST", "LARGEST_FLOAT", "Step", "define", "steps"]

LARGEST_FLOAT: Final = "3.4e38"
"""EVENT_VALUE is a 32-bit float."""

_LONGEST_TEXT: Final = 1000
"""Characters of a categorical value and of an impression (developer guide, "Quotas")."""

_SHOWN: Final = 25
"""Items of an impression that count (service model `personalize-events`)."""


@dataclass(frozen=True)
class Step:
    """A query over the tables of the steps before.

    :param keep: worth keeping what comes out: asked for more than once, or it ends what reads the lake.
    :param unless: tables that are often empty; when all of them are, `plain` says the same with less work.
    """

    name: str
    query: str
    keep: bool = False
    unless: tuple[str, ...] = ()
    plain: str = ""


def define(engine: Engine, selection: Selection) -> None:
    """Define `judged` (a row per raw event) and `interactions` (a row per line of the CSV).

    Once it is done, `raw_events` and `items` are not read any more.
    """
    for step in steps(engine.dialect, selection):
        plain = step.unless and not any(
            engine.rows(f"SELECT 1 FROM {table} LIMIT 1") for table in step.unless
        )
        engine.define(step.name, step.plain if plain else step.query, keep=step.keep)


def steps(dialect: Dialect, selection: Selection) -> tuple[Step, ...]:
    """The definition, step by step.

    `judged.dropped` is the place, among `Selection.rules_of_events`, of the rule that drops the row, or
    null; `screened.excluded` names the rule of people; `interactions` has the columns of the CSV,
    `numbered_interactions` the same in numbers, and `occurrences`: how often each was there.
    """
    return (
        *_numbering(dialect, selection),
        *_judging(dialect, selection),
        *_screening(dialect, selection),
        *_merging(dialect, selection),
    )


def _numbering(dialect: Dialect, selection: Selection) -> tuple[Step, ...]:
    known = _KNOWN_ITEMS if selection.knows_items else _TOUCHED_ITEMS
    return (
        Step("events", _EVENTS.format(extra=_raw_extra(selection))),
        Step("users_seen", _USERS.format(number=dialect.number), keep=True),
        Step("items_known", known.format(number=dialect.number), keep=True),
        Step("types_chosen", _types(selection)),
    )


def _judging(dialect: Dialect, selection: Selection) -> tuple[Step, ...]:
    session_hash, event = dialect.hash_of("session_id"), dialect.fingerprint_of("event_id")
    # What is known of every row; the rest is kept of those rows only that are dropped or may be repeats
    kept = f"{_columns(selection)}, session_hash, interaction, from_session, ahead_of_time, not_a_float"
    told = "told_event_id, told_item_id, told_event_type, told_received_at"
    return (
        Step("identified", "SELECT event_id FROM events WHERE event_id IS NOT NULL"),
        Step("repeated_fingerprints", dialect.repeated.format("identified", event), keep=True),
        Step("anonymous_sessions", _ANONYMOUS.format(hash=session_hash), keep=True),
        Step(
            "session_owners",
            _SESSION_OWNERS.format(reserved=RESERVED, cutoff=selection.window.cutoff, hash=session_hash),
            keep=True,
        ),
        Step(
            "linked",
            _LINKED.format(
                type_number=_type_number(selection),
                value=_value(selection),
                extra="".join(f", {each}" for each in _extra(dialect, selection)),
                fingerprint=event,
            ),
        ),
        Step(
            "seen",
            _SEEN.format(
                cases="\n       ".join(
                    f"WHEN {rule.condition} THEN {place}"
                    for place, rule in enumerate(selection.rules_of_events)
                    if rule.condition
                ),
                columns=_columns(selection),
                session_hash=session_hash,
                # These three tell nearly all apart; the rest of the columns would cost more than it spares
                interaction=dialect.fingerprint_of("user_number", "item_number", "timestamp"),
            ),
            keep=True,
        ),
        Step(
            "repeats",
            _REPEATS.format(
                columns=kept,
                told=told,
                order=_nulls_last(
                    "told_received_at, USER_ID, told_item_id, TIMESTAMP, told_event_type, EVENT_VALUE",
                    *selection.extra.names,
                    "dropped, from_session, ahead_of_time, not_a_float",
                ),
                repeat=selection.place_of("repeat"),
            ),
            keep=True,
        ),
        Step(
            "judged",
            _JUDGED.format(columns=f"{kept}, {told}"),
            unless=("repeats",),
            plain=f"SELECT {kept}, {told}, dropped FROM seen",
        ),
    )


def _screening(dialect: Dialect, selection: Selection) -> tuple[Step, ...]:
    rules = selection.rules
    unwritable = {name: dialect.unwritable(name, LONGEST_ID) for name in ("USER_ID", "ITEM_ID")}
    excluded = ("excluded_users", "excluded_items", "excluded_sessions")
    columns = _columns(selection)
    return (
        Step("candidates", f"SELECT {columns}, session_hash, interaction FROM judged WHERE dropped IS NULL"),
        Step("user_touches", _touches("user_number"), keep=True),
        Step("item_touches", _touches("item_number"), keep=True),
        Step(
            "busy",
            _BUSY.format(least=min(rules.most_events_per_day, rules.most_events_per_session)),
            keep=True,
        ),
        Step(
            "excluded_users",
            _EXCLUDED_USERS.format(unwritable=unwritable["USER_ID"], most=rules.most_events_per_day),
            keep=True,
        ),
        Step("excluded_items", _EXCLUDED_ITEMS.format(unwritable=unwritable["ITEM_ID"]), keep=True),
        Step("excluded_sessions", _EXCLUDED_SESSIONS.format(most=rules.most_events_per_session), keep=True),
        Step(
            "screened",
            _SCREENED,
            unless=excluded,
            plain="SELECT *, CAST(NULL AS STRING) AS excluded FROM candidates",
        ),
        Step(
            "excluded_events",
            _EXCLUDED_EVENTS.format(condition="excluded IS NOT NULL"),
            keep=True,
            unless=excluded,
            plain=_EXCLUDED_EVENTS.format(condition="false"),
        ),
        Step("kept", "SELECT * FROM screened WHERE excluded IS NULL"),
    )


def _merging(dialect: Dialect, selection: Selection) -> tuple[Step, ...]:
    columns = _columns(selection)
    newest = selection.rules.newest_per_user
    capped = (
        Step("capped_users", _CAPPED_USERS.format(newest=newest), keep=True),
        Step("numbered_interactions", _CAPPED),
    )
    return (
        Step("repeated_interactions", dialect.repeated.format("candidates", "interaction"), keep=True),
        Step("merged_interactions", _MERGED.format(columns=columns), keep=True),
        Step(
            "unique_interactions" if newest else "numbered_interactions",
            _UNIQUE.format(columns=columns),
            unless=("merged_interactions",),
            plain=f"SELECT {columns}, 1 AS occurrences FROM kept",
        ),
        *(capped if newest else ()),
        Step("interactions", _NAMED.format(columns=", ".join(columns_of("interactions", selection.extra)))),
    )


def _columns(selection: Selection) -> str:
    """Those of the CSV, numbers in place of names."""
    numbers = {"USER_ID": "user_number", "ITEM_ID": "item_number", "EVENT_TYPE": "type_number"}
    return ", ".join(numbers.get(each, each) for each in columns_of("interactions", selection.extra))


def _raw_extra(selection: Selection) -> str:
    columns = (["impression"] if selection.extra.impressions else []) + (
        ["properties"] if selection.extra.properties else []
    )
    return "".join(f", {column}" for column in columns)


def _extra(dialect: Dialect, selection: Selection) -> list[str]:
    """The extra columns, over those of `events`."""
    found = []
    if selection.extra.impressions:
        # The item touched was shown, whatever else was: the column may not be empty
        joined = dialect.joined.format("impression", _SHOWN)
        fits = f"length({joined}) BETWEEN 1 AND {_LONGEST_TEXT}"
        plain = f"NOT ({dialect.unwritable(joined, _LONGEST_TEXT)})"
        found.append(f"CASE WHEN {fits} AND {plain} THEN {joined} ELSE e.item_id END AS IMPRESSION")
    for key, kind in selection.extra.properties.items():
        text = dialect.json_value.format("properties", literal(f"$.{key}"))
        match kind:
            case "string":
                nested = dialect.matches.format(text, _NESTED)
                value = f"CASE WHEN NOT {nested} THEN {dialect.categories(text, _LONGEST_TEXT)} END"
            case "float":
                number = f"CASE WHEN {dialect.matches.format(text, _NUMBER)} THEN CAST({text} AS DOUBLE) END"
                value = f"CASE WHEN {number} BETWEEN -{LARGEST_FLOAT} AND {LARGEST_FLOAT} THEN {number} END"
            case "long":
                value = f"CASE WHEN {dialect.matches.format(text, _WHOLE)} THEN CAST({text} AS BIGINT) END"
        found.append(f"{value} AS {column_of(key)}")
    return found


_NUMBER: Final = r"'^-?[0-9]{1,300}([.][0-9]{1,300})?([eE][-+]?[0-9]{1,2})?$'"
_WHOLE: Final = "'^-?[0-9]{1,18}$'"
"""What both engines read as the same number."""

_NESTED: Final = r"'(?s)^([\[].*[\]]|[{].*[}])$'"
"""A list or an object of JSON, which a field of a CSV cannot be."""


def _value(selection: Selection) -> str:
    if not selection.rules.event_values:
        return "value"
    cases = " ".join(
        f"WHEN {literal(kind)} THEN CAST({value!r} AS DOUBLE)"
        for kind, value in sorted(selection.rules.event_values.items())
    )
    return f"coalesce(value, CASE event_type {cases} END)"


def _nulls_last(*order: str) -> str:
    return ", ".join(f"{column.strip()} NULLS LAST" for part in order for column in part.split(","))


def _touches(number: str) -> str:
    return f"SELECT {number}, count(*) AS events FROM candidates GROUP BY {number}"


def _type_number(selection: Selection) -> str:
    cases = " ".join(
        f"WHEN {literal(kind)} THEN {number}" for number, kind in enumerate(selection.event_types)
    )
    return f"CAST(CASE event_type {cases} END AS TINYINT)"


def _types(selection: Selection) -> str:
    return " UNION ALL ".join(
        f"SELECT CAST({number} AS TINYINT) AS type_number, {literal(kind)} AS EVENT_TYPE"
        for number, kind in enumerate(selection.event_types)
    )


_EVENTS: Final = """\
SELECT nullif(event_id, '') AS event_id, nullif(session_id, '') AS session_id,
       nullif(user_id, '') AS user_id, nullif(item_id, '') AS item_id,
       received_at, sent_at, event_type, value{extra}
FROM raw_events"""

_USERS: Final = """\
SELECT user_id AS USER_ID, {number} AS user_number
FROM (SELECT DISTINCT user_id FROM events WHERE user_id IS NOT NULL)"""

_KNOWN_ITEMS: Final = """\
SELECT item_id AS ITEM_ID, {number} AS item_number
FROM (SELECT DISTINCT item_id FROM items WHERE item_id IS NOT NULL)"""

_TOUCHED_ITEMS: Final = """\
SELECT item_id AS ITEM_ID, {number} AS item_number
FROM (SELECT DISTINCT item_id FROM events WHERE item_id IS NOT NULL)"""

_ANONYMOUS: Final = """\
SELECT DISTINCT {hash} AS anonymous_hash
FROM events
WHERE user_id IS NULL AND session_id IS NOT NULL"""

# Only a session in which exactly one user id was seen before the cutoff has an owner: on a shared device
# nobody is given another's interest
_SESSION_OWNERS: Final = """\
SELECT owned_session, user_number AS owner
FROM (
    SELECT session_id AS owned_session, min(user_id) AS only_user
    FROM events JOIN anonymous_sessions ON {hash} = anonymous_hash
    WHERE session_id IS NOT NULL AND user_id IS NOT NULL
      AND received_at < {cutoff} AND event_type NOT LIKE {reserved}
    GROUP BY session_id
    HAVING min(user_id) = max(user_id)
)
JOIN users_seen ON only_user = USER_ID"""

_LINKED: Final = f"""\
SELECT event_id, received_at, event_type, e.item_id, session_id, item_number,
       repeated IS NOT NULL AS may_repeat,
       coalesce(user_number, owner) AS user_number,
       e.user_id IS NULL AND owner IS NOT NULL AS from_session,
       {{type_number}} AS type_number,
       least(coalesce(sent_at, received_at), received_at) AS happened_at,
       coalesce(sent_at > received_at, false) AS ahead_of_time,
       CASE WHEN {{value}} BETWEEN -{LARGEST_FLOAT} AND {LARGEST_FLOAT} THEN {{value}} + 0.0 END
           AS event_value,
       {{value}} IS NOT NULL AND NOT {{value}} BETWEEN -{LARGEST_FLOAT} AND {LARGEST_FLOAT} AS not_a_float
       {{extra}}
FROM events e
LEFT JOIN repeated_fingerprints ON {{fingerprint}} = repeated
LEFT JOIN session_owners ON owned_session = CASE WHEN e.user_id IS NULL THEN session_id END
LEFT JOIN users_seen u ON e.user_id = u.USER_ID
LEFT JOIN items_known i ON e.item_id = i.ITEM_ID"""

_SEEN: Final = """\
SELECT {columns}, CAST(dropped AS TINYINT) AS dropped, may_repeat, from_session, ahead_of_time, not_a_float,
       CASE WHEN dropped IS NULL THEN {session_hash} END AS session_hash,
       CASE WHEN dropped IS NULL THEN {interaction} END AS interaction,
       CASE WHEN dropped IS NOT NULL OR may_repeat THEN event_id END AS told_event_id,
       CASE WHEN dropped IS NOT NULL OR may_repeat THEN item_id END AS told_item_id,
       CASE WHEN dropped IS NOT NULL OR may_repeat THEN event_type END AS told_event_type,
       CASE WHEN dropped IS NOT NULL OR may_repeat THEN received_at END AS told_received_at
FROM (
    SELECT *, CAST(floor(happened_at / 1000.0) AS BIGINT) AS timestamp,
           CASE
       {cases}
           END AS dropped
    FROM linked
)"""

# Equal times of receipt are broken by everything that shows, so that every engine keeps the same occurrence
_REPEATS: Final = """\
SELECT {columns}, {told},
       CASE WHEN occurrence > 1 AND (dropped IS NULL OR dropped > {repeat})
            THEN CAST({repeat} AS TINYINT) ELSE dropped END AS dropped
FROM (
    SELECT seen.*, row_number() OVER (PARTITION BY told_event_id ORDER BY {order}) AS occurrence
    FROM seen LEFT JOIN users_seen ON seen.user_number = users_seen.user_number
    WHERE may_repeat
)"""

_JUDGED: Final = """\
SELECT {columns}, dropped FROM seen WHERE NOT may_repeat
UNION ALL
SELECT {columns}, dropped FROM repeats"""

# Who has no more than either limit altogether cannot have more on a day or in a session
_BUSY: Final = """\
SELECT c.user_number AS busy_user, c.session_hash AS busy_session,
       CAST(floor(c.TIMESTAMP / 86400.0) AS BIGINT) AS busy_day
FROM candidates c JOIN user_touches u ON c.user_number = u.user_number AND u.events > {least}"""

_EXCLUDED_USERS: Final = """\
SELECT excluded_user, max(why) AS why
FROM (
    SELECT user_number AS excluded_user, 'unwritable' AS why FROM users_seen WHERE {unwritable}
    UNION ALL
    SELECT busy_user, 'bot' FROM busy GROUP BY busy_user, busy_day HAVING count(*) > {most}
)
GROUP BY excluded_user"""

_EXCLUDED_ITEMS: Final = "SELECT item_number AS excluded_item FROM items_known WHERE {unwritable}"

# Two sessions of one user that share a hash of 64 bits are taken for one: it will not be seen
_EXCLUDED_SESSIONS: Final = """\
SELECT busy_user AS excluded_session_user, busy_session AS excluded_session
FROM busy
WHERE busy_session IS NOT NULL
GROUP BY busy_user, busy_session
HAVING count(*) > {most}"""

_SCREENED: Final = """\
SELECT candidates.*,
       CASE WHEN excluded_item IS NOT NULL OR why = 'unwritable' THEN 'unwritable'
            WHEN why IS NOT NULL THEN why
            WHEN excluded_session IS NOT NULL THEN 'bot-session' END AS excluded
FROM candidates
LEFT JOIN excluded_users ON user_number = excluded_user
LEFT JOIN excluded_items ON item_number = excluded_item
LEFT JOIN excluded_sessions ON user_number = excluded_session_user AND session_hash = excluded_session"""

_EXCLUDED_EVENTS: Final = """\
SELECT user_number, item_number, type_number, TIMESTAMP, excluded
FROM screened
WHERE {condition}"""

_MERGED: Final = """\
SELECT {columns}, count(*) AS occurrences
FROM kept JOIN repeated_interactions ON interaction = repeated
GROUP BY {columns}"""

_UNIQUE: Final = """\
SELECT {columns}, 1 AS occurrences
FROM kept LEFT JOIN repeated_interactions ON interaction = repeated
WHERE repeated IS NULL
UNION ALL
SELECT {columns}, occurrences FROM merged_interactions"""

# By aggregation: only of users with more than the cap are the seconds put in order
_CAPPED_USERS: Final = """\
SELECT capped_user, min(second) AS oldest_kept
FROM (
    SELECT capped_user, second, count_at,
           sum(count_at) OVER (PARTITION BY capped_user ORDER BY second DESC
                               ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS count_until
    FROM (
        SELECT i.user_number AS capped_user, i.TIMESTAMP AS second, count(*) AS count_at
        FROM unique_interactions i JOIN user_touches u
          ON i.user_number = u.user_number AND u.events > {newest}
        GROUP BY i.user_number, i.TIMESTAMP
    )
)
WHERE count_until - count_at < {newest}
GROUP BY capped_user"""

_CAPPED: Final = """\
SELECT unique_interactions.*
FROM unique_interactions LEFT JOIN capped_users ON user_number = capped_user
WHERE oldest_kept IS NULL OR TIMESTAMP >= oldest_kept"""

_NAMED: Final = """\
SELECT {columns}, occurrences
FROM numbered_interactions n
JOIN users_seen u ON n.user_number = u.user_number
JOIN items_known i ON n.item_number = i.item_number
JOIN types_chosen t ON n.type_number = t.type_number"""
