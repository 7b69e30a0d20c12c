from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest

from inspector.deployment import Deployment
from inspector.sandbox import MOST_TOUCHES, RefusedError, Sandbox
from tests.inspector.deployments import StandInDeployment
from vocabulary.colours import Names


class Api(BaseHTTPRequestHandler):
    """The local cloud's gateway: takes events of u1 only."""

    taken: list[tuple[str, str | None, dict[str, Any]]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.taken.append((self.path, self.headers["x-api-key"], body))
        self.send_response(202 if body["user_id"] == "u1" else 400)
        self.end_headers()
        self.wfile.write(b'{"message": "user_id is not u1"}')

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    Api.taken = []
    server = HTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def sandbox(endpoint: str, deployment: StandInDeployment | None = None) -> Sandbox:
    deployment = deployment or StandInDeployment()
    deployment.outputs |= {
        "EventsUrl": "https://abc.execute-api.us-east-1.amazonaws.com/v1/",
        "ApiKeyId": "key-id",
    }
    keys = SimpleNamespace(get_api_key=lambda **_: {"value": "secret"})
    clients = {"apigateway": keys, "personalize-events": deployment.events}
    deployment.client = clients.__getitem__  # type: ignore[method-assign,assignment]
    deployment.events.meta.endpoint_url = endpoint
    found = Sandbox.of(cast(Deployment, deployment))
    assert found
    return found


def test_a_real_event_goes_the_way_of_the_shops_own(endpoint: str) -> None:
    sandbox(endpoint).send("u1", "click", "i7")
    ((path, key, body),) = Api.taken
    assert path == "/_aws/execute-api/abc/v1/events"
    assert key == "secret"
    assert body["events"] == [{"event_type": "click", "item_id": "i7"}]
    assert (body["user_id"], body["session_id"][:10]) == ("u1", "inspector-")


def test_an_event_that_is_refused_says_why(endpoint: str) -> None:
    with pytest.raises(RefusedError, match=r"answered 400: .*user_id is not u1"):
        sandbox(endpoint).send("u2", "click", "i7")


def test_an_api_that_is_away_says_so() -> None:
    with pytest.raises(RefusedError, match="does not answer"):
        sandbox("http://127.0.0.1:9").send("u1", "click", "i7")


def test_a_session_is_told_its_touches_in_order_and_no_more_than_go_in_one_call() -> None:
    deployment = StandInDeployment()
    tried = sandbox("http://localhost:1", deployment)
    session = tried.session([f"i{number}" for number in range(12)])
    (call,) = deployment.events.calls
    sent = call["eventList"]
    assert [each["itemId"] for each in sent] == [f"i{number}" for number in range(2, 12)]
    assert len(sent) == MOST_TOUCHES
    assert [each["sentAt"] for each in sent] == sorted(each["sentAt"] for each in sent)
    assert len({each["eventId"] for each in sent}) == MOST_TOUCHES
    assert tried.session(["i1"]) != session
    assert tried.session([]) not in {session}
    assert len(deployment.events.calls) == 2  # touching nothing is told to nobody


@pytest.mark.parametrize(
    ("settings", "there"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, True),
        ({}, False),
        ({"AWS_ENDPOINT_URL": "http://10.0.0.1"}, False),
        # Whatever that setting says, these calls go to AWS
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, False),
        (
            {
                "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
                "AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": "https://personalize-events.eu-west-1.amazonaws.com",
            },
            False,
        ),
    ],
)
def test_nothing_but_this_machine_is_written_to(
    settings: dict[str, str], there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    deployment = Deployment(
        Names("colorway", "test"), lambda service: boto3.client(service, region_name="eu-west-1")
    )
    assert (Sandbox.of(deployment) is not None) == there
