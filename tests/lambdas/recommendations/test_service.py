"""Real sockets: whatever the other side does, there is an answer or an error by the deadline."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from recommendations import connection as module
from recommendations.connection import Answer, Broken, Connection, TimedOut
from recommendations.service import ServiceError, SignedService, endpoint_of
from recommendations.signing import Credentials, Signer
from tests.lambdas.recommendations.fakes import Clock
from tests.lambdas.recommendations.misbehaving import (
    Server,
    Treatment,
    answers,
    closes,
    drips,
    hangs,
    sends,
)

PATIENCE = 30.0
"""For what must end well, on a machine that does much else."""


class Asker:
    def __init__(self, url: str) -> None:
        self.wall = Clock()
        self.connection = Connection(url, wall=self.wall)
        signer = Signer("personalize", "us-east-1", lambda: Credentials("a", "s"))
        self.service = SignedService(self.connection, signer)

    def ask(self, within: float = PATIENCE) -> Answer:
        return self.service.ask("POST", "/recommendations", b"{}", deadline=time.monotonic() + within)


@pytest.fixture
def opened() -> Iterator[list[Connection]]:
    connections: list[Connection] = []
    yield connections
    for each in connections:
        each.close()


def asker(server: Server, opened: list[Connection]) -> Asker:
    made = Asker(server.url)
    opened.append(made.connection)
    return made


def test_a_connection_is_kept_for_the_next_request(opened: list[Connection]) -> None:
    with Server(answers(b'{"a":1}')) as server:
        service = asker(server, opened)
        assert [service.ask().body for _ in range(3)] == [b'{"a":1}'] * 3
        assert len(server.connections) == 1
    assert b"authorization: AWS4-HMAC-SHA256 " in server.requests[0]


@pytest.mark.parametrize(
    "treatment",
    [
        hangs,
        drips(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n"),
        drips(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        drips(b"HTTP/1.1 200 OK\r\n", b"x-a: b\r\n"),
        drips(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drips(b"", b"H"),
    ],
    ids=["hangs", "drips body", "drips chunks", "drips headers", "drips statuses", "drips a line"],
)
def test_what_never_ends_is_given_up_at_the_deadline(treatment: Treatment, opened: list[Connection]) -> None:
    with Server(treatment) as server:
        service = asker(server, opened)
        began = time.monotonic()
        with pytest.raises((TimedOut, Broken)):
            service.ask(0.2)
        assert time.monotonic() - began < 30  # the drip itself never ends


@pytest.mark.parametrize(
    "treatment",
    [
        closes,
        sends(b"<html>", keep=False),
        sends(b"HTTP/1.1 OK fine\r\n\r\n", keep=False),
        sends(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}", keep=False),
        sends(b"HTTP/1.1 200 OK\r\ncontent-length: ten\r\n\r\n{}", keep=False),
        sends(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", keep=False),
        sends(b"HTTP/1.1 200 OK\r\ncontent-length: 5000000\r\n\r\n" + b" " * 5000000, keep=False),
        sends(b"\x16\x03\x01" * 30_000, keep=False),
    ],
    ids=["closes", "no HTTP", "no status", "short", "no length", "no chunk", "too long", "noise"],
)
def test_what_is_no_answer_is_said_to_be_none(treatment: Treatment, opened: list[Connection]) -> None:
    with Server(treatment) as server, pytest.raises((Broken, ServiceError)):
        asker(server, opened).ask()


def test_nobody_there_is_an_error_not_a_wait() -> None:
    with pytest.raises(Broken, match="ConnectionRefusedError"):
        Asker("http://127.0.0.1:1").ask()


def test_a_connection_that_was_closed_while_the_sandbox_was_frozen_is_opened_again(
    opened: list[Connection],
) -> None:
    with Server(answers()) as server:
        service = asker(server, opened)
        service.ask()
        server.drop_connections()
        assert service.ask().status == 200
        assert len(server.connections) == 2


def test_one_that_died_without_a_sign_costs_half_of_the_budget(opened: list[Connection]) -> None:
    with Server(answers(), hangs, answers(b"again")) as server:
        service = asker(server, opened)
        service.ask()
        service.wall.now += 60
        assert service.ask(2.0).body == b"again"
        assert len(server.connections) == 2


def test_one_that_was_opened_long_before_its_first_request_is_trusted_no_more_than_that(
    opened: list[Connection],
) -> None:
    with Server(hangs, answers(b"again")) as server:
        service = asker(server, opened)
        service.service.dial()  # as a sandbox does that is kept ready
        while not server.connections or service.connection._dialling:
            time.sleep(0.005)
        service.wall.now += 60
        assert service.ask(2.0).body == b"again"
        assert len(server.connections) == 2


def test_after_a_late_answer_nobody_is_given_it_for_his_own(opened: list[Connection]) -> None:
    late = threading.Event()

    def answers_late(connection: object, over: threading.Event) -> bool:
        late.wait()
        return answers(b"late")(connection, over)  # type: ignore[arg-type]

    with Server(answers_late, answers(b"mine")) as server:
        service = asker(server, opened)
        with pytest.raises(TimedOut):
            service.ask(0.1)
        late.set()
        assert service.ask().body == b"mine"


def test_a_failure_of_the_service_is_tried_once_more_if_that_fits(opened: list[Connection]) -> None:
    with Server(answers(b"", "503 Unavailable"), answers(b"well")) as server:
        assert asker(server, opened).ask().body == b"well"
    with Server(answers(b"", "503 Unavailable")) as server:
        with pytest.raises(ServiceError, match="Http503"):
            asker(server, opened).ask()
        assert len(server.requests) == 2


def test_a_second_try_that_would_not_fit_is_not_made() -> None:
    clock = Clock()

    class Slow(Connection):
        tries = 0

        def exchange(self, *_: object, **__: object) -> Answer:
            self.tries += 1
            clock.now += 0.2
            return Answer(500, {}, b"")

    connection = Slow("http://127.0.0.1:1", clock=clock)
    signer = Signer("personalize", "us-east-1", lambda: Credentials("a", "s"))
    service = SignedService(connection, signer, clock=clock)
    with pytest.raises(ServiceError):
        service.ask("POST", "/recommendations", deadline=clock.now + 0.3)
    assert connection.tries == 1


def test_a_throttled_request_is_not_tried_again(opened: list[Connection]) -> None:
    throttled = answers(
        b'{"message":"Rate exceeded"}',
        "429 Too Many",
        headers="x-amzn-ErrorType: ThrottlingException:http://x\r\n",
    )
    with Server(throttled) as server:
        with pytest.raises(ServiceError, match="ThrottlingException: Rate exceeded") as told:
            asker(server, opened).ask()
        assert (told.value.code, told.value.status) == ("ThrottlingException", 429)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"__type":"com.amazonaws.personalize#ResourceNotFoundException"}', "ResourceNotFoundException"),
        (b'{"code":"AccessDeniedException","message":"no"}', "AccessDeniedException"),
        (b"<Error><Code>NoSuchKey</Code></Error>", "Http400"),
        (b"[]", "Http400"),
    ],
)
def test_errors_are_called_what_the_service_calls_them(
    body: bytes, code: str, opened: list[Connection]
) -> None:
    with Server(answers(body, "400 Bad Request")) as server, pytest.raises(ServiceError) as told:
        asker(server, opened).ask()
    assert told.value.code == code


def test_a_connection_that_comes_too_late_serves_the_next_request(
    monkeypatch: pytest.MonkeyPatch, opened: list[Connection]
) -> None:
    resolved = threading.Event()
    connect = socket.create_connection

    def slowly(address: tuple[str, int], timeout: float) -> socket.socket:
        resolved.wait()
        return connect(address, timeout)

    monkeypatch.setattr(socket, "create_connection", slowly)
    with Server(answers()) as server:
        service = asker(server, opened)
        with pytest.raises(TimedOut):
            service.ask(0.1)
        resolved.set()
        assert service.ask().status == 200
        assert len(server.connections) == 1


def test_look_ups_that_hang_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    never, begun = threading.Event(), []

    def hang(*_: object, **__: object) -> object:
        begun.append(1)
        never.wait()
        raise OSError("over")

    monkeypatch.setattr(socket, "create_connection", hang)
    monkeypatch.setattr(module, "_DIALLING_SECONDS", 0.0)
    service = Asker("http://127.0.0.1:1")
    for _ in range(10):
        with pytest.raises(TimedOut):
            service.ask(0.01)
    assert len(begun) == 4
    never.set()


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "https://host"),
        ({"AWS_ENDPOINT_URL": "http://all"}, "http://all"),
        ({"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_S3": "http://s3"}, "http://s3"),
    ],
)
def test_the_overrides_of_the_aws_sdks_are_honoured(environ: dict[str, str], url: str) -> None:
    assert endpoint_of(environ, "S3", "host") == url


def test_a_url_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"url must be http\(s\)://host"):
        Connection("127.0.0.1:80")
