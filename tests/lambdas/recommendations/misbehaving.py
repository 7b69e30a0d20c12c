"""A server that treats each connection as it is told: answers, drips, hangs, closes, talks nonsense."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

Treatment = Callable[[socket.socket, threading.Event], bool]
"""What is done after each request on a connection; answers whether the connection is kept."""


def sends(raw: bytes, *, keep: bool = True) -> Treatment:
    def treat(connection: socket.socket, over: threading.Event) -> bool:
        connection.sendall(raw)
        return keep

    return treat


def answers(
    body: bytes = b"{}", status: str = "200 OK", *, headers: str = "", keep: bool = True
) -> Treatment:
    head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{headers}\r\n"
    return sends(head.encode() + body, keep=keep)


def drips(raw: bytes, endlessly: bytes = b" ") -> Treatment:
    """Sends `raw`, and then a piece every 10 ms until the test is over."""

    def treat(connection: socket.socket, over: threading.Event) -> bool:
        connection.sendall(raw)
        while not over.wait(0.01):
            connection.sendall(endlessly)
        return False

    return treat


def hangs(connection: socket.socket, over: threading.Event) -> bool:
    over.wait()
    return False


def closes(connection: socket.socket, over: threading.Event) -> bool:
    return False


class Server:
    """Treats the first request as the first treatment says, and so on; the last goes for all others."""

    def __init__(self, *treatments: Treatment) -> None:
        self._treatments = list(treatments)
        self._over = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.connections: list[socket.socket] = []
        self.requests: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.drop_connections()
        for thread in self._threads:
            thread.join()
        for connection in self.connections:
            connection.close()

    def drop_connections(self) -> None:
        """Close every connection, as a server does that has waited long enough."""
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _begin(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections.append(connection)
            self._begin(lambda connection=connection: self._serve(connection))  # type: ignore[misc]

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            while request := self._request(connection):
                self.requests.append(request)
                treat = self._treatments.pop(0) if len(self._treatments) > 1 else self._treatments[0]
                if not treat(connection, self._over):
                    break
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    def _request(self, connection: socket.socket) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            piece = connection.recv(65536)
            if not piece:
                return b""
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body
