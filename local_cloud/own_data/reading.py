"""Reading the user's own data: what they say of them, and the steps from files to a history."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import duckdb

from local_cloud.lake_loading import History
from local_cloud.own_data.column_mapping import OwnDataError
from local_cloud.own_data.files import OwnFile, open_file
from local_cloud.own_data.tables import (
    ITEM_COLUMNS,
    READ_COLUMNS,
    compare,
    derive_items,
    derive_users,
    read_events,
    read_items,
)
from local_cloud.own_data.timeline import describe, shift

_EXAMPLES: Final = {
    "user_id": "CustomerID", "item_id": "StockCode", "sent_at": "InvoiceDate", "event_type": "'purchase'",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class OwnData:
    """Where the user's data are and how to read them; each field is a setting of the same name in capitals.

    :param clickstream: Parquet, CSV or JSON lines, also compressed; `*` matches several files.
    :param catalogue: likewise, or empty: then the catalogue is the items of the clickstream.
    :param clickstream_columns: our columns to theirs, see column_mapping.
    :param catalogue_columns: likewise.
    :param clickstream_where: a DuckDB condition that rows of the clickstream must meet.
    :param catalogue_where: likewise of the catalogue.
    :param shift_dates: empty; `1` moves all times so that the newest is just before now; `fit` also
        squeezes them into the days that a model is trained on.
    """

    clickstream: str
    catalogue: str = ""
    clickstream_columns: str = ""
    catalogue_columns: str = ""
    clickstream_where: str = ""
    catalogue_where: str = ""
    shift_dates: str = ""

    def __post_init__(self) -> None:
        if self.shift_dates not in ("", "0", "1", "fit"):
            raise OwnDataError(f"SHIFT_DATES is {self.shift_dates!r}, allowed: 1, fit, or nothing")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> OwnData | None:
        """What the environment says, or None when it names no clickstream.

        :raises OwnDataError: for other settings without a clickstream, and a wrong SHIFT_DATES.
        """
        given = {name: environ.get(name.upper(), "").strip() for name in cls.__dataclass_fields__}
        if not given["clickstream"]:
            if orphans := [name.upper() for name, value in given.items() if value]:
                raise OwnDataError(f"{', '.join(orphans)} given without CLICKSTREAM, the file of events")
            return None
        return cls(**given)


def read(
    connection: duckdb.DuckDBPyConnection,
    own: OwnData,
    *,
    now: datetime,
    history_days: int,
    event_types: Collection[str],
    progress: Callable[[str], None],
) -> History:
    """Read it into temporary tables of this connection.

    :param connection: from lake_loading.connect.
    :param now: with a time zone.
    :param history_days: how many days of events a model is trained on.
    :param event_types: those a model is trained on.
    :param progress: told in words what was found, dropped and changed.
    :raises OwnDataError: when it cannot be read; the message says what to write instead.
    """
    clickstream, catalogue = look_at(connection, own)
    read_events(connection, clickstream, own.clickstream_where, progress)
    if catalogue:
        read_items(connection, catalogue, own.catalogue_where)
        compare(connection, progress)
    else:
        derive_items(connection)
    derive_users(connection)
    if own.shift_dates in ("1", "fit"):
        shift(connection, now, history_days if own.shift_dates == "fit" else None, progress)
    describe(connection, now, history_days, event_types, own.shift_dates, progress)
    return History(
        events=connection.table("own_events"),
        items=connection.table("own_items"),
        users=connection.table("own_users"),
    )


def look_at(connection: duckdb.DuckDBPyConnection, own: OwnData) -> tuple[OwnFile, OwnFile | None]:
    """Clickstream and catalogue, by their first rows: quick, so that a slip is told before anything long.

    :raises OwnDataError: for a file that is not there or not understood, and columns that cannot be told.
    """
    clickstream = open_file(
        connection,
        own.clickstream,
        setting="CLICKSTREAM",
        mapping=own.clickstream_columns,
        mapping_setting="CLICKSTREAM_COLUMNS",
        ours=READ_COLUMNS,
    )
    require(clickstream, ("item_id", "sent_at", "event_type"), identity=True)
    if not own.catalogue:
        return clickstream, None
    catalogue = open_file(
        connection,
        own.catalogue,
        setting="CATALOGUE",
        mapping=own.catalogue_columns,
        mapping_setting="CATALOGUE_COLUMNS",
        ours=ITEM_COLUMNS,
    )
    require(catalogue, ("item_id",), identity=False)
    return clickstream, catalogue


def require(file: OwnFile, needed: tuple[str, ...], *, identity: bool) -> None:
    """
    :raises OwnDataError: naming the columns that are needed and cannot be told.
    """
    missing = [column for column in needed if column not in file.columns]
    if identity and not {"user_id", "session_id"} & file.columns.keys():
        missing.insert(0, "user_id")
    if missing:
        example = ",".join(f"{column}={_EXAMPLES[column]}" for column in missing)
        needs = ", ".join((*(["user_id or session_id"] if identity else []), *needed))
        raise OwnDataError(
            f"{file.setting}: {file.name} has no column that is clearly {' or '.join(missing)}\n"
            f"  columns found: {', '.join(file.theirs)}\n"
            f"  needed: {needs}\n"
            f'  say which is which, for example: {file.setting}="{example}"'
        )
