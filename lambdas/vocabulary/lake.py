"""The layout of the lake and training buckets: folders, columns and their meaning.

Types are Hive's (AWS Glue). All times are unix milliseconds in UTC, because
that is what JSON, Firehose's record conversion, Parquet and every query engine
read alike; the `events` view adds readable timestamps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Column:
    """A column of a lake table: its name, Hive type and what it holds."""

    name: str
    type: str
    comment: str


EVENTS_FOLDER: Final = "events"
"""`events/day=YYYY-MM-DD/*.parquet`: everything the collector accepted, by day of arrival, at least once."""

FAILED_DELIVERY_FOLDER: Final = "events-undelivered"
"""What Firehose could not convert to Parquet."""

QUARANTINE_FOLDER: Final = "events-unreadable"
"""Files of events that could not be read, as they were; whoever mends one puts it back."""

ITEMS_FOLDER: Final = "catalogue/items"
"""`catalogue/items/day=YYYY-MM-DD/*.parquet`: a full snapshot of the catalogue per day; the newest counts."""

USERS_FOLDER: Final = "catalogue/users"
"""`catalogue/users/day=YYYY-MM-DD/*.parquet`: likewise, of user attributes."""

EVENT_COLUMNS: Final = (
    Column("event_id", "string", "unique per event: the client's or the collector's; repeats are one event"),
    Column(
        "received_at", "bigint", "when the collector accepted it, unix milliseconds; cut-offs compare this"
    ),
    Column("sent_at", "bigint", "when it happened by the client's clock, unix milliseconds"),
    Column("session_id", "string", "the client's session; the identity of an anonymous user"),
    Column("user_id", "string", "null while anonymous"),
    Column("event_type", "string", "e.g. view, click, purchase"),
    Column("item_id", "string", "the item touched"),
    Column("value", "double", "EVENT_VALUE: price, rating, watch time; may be null"),
    Column("properties", "string", "a JSON object of further properties; may be null"),
    Column("impression", "array<string>", "the items shown beside it; may be null"),
    Column("recommendation_id", "string", "which recommendation led to it; may be null"),
)

ITEM_COLUMNS: Final = (
    Column("item_id", "string", "unique in a snapshot"),
    Column("name", "string", "what a person calls it"),
    Column("brand", "string", "may be null"),
    Column("category", "string", "may be null; '|' separates several"),
    Column("price", "double", "may be null"),
    Column("image", "string", "URL or data URI; may be null"),
    Column("created_at", "bigint", "when it was first for sale, unix milliseconds; may be null"),
)

USER_COLUMNS: Final = (
    Column("user_id", "string", "unique in a snapshot"),
    Column("segment", "string", "e.g. country or persona; may be null"),
)

MARKER_EVENT_TYPE: Final = "colorway:marker"
"""Records of this type pass through the stream to prove that all before them have arrived."""

RESERVED_EVENT_TYPE_PREFIX: Final = "colorway:"
"""Event types that clients may not send."""


RUNS_FOLDER: Final = "runs"
"""`runs/{run id}/…` in the training bucket."""

ERASURES_FOLDER: Final = "erasures"
"""`erasures/{erasure id}/users.csv` in the training bucket: for Personalize, whom it is to forget."""


def run_folder(run_id: str) -> str:
    """Where one retraining keeps its training data and report, in the training bucket."""
    return f"{RUNS_FOLDER}/{run_id}"


def erasure_folder(erasure_id: str) -> str:
    """The folder, with the trailing slash that Personalize needs, of what an erasure hands it."""
    return f"{ERASURES_FOLDER}/{erasure_id}/"


def dataset_folder(run_id: str, dataset: str) -> str:
    """The folder, with the trailing slash that Personalize needs, of one CSV and nothing else.

    `dataset` is `interactions`, `items` or `users`.
    """
    return f"{run_folder(run_id)}/{dataset}/"


def report_key(run_id: str) -> str:
    return f"{run_folder(run_id)}/report.json"


def exported_key(run_id: str) -> str:
    """What an export by Glue has to say: `interactions`, `users`, `items` and `datasets`."""
    return f"{run_folder(run_id)}/exported.json"


def popular_key(placement: str, run_id: str | None = None) -> str:
    """Popular items of a placement: of one run, or (no run id) the ones that serving falls back to."""
    return f"{run_folder(run_id)}/popular/{placement}.json" if run_id else f"popular/{placement}.json"


LAST_GOOD_FOLDER: Final = "last-good"
"""What the run that went live last, and stayed, left for the next to be compared with (training bucket)."""

LAST_GOOD_REPORT_KEY: Final = f"{LAST_GOOD_FOLDER}/report.json"
