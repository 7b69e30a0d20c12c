"""The data of one dataset: imported in bulk, and streamed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from local_cloud.personalize.filter_masks import ItemColumns
from local_cloud.personalize.schemas import Schema, camel_case
from local_cloud.personalize.streamed import Event, StreamedEvents, Touch
from local_cloud.personalize.table import Coded, Table
from local_cloud.personalize.touches import ByUser, Touches

ID_COLUMNS: Final = {"ITEMS": "ITEM_ID", "USERS": "USER_ID", "ACTIONS": "ACTION_ID"}


class Put(NamedTuple):
    """A record of PutItems or PutUsers; `values` by column."""

    record_id: str
    values: Mapping[str, Any]


class Bulk:
    """What was imported, made ready for every use; never changed, so any thread may read it.

    :param table: its rows are distinct.
    :ivar touches: those of an Interactions dataset; none of another.
    :ivar records: items or users, by id.
    """

    def __init__(self, schema: Schema, table: Table) -> None:
        self.table = table
        self.touches = Touches.of()
        self.by_user = ByUser(self.touches)
        self.records: dict[str, Mapping[str, Any]] = {}
        if schema.dataset_type == "INTERACTIONS":
            self.touches = Touches.of_dataset(table, schema.contexts)
            self.by_user = ByUser(self.touches)
        elif schema.dataset_type in ID_COLUMNS:
            position = schema.columns.index(ID_COLUMNS[schema.dataset_type])
            self.records = {
                row[position]: dict(zip(schema.columns, row, strict=True)) for row in table.rows()
            }


class Dataset:
    """
    :ivar bulk: of the last imports; None before the first.
    :ivar journal: all that was streamed, in the order in which it came.
    :ivar changes: how often anything in it has changed.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.bulk: Bulk | None = None
        self.events = StreamedEvents()
        self.journal: list[Event | Put] = []
        self.changes = 0
        self._put: dict[str, Mapping[str, Any]] = {}
        self._columns: tuple[int, ItemColumns] | None = None

    @property
    def columns(self) -> ItemColumns:
        """Of an Items dataset, as it is now."""
        if self._columns is None or self._columns[0] != self.changes:
            before = self._columns[1] if self._columns else None
            table = self.bulk.table if self.bulk else None
            self._columns = self.changes, ItemColumns(table, self._put, before)
        return self._columns[1]

    def load(self, bulk: Bulk) -> None:
        """In place of what was imported before; what was streamed stays."""
        self.bulk = bulk
        self.changes += 1

    def touches_of(self, user_id: str) -> list[Touch]:
        """A user's interactions, imported and streamed."""
        imported = self.bulk.by_user.of(user_id) if self.bulk else ()
        return [*imported, *self.events.touches_of(user_id)]

    def stream(self, event: Event) -> list[Touch]:
        """PutEvents: what models must learn of it."""
        self.journal.append(event)
        self.changes += 1
        return self.events.add(event)

    def record_of(self, event: Event) -> Mapping[str, Any]:
        """A streamed event, by column."""
        properties = event.properties or {}
        return {
            **{name: properties.get(camel_case(name)) for name in self.schema.columns},
            "USER_ID": self.events.user_of(event) or event.session_id,
            "ITEM_ID": event.item_id,
            "TIMESTAMP": event.timestamp,
            "EVENT_TYPE": event.event_type,
            "EVENT_VALUE": event.event_value,
            "IMPRESSION": "|".join(event.impression) if event.impression else None,
            "RECOMMENDATION_ID": event.recommendation_id,
            "EVENT_ATTRIBUTION_SOURCE": event.attribution_source,
        }

    def put(self, record_id: str, values: Mapping[str, Any]) -> None:
        """PutItems, PutUsers: replaces the whole record."""
        self.journal.append(Put(record_id, values))
        self.changes += 1
        record = {ID_COLUMNS[self.schema.dataset_type]: record_id, **values}
        # A new map, since trainings may be reading the old one
        self._put = {**self._put, record_id: record}

    def record(self, record_id: str) -> Mapping[str, Any]:
        """An item or user: its columns, none when it is unknown."""
        if record_id in self._put:
            return self._put[record_id]
        return self.bulk.records.get(record_id, {}) if self.bulk else {}

    def records(self) -> dict[str, Mapping[str, Any]]:
        """All items or users, by id."""
        return {**(self.bulk.records if self.bulk else {}), **self._put}

    def change_schema(self, schema: Schema) -> None:
        """To one with more columns, which what is there leaves empty."""
        self.schema = schema
        if self.bulk is not None:
            self.load(Bulk(schema, self.bulk.table.with_columns(schema.columns)))

    def forget(self, user_ids: Collection[str]) -> None:
        """Everything of these users."""
        kind = self.schema.dataset_type
        if kind not in ("INTERACTIONS", "USERS"):
            return
        if self.bulk is not None:
            users = self.bulk.table.columns["USER_ID"]
            assert isinstance(users, Coded)
            stays = np.array([user_id not in user_ids for user_id in users.values], dtype=bool)
            self.load(Bulk(self.schema, self.bulk.table.take(stays[users.codes])))
        self.events.forget(user_ids)
        if kind == "USERS":
            self._put = {key: record for key, record in self._put.items() if key not in user_ids}
            self.journal = [
                entry for entry in self.journal if isinstance(entry, Put) and entry.record_id not in user_ids
            ]
        else:
            self.journal = list(self.events.accepted)
        self.changes += 1
