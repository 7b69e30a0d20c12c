"""The deployed API as its clients use it: recommendations out, events in."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from local_cloud import deployed
from local_cloud.connection import Connection, LocalCloudError
from vocabulary.execute_api import url_at
from vocabulary.placements import from_json


class ApiError(LocalCloudError):
    """The API did not answer with success; the message has status and body."""


@dataclass(frozen=True)
class LiveApi:
    """Both APIs of a deployment.

    :param recommendations_url: ends in `/`, as does `events_url`.
    :param key: for the header `x-api-key`, or None.
    :param placements: names of the placements that it answers for, the product's main one first.
    """

    recommendations_url: str
    events_url: str
    key: str | None
    placements: tuple[str, ...]

    @classmethod
    def of(cls, connection: Connection) -> LiveApi:
        """The APIs that the stacks' outputs name.

        :raises LocalCloudError: when they are not deployed.
        """
        key_id = deployed.output(connection, "ApiKeyId")
        key = connection.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"]
        settings = deployed.settings_with(connection, "PLACEMENTS")
        return cls(
            local_url(connection, deployed.output(connection, "RecommendationsUrl")),
            local_url(connection, deployed.output(connection, "EventsUrl")),
            key,
            tuple(placement.name for placement in from_json(settings["PLACEMENTS"])),
        )

    def url_for(self, user_id: str, **query: str) -> str:
        """Where a customer's recommendations are.

        :param query: parameters of the API; the main placement unless it names one.
        """
        parameters = urlencode({"placement": self.placements[0], **query})
        return f"{self.recommendations_url}recommendations/{quote(user_id, safe='')}?{parameters}"

    def recommendations(self, user_id: str, **query: str) -> dict[str, Any]:
        """`{user_id, placement, items: [{item_id, score?}], recommendation_id, variant, source, colour}`.

        :param query: as in `url_for`.
        """
        return self._call(Request(self.url_for(user_id, **query)))

    def send(
        self, user_id: str, events: Sequence[Mapping[str, Any]], *, session_id: str | None = None
    ) -> dict[str, Any]:
        """Send events `{event_type, item_id, …}` of a customer; answers their ids."""
        body = {"session_id": session_id or str(uuid.uuid4()), "user_id": user_id, "events": list(events)}
        return self._call(
            Request(
                f"{self.events_url}events",
                data=json.dumps(body).encode(),
                headers={"content-type": "application/json"},
                method="POST",
            )
        )

    def _call(self, request: Request) -> dict[str, Any]:
        if self.key:
            request.add_header("x-api-key", self.key)
        try:
            with urlopen(request, timeout=30) as answer:
                parsed: dict[str, Any] = json.load(answer)
                return parsed
        except HTTPError as refused:
            with refused:
                body = refused.read().decode(errors="replace")
            where = f"{request.get_method()} {request.full_url}"
            raise ApiError(f"{where} answered {refused.code}: {body}") from None


def local_url(connection: Connection, url: str) -> str:
    """Where the local cloud answers for an API's URL on AWS.

    :raises LocalCloudError: when it is not the URL of an API's stage.
    """
    try:
        return url_at(connection.endpoint, url)
    except ValueError as error:
        raise LocalCloudError(str(error)) from None
