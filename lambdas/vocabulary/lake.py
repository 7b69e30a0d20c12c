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

ARRIVED: Final = "arrived"
"""Metadata of a file of the lake that was written again: when its content had arrived, unix milliseconds."""

EXPOSURES_FOLDER: Final = "exposures"
"""`exposures/day=YYYY-MM-DD/*.parquet`: what users of the experiment were shown, by day of arrival, at least
once."""

FAILED_EXPOSURES_FOLDER: Final = "exposures-undelivered"
"""Log lines of exposures that Firehose could not convert to Parquet."""

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

EXPOSURE_COLUMNS: Final = (
    Column("exposed_at", "bigint", "when the request was answered, unix milliseconds"),
    Column("request_id", "string", "unique per request; repeats are one exposure"),
    Column("experiment", "string", "which experiment: an id derived from its salt, see experiment_id"),
    Column("unit_id", "string", "stands for the user: an HMAC of the user id, keyed with the salt"),
    Column("variant", "string", "treatment or control"),
    Column("placement", "string", "where recommendations were asked for"),
    Column("colour", "string", "the live colour, which should have answered; none before the first training"),
    Column("answered_by", "string", "the colour that answered; null when popular items did"),
    Column("source", "string", "personalize, popular or control"),
    Column("recommendation_id", "string", "Personalize's; null when popular items answered"),
    Column("items", "int", "how many items were shown"),
    Column("failures", "array<string>", "what failed on the way to the answer; mostly empty"),
    Column("took_ms", "double", "milliseconds in the serving function"),
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


def lists_key(run_id: str, placement: str) -> str:
    """What a run's new colour and the live one recommended to the same customers, when it was proved."""
    return f"{run_folder(run_id)}/lists/{placement}.json"


LAST_GOOD_FOLDER: Final = "last-good"
"""What the run that went live last, and stayed, left for the next to be compared with (training bucket)."""

LAST_GOOD_REPORT_KEY: Final = f"{LAST_GOOD_FOLDER}/report.json"
