"""Credentials outside Lambda: from a container's provider, and renewed when due."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from recommendations.credentials import NoCredentials, credentials_of
from recommendations.signing import Credentials


class Provider(http.server.ThreadingHTTPServer):
    """As ECS and EKS have one: new credentials each time, good for `minutes`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Provides)
        self.minutes = 60
        self.asked: list[str | None] = []


class Provides(http.server.BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        self.server.asked.append(self.headers["authorization"])
        number = len(self.server.asked)
        expires = datetime.now(UTC) + timedelta(minutes=self.server.minutes)
        body = json.dumps(
            {
                "AccessKeyId": f"AKID{number}",
                "SecretAccessKey": f"secret{number}",
                "Token": f"token{number}",
                "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        ).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    with Provider() as running:
        url = f"http://127.0.0.1:{running.server_address[1]}/credentials"
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a token of the container")
        serving = threading.Thread(target=running.serve_forever, args=(0.01,))
        serving.start()
        yield running
        running.shutdown()
        serving.join()


def test_a_containers_credentials_are_asked_for_once_while_they_are_good(provider: Provider) -> None:
    current = credentials_of({})
    assert current() == current() == Credentials("AKID1", "secret1", "token1")
    assert provider.asked == ["a token of the container"]


def test_they_are_renewed_before_they_end(provider: Provider) -> None:
    provider.minutes = 5  # less than botocore wants to have left
    current = credentials_of({})
    first, second = current(), current()
    assert first.access_key != second.access_key
    assert second.secret_key.removeprefix("secret") == second.access_key.removeprefix("AKID")
    assert (second.token or "").removeprefix("token") == second.access_key.removeprefix("AKID")


def test_lambdas_own_are_taken_as_they_are_and_nobody_is_asked(provider: Provider) -> None:
    given = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S", "AWS_SESSION_TOKEN": ""}
    assert credentials_of(given)() == Credentials("A", "S", None)
    assert provider.asked == []


def test_where_there_are_none_it_says_so(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    monkeypatch.delenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(NoCredentials, match="set AWS_ACCESS_KEY_ID"):
        credentials_of({})
