"""The events that were streamed to an Interactions dataset.

Developer guide, "Recording real-time events": an anonymous session stands for a user of that id
until one event carries both, from when on the session's events are the user's.
"""

from __future__ import annotations

from typing import NamedTuple


class Touch(NamedTuple):
    """One interaction of a user with an item; `timestamp` in Unix seconds."""

    user_id: str
    item_id: str
    timestamp: int
    event_type: str | None
    event_value: float | None


class Event(NamedTuple):
    """One streamed event as it was sent."""

    session_id: str
    user_id: str | None
    event_id: str | None
    item_id: str | None
    timestamp: int
    event_type: str
    event_value: float | None


class StreamedEvents:
    """Append-only, apart from whom a session belongs to.

    `told` holds every touch in the order in which models must learn of it.
    """

    def __init__(self) -> None:
        self.told: list[Touch] = []
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
            learnt.extend(self._keep(event))
        self.told.extend(learnt)
        return learnt

    def touches(self) -> list[Touch]:
        """Those of known users: events of a session without a user are not trained on."""
        return [touch for touches in self._by_user.values() for touch in touches]

    def touches_of(self, user_id: str) -> list[Touch]:
        """Those of a user or of a session that stands for one."""
        return [*self._by_user.get(user_id, ()), *self._by_session.get(user_id, ())]

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
        user_id = event.user_id or self._user_of.get(event.session_id)
        touch = Touch(
            user_id or event.session_id,
            event.item_id,
            event.timestamp,
            event.event_type,
            event.event_value,
        )
        kept = self._by_user if user_id is not None else self._by_session
        kept.setdefault(touch.user_id, []).append(touch)
        return [touch]
