"""What the inspector writes, in the local cloud only: throw-away sessions, and events on demand.

Amazon Personalize knows no question "as if": what a session touched it knows from PutEvents, which
writes. So a what-if is a session of its own, which nobody else uses and which names no user. It goes
to the open colours directly, past the collector and so past the lake: no training ever sees it, and
it is gone when its colour is torn down. Session-only events are not trained on by Personalize either
(developer guide, "Recording events for anonymous users").
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from inspector.deployment import Deployment
from vocabulary.execute_api import url_at

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

MOST_TOUCHES: Final = 10
"""As many events as PutEvents takes in a request."""


class RefusedError(Exception):
    """The API has refused an event; the message says why."""


@dataclass(frozen=True)
class Sandbox:
    """The local cloud, as something to try things in.

    :param endpoint: of the local cloud.
    """

    deployment: Deployment
    endpoint: str
    _sent: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def of(cls, deployment: Deployment) -> Sandbox | None:
        """None unless the events of this process go to this very machine, by what the client itself says.

        Of several settings it follows one, and may be told to follow none.
        """
        endpoint = str(deployment.client("personalize-events").meta.endpoint_url)
        return cls(deployment, endpoint) if urlsplit(endpoint).hostname in LOOPBACK else None

    def session_of(self, item_ids: Sequence[str]) -> str:
        """What a throw-away session that has viewed these items, the last one last, is called."""
        touched = list(item_ids)[-MOST_TOUCHES:]
        return "what-if-" + hashlib.sha256(json.dumps(touched).encode()).hexdigest()[:20]

    def has_sent(self, item_ids: Sequence[str]) -> bool:
        """Whether every open colour has been told of this session."""
        session_id = self.session_of(item_ids)
        return all(
            (colour.tracking_id, session_id) in self._sent for colour in self.deployment.open_colours()
        )

    def session(self, item_ids: Sequence[str]) -> str:
        """Tell the open colours of the session of these items; answers its id.

        The same items are the same session: asking twice sends nothing twice.
        """
        touched, session_id = list(item_ids)[-MOST_TOUCHES:], self.session_of(item_ids)
        for colour in self.deployment.open_colours() if touched else ():
            if (colour.tracking_id, session_id) in self._sent:
                continue
            now = int(time.time())
            self.deployment.client("personalize-events").put_events(
                trackingId=colour.tracking_id,
                sessionId=session_id,
                eventList=[
                    {
                        "eventId": f"{session_id}-{place}",
                        "eventType": "view",
                        "itemId": item_id,
                        "sentAt": now - len(touched) + place,
                    }
                    for place, item_id in enumerate(touched)
                ],
            )
            self._sent.add((colour.tracking_id, session_id))
        return session_id

    def send(self, user_id: str, event_type: str, item_id: str) -> None:
        """Send a real event of a customer to POST /events, as the shop would.

        :raises RefusedError: when the API does not accept it.
        """
        body = {
            "session_id": f"inspector-{int(time.time())}",
            "user_id": user_id,
            "events": [{"event_type": event_type, "item_id": item_id}],
        }
        headers = {"content-type": "application/json"}
        if key_id := self.deployment.outputs.get("ApiKeyId"):
            key = self.deployment.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)
            headers["x-api-key"] = key["value"]
        request = Request(self._events_url(), json.dumps(body).encode(), headers, method="POST")
        try:
            with urlopen(request, timeout=10):
                return
        except HTTPError as refused:
            with refused:
                raise RefusedError(
                    f"POST /events answered {refused.code}: {refused.read().decode()}"
                ) from None
        except URLError as error:
            raise RefusedError(f"POST /events does not answer: {error.reason}") from None

    def _events_url(self) -> str:
        """Where the local cloud answers for the URL on AWS."""
        try:
            return url_at(self.endpoint, self.deployment.outputs["EventsUrl"]) + "events"
        except ValueError as error:
            raise RefusedError(str(error)) from None
