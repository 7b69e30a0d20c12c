"""From events to interactions: the one definition, as SQL text.

It reads a table `raw_events` (`vocabulary.lake.EVENT_COLUMNS`, at least once)
and, where there is a catalogue, a table `items`. Only constructs that DuckDB
and Spark SQL share are used, so that either engine can run it.

Each row gets the name of the first rule that drops it, or null: so what goes in
is always what comes out plus what was dropped, and every drop has a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from training_data.database import literal
from training_data.window import Window
from vocabulary.lake import RESERVED_EVENT_TYPE_PREFIX, Column

COLUMNS_READ: Final = (
    Column("event_id", "string", ""),
    Column("received_at", "bigint", ""),
    Column("sent_at", "bigint", ""),
    Column("session_id", "string", ""),
    Column("user_id", "string", ""),
    Column("event_type", "string", ""),
    Column("item_id", "string", ""),
    Column("value", "double", ""),
)
"""What of `raw_events` is needed."""

LONGEST_ID: Final = 256
"""Characters of a USER_ID or ITEM_ID (botocore service model `personalize-events`)."""

EARLIEST: Final = 946_684_800_000
"""2000-01-01 in unix milliseconds: a time before it is a wrong clock, or seconds taken for milliseconds."""

_LARGEST_FLOAT: Final = "3.4e38"
"""EVENT_VALUE is a 32-bit float."""

DUPLICATE: Final = "duplicate"
"""The last rule, applied to the interactions rather than to the events."""

DUPLICATE_REASON: Final = "the same user, item, second, type and value as another; Personalize keeps one too"


@dataclass(frozen=True)
class Rule:
    """A reason to leave an event out.

    :param name: as the report calls it.
    :param reason: in words, for people.
    :param condition: over the columns of `linked`; the event goes where it is true.
    """

    name: str
    reason: str
    condition: str


@dataclass(frozen=True)
class Selection:
    """What is chosen from the lake.

    :param window: by the time of receipt.
    :param event_types: which count as interest.
    :param has_catalogue: only items of the table `items` are taken.
    """

    window: Window
    event_types: tuple[str, ...]
    has_catalogue: bool

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule over events, in the order in which they are applied."""
        types = ", ".join(map(literal, self.event_types))
        return (
            Rule("marker", "a record of Colorway's own, no event", f"event_type LIKE {_RESERVED}"),
            Rule(
                "incomplete",
                "no event id, time of receipt or event type",
                "event_id IS NULL OR received_at IS NULL OR event_type IS NULL",
            ),
            Rule("repeat", "the event is there already: streams deliver at least once", "occurrence > 1"),
            Rule("before-window", "received before the window", f"received_at < {self.window.start}"),
            Rule(
                "after-cutoff",
                "received at or after the cutoff: streamed to the colour instead",
                f"received_at >= {self.window.cutoff}",
            ),
            Rule(
                "other-event-type",
                f"only {', '.join(self.event_types)} are trained on",
                f"event_type NOT IN ({types})",
            ),
            Rule("no-item", "touches no item", "item_id IS NULL"),
            Rule("anonymous", "no user id, and its session never got exactly one", "user_id IS NULL"),
            *self._unknown_item(),
            Rule(
                "unwritable",
                f"an id of over {LONGEST_ID} characters or with control characters, e.g. a line break",
                " OR ".join(map(unwritable, ("user_id", "item_id"))),
            ),
            Rule("implausible-time", "happened before the year 2000", f"happened_at < {EARLIEST}"),
        )

    def _unknown_item(self) -> tuple[Rule, ...]:
        if not self.has_catalogue:
            return ()
        return (Rule("unknown-item", "not in the newest catalogue snapshot", "known_item IS NULL"),)

    @property
    def views(self) -> dict[str, str]:
        """Views by name, each over the ones before: the last, `judged`, has a row per raw event.

        Its column `dropped` is the rule that drops the event, or null.
        """
        cases = "\n       ".join(f"WHEN {rule.condition} THEN '{rule.name}'" for rule in self.rules)
        known = _KNOWN_ITEMS if self.has_catalogue else _NO_KNOWN_ITEMS
        names = {"reserved": _RESERVED, "cutoff": self.window.cutoff, "largest": _LARGEST_FLOAT}
        return {
            "events": _EVENTS,
            "repeated_hashes": _REPEATED_HASHES,
            "numbered": _NUMBERED,
            "session_owners": _SESSION_OWNERS.format(**names),
            "known_items": known,
            "linked": _LINKED.format(**names),
            "judged": _JUDGED.format(cases=cases),
        }


def unwritable(column: str) -> str:
    """A condition: an identifier that a record of one line, or Personalize, cannot hold."""
    return f"length({column}) > {LONGEST_ID} OR regexp_matches({column}, '[\\x00-\\x1F\\x7F]')"


