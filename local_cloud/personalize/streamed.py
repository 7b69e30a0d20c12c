"""The events that were streamed to an Interactions dataset.

Developer guide, "Recording events for anonymous users": an anonymous session stands for a user of that id
until one event carries both, from when on the session's events are the user's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple


class Touch(NamedTuple):
    """One interaction of a user with an item; `timestamp` in Unix seconds.

    :param properties: of a streamed one, by the names of PutEvents.
    """

    user_id: str
    item_id: str
    timestamp: int
    event_type: str | None
    event_value: float | None
    properties: Mapping[str, Any] | None = None


class Event(NamedTuple):
    """One streamed event as it was sent.

    :param properties: by the names of PutEvents: camel case.
    :param attribution_source: `eventAttributionSource`: who recommended the item.
    """

    session_id: str
    user_id: str | None
    event_id: str | None
    item_id: str | None
    timestamp: int
    event_type: str
    event_value: float | None
    impression: list[str] | None = None
    recommendation_id: str | None = None
    properties: Mapping[str, Any] | None = None
    attribution_source: str | None = None


class StreamedEvents:
    """Append-only, apart from whom a session belongs to and users who are deleted.

    :ivar accepted: every event whose id was new, in the order in which they came.
    """

    def __init__(self) -> None:
        self.accepted: list[Event] = []
        self._told: list[tuple[int, Touch]] = []
        self._number = 0
        self._by_session: dict[str, list[Touch]] = {}
        self._by_user: dict[str, list[Touch]] = {}
        self._user_of: dict[str, str] = {}
        self._ids: set[str] = set()

    def add(self, event: Event) -> list[Touch]:
        """What models must learn of it: nothing when its id was seen or it names no item."""
        learnt: list[Touch] = []
        if event.user_id is not None:
            learnt.extend(self._link(event.session_id, event.user_id))
        if event.event_id is None or event.event_id not in self._ids:
            if event.event_id is not None:
                self._ids.add(event.event_id)
            self.accepted.append(event)
            learnt.extend(self._keep(event))
        for touch in learnt:
            self._number += 1
            self._told.append((self._number, touch))
        return learnt

    @property
    def number(self) -> int:
        """Of the last touch that models were told of."""
        return self._number

    def told_after(self, number: int) -> list[Touch]:
        """What models were told of after that one, in order."""
        return [touch for other, touch in self._told if other > number]

    def place_of(self, number: int) -> int:
        """How many touches up to that one there still are: its number once the events are added anew."""
        return sum(other <= number for other, _ in self._told)

    def user_of(self, event: Event) -> str | None:
        """Whose it is by now; None for a session without a user."""
        return event.user_id or self._user_of.get(event.session_id)

    def touches(self) -> list[Touch]:
        """Those of known users: events of a session without a user are not trained on."""
        return [touch for touches in self._by_user.values() for touch in touches]

    def touches_of(self, user_id: str) -> list[Touch]:
        """Those of a user or of a session that stands for one."""
        return [*self._by_user.get(user_id, ()), *self._by_session.get(user_id, ())]

    def forget(self, user_ids: Collection[str]) -> None:
        """Everything of these users, and of the sessions that were theirs."""
        sessions = {session for session, user in self._user_of.items() if user in user_ids} | set(user_ids)
        self.accepted = [
            event
            for event in self.accepted
            if (self.user_of(event) or event.session_id) not in user_ids and event.session_id not in sessions
        ]
        self._told = [
            (number, touch)
            for number, touch in self._told
            if touch.user_id not in user_ids and touch.user_id not in sessions
        ]
        for user_id in user_ids:
            self._by_user.pop(user_id, None)
        for session in sessions:
            self._by_session.pop(session, None)
            self._user_of.pop(session, None)

    def __len__(self) -> int:
        return sum(len(touches) for kept in (self._by_user, self._by_session) for touches in kept.values())

    def _link(self, session_id: str, user_id: str) -> list[Touch]:
        self._user_of[session_id] = user_id
        earlier = [touch._replace(user_id=user_id) for touch in self._by_session.pop(session_id, ())]
        self._by_user.setdefault(user_id, []).extend(earlier)
        return earlier

    def _keep(self, event: Event) -> list[Touch]:
        if event.item_id is None:
            return []
        user_id = self.user_of(event)
        touch = Touch(
            user_id or event.session_id,
            event.item_id,
            event.timestamp,
            event.event_type,
            event.event_value,
            event.properties,
        )
        kept = self._by_user if user_id is not None else self._by_session
        kept.setdefault(touch.user_id, []).append(touch)
        return [touch]
