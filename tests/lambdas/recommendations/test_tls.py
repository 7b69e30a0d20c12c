"""Connections as they are on AWS: over TLS, to a server that is who it says it is."""

from __future__ import annotations

import http.server
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from recommendations.connection import Broken, Connection, TimedOut

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="NOT RUN: no openssl, which makes the certificates"
)


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        body = f"{self.client_address[1]}".encode()  # tells connections apart
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    """Speaks TLS; counts who connected.

    :param version: of TLS, and no other.
    """

    daemon_threads = True

    def __init__(self, certificate: Path, version: ssl.TLSVersion) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = version
        context.load_cert_chain(certificate)
        self.connected = 0
        self._context = context

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        self.connected += 1
        return self._context.wrap_socket(connection, server_side=True), address

    def handle_error(self, *_: object) -> None:
        """A client that does not trust us hangs up: that is what is tested."""


def certificate(folder: Path, name: str) -> Path:
    path = folder / f"{name}.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
            "-addext", f"subjectAltName=DNS:{name}", "-keyout", path, "-out", folder / "certificate",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_text(path.read_text() + (folder / "certificate").read_text())
    return path


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"), "localhost")


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def server(request: pytest.FixtureRequest, trusted: Path) -> Iterator[Server]:
    with Server(trusted, request.param) as running:
        serving = threading.Thread(target=running.serve_forever, args=(0.01,))
        serving.start()
        yield running
        running.shutdown()
        serving.join()


def connect(server: Server, ca_bundle: Path | None, host: str = "localhost") -> Connection:
    return Connection(
        f"https://{host}:{server.server_address[1]}", ca_bundle=str(ca_bundle) if ca_bundle else None
    )


def ask(connection: Connection, within: float = 5) -> bytes:
    headers = {"host": "localhost"}
    return connection.exchange("GET", "/", headers, b"", deadline=time.monotonic() + within).body


def test_one_connection_carries_several_requests(server: Server, trusted: Path) -> None:
    connection = connect(server, trusted)
    first = ask(connection)
    idle = connection.idle_seconds()
    assert idle is not None and idle < 5
    assert [ask(connection), ask(connection)] == [first, first]
    connection.close()


def test_one_that_was_opened_ahead_is_the_one_that_is_used(server: Server, trusted: Path) -> None:
    """A server of TLS 1.3 speaks first, of sessions: that is no sign of an end."""
    connection = connect(server, trusted)
    connection.dial()
    deadline = time.monotonic() + 10
    while connection._dialled.empty():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    ask(connection)
    assert server.connected == 1
    connection.close()


def test_one_that_the_server_has_ended_is_not_used_again(server: Server, trusted: Path) -> None:
    connection = connect(server, trusted)
    first = ask(connection)
    assert connection._open is not None
    connection._open.shutdown(socket.SHUT_WR)  # the server sees the end, and ends it too
    deadline = time.monotonic() + 10
    while connection.idle_seconds() is not None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert ask(connection) != first
    connection.close()


def test_who_is_not_trusted_or_not_meant_gets_no_request(
    server: Server, trusted: Path, tmp_path: Path
) -> None:
    stranger = certificate(tmp_path, "stranger")
    for connection in (
        connect(server, stranger),  # signed by somebody else
        connect(server, None),  # nobody the system knows
        connect(server, trusted, host="127.0.0.1"),  # good for another name
    ):
        with pytest.raises(Broken, match="SSLCertVerificationError"):
            ask(connection)


def test_a_handshake_that_never_ends_is_over_by_the_deadline(trusted: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection = Connection(f"https://localhost:{silent.getsockname()[1]}", ca_bundle=str(trusted))
        began = time.monotonic()
        with pytest.raises(TimedOut):
            ask(connection, within=0.2)
        assert time.monotonic() - began < 30  # silence itself never ends