_RESERVED: Final = literal(f"{RESERVED_EVENT_TYPE_PREFIX}%")

_EVENTS: Final = """\
SELECT nullif(event_id, '') AS event_id, nullif(session_id, '') AS session_id,
       nullif(user_id, '') AS user_id, nullif(item_id, '') AS item_id,
       received_at, sent_at, event_type, value
FROM raw_events"""

# Few ids repeat, and to sort all events for their sake would cost more than all the rest. An id whose hash
# is its own is its own; those whose hash is not are compared in full, so that no collision can mislead.
_REPEATED_HASHES: Final = """\
SELECT hash(event_id) AS repeated
FROM events
GROUP BY hash(event_id)
HAVING count(*) > 1"""

# Equal times of receipt are broken by everything else, so that every engine keeps the same occurrence
_NUMBERED: Final = """\
SELECT e.*, 1 AS occurrence
FROM events e LEFT JOIN repeated_hashes r ON hash(e.event_id) = r.repeated
WHERE r.repeated IS NULL
UNION ALL
SELECT e.*, row_number() OVER (
           PARTITION BY event_id
           ORDER BY received_at, sent_at, user_id, item_id, event_type, value, session_id
       ) AS occurrence
FROM events e JOIN repeated_hashes r ON hash(e.event_id) = r.repeated"""

# Only a session in which exactly one user id was seen before the cutoff has an owner: on a shared device
# nobody is given another's interest
_SESSION_OWNERS: Final = """\
SELECT session_id AS owned_session, min(user_id) AS owner
FROM events
WHERE session_id IS NOT NULL AND user_id IS NOT NULL
  AND received_at < {cutoff} AND event_type NOT LIKE {reserved}
GROUP BY session_id
HAVING min(user_id) = max(user_id)"""

_KNOWN_ITEMS: Final = "SELECT DISTINCT item_id AS known_item FROM items WHERE item_id IS NOT NULL"

_NO_KNOWN_ITEMS: Final = "SELECT CAST(NULL AS VARCHAR) AS known_item"

_LINKED: Final = """\
SELECT event_id, received_at, event_type, item_id, occurrence, known_item,
       coalesce(user_id, owner) AS user_id,
       user_id IS NULL AND owner IS NOT NULL AS from_session,
       least(coalesce(sent_at, received_at), received_at) AS happened_at,
       coalesce(sent_at > received_at, false) AS ahead_of_time,
       CASE WHEN value BETWEEN -{largest} AND {largest} THEN value + 0.0 END AS value,
       value IS NOT NULL AND NOT value BETWEEN -{largest} AND {largest} AS not_a_float
FROM numbered
LEFT JOIN session_owners ON owned_session = CASE WHEN user_id IS NULL THEN session_id END
LEFT JOIN known_items ON known_item = item_id"""

_JUDGED: Final = """\
SELECT user_id, item_id, CAST(floor(happened_at / 1000.0) AS BIGINT) AS timestamp, event_type,
       value AS event_value, from_session, ahead_of_time, not_a_float, dropped,
       CASE WHEN dropped IS NOT NULL THEN event_id END AS dropped_event_id,
       CASE WHEN dropped IS NOT NULL THEN received_at END AS dropped_received_at
FROM (
    SELECT *, CASE
       {cases}
       END AS dropped
    FROM linked
)"""

INTERACTION_VIEWS: Final = {
    "kept": """\
SELECT user_id AS USER_ID, item_id AS ITEM_ID, timestamp AS TIMESTAMP, event_type AS EVENT_TYPE,
       event_value AS EVENT_VALUE, hash(user_id, item_id, timestamp, event_type, event_value) AS hashed
FROM judged_events
WHERE dropped IS NULL""",
    "repeated_interactions": """\
SELECT hashed AS repeated
FROM kept
GROUP BY hashed
HAVING count(*) > 1""",
    "interactions": """\
SELECT USER_ID, ITEM_ID, TIMESTAMP, EVENT_TYPE, EVENT_VALUE, 1 AS occurrences
FROM kept LEFT JOIN repeated_interactions ON hashed = repeated
WHERE repeated IS NULL
UNION ALL
SELECT USER_ID, ITEM_ID, TIMESTAMP, EVENT_TYPE, EVENT_VALUE, count(*) AS occurrences
FROM kept JOIN repeated_interactions ON hashed = repeated
GROUP BY USER_ID, ITEM_ID, TIMESTAMP, EVENT_TYPE, EVENT_VALUE""",
}
"""From `judged_events`, the rows of `judged` kept as a table, to the interactions, each once.

`interactions` has the columns of the CSV, and how often each was there. Repeats are found as above;
`repeated_interactions` is worth keeping as a table.
"""
