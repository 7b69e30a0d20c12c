"""One kept-alive HTTP connection on which everything ends by a deadline.

The timeouts of a socket are between two bytes: an answer that drips never reaches
one. Here every wait, for sending, each piece of an answer, and a new connection,
lasts until the same moment at most.
"""

from __future__ import annotations

import io
import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from http.client import HTTPException, HTTPResponse
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from ssl import SSLContext

_LONGEST_ANSWER: Final = 4 * 1024 * 1024
_CONNECT_SECONDS: Final = 5.0
_DIALLING_AT_MOST: Final = 4
_DIALLING_SECONDS: Final = 1.0
"""After which one that is still under way is not counted on."""


class TimedOut(Exception):
    """There is no answer by the deadline."""


class Broken(Exception):
    """There is no answer, and will be none: refused, closed, or not HTTP."""


class Answer(NamedTuple):
    """An HTTP answer; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """A connection to one address, opened when needed and kept; for one request at a time.

    :param url: of an endpoint, `http(s)://host[:port]`.
    :param ca_bundle: certificates to trust, or None for the system's.
    :param clock: seconds that only grow; deadlines are by it.
    :param wall: seconds of the day, which go on while Lambda has the sandbox frozen.
    """

    def __init__(
        self,
        url: str,
        *,
        ca_bundle: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"url must be http(s)://host[:port], got {url!r}")
        self.host = parts.netloc.rpartition("@")[2]
        self._name, self._tls = parts.hostname, parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._ca_bundle = ca_bundle
        self._clock, self._wall = clock, wall
        self._open: socket.socket | None = None
        self._used_at = 0.0
        self._dialled: SimpleQueue[tuple[socket.socket | OSError, float]] = SimpleQueue()
        self._lock = threading.Lock()
        self._dialling, self._dialling_since = 0, 0.0

    def idle_seconds(self) -> float | None:
        """Since the connection was last used, or opened; None when there is none, or it was closed meanwhile.

        One may have been opened ahead, or for an earlier request that gave up waiting for it.
        """
        while self._open is not None or self._take_dialled():
            assert self._open is not None
            if not select.select([self._open], [], [], 0)[0] or _speaks_of_tls_only(self._open):
                return abs(self._wall() - self._used_at)
            # Nothing was asked for: what there is to read is the end
            self.close()
        return None

    def dial(self) -> None:
        """Begin to open a connection, for whoever needs one next. Returns at once."""
        now = self._clock()
        with self._lock:
            under_way = self._dialling > 0 and now - self._dialling_since < _DIALLING_SECONDS
            if self._open is not None or under_way or self._dialling >= _DIALLING_AT_MOST:
                return
            self._dialling, self._dialling_since = self._dialling + 1, now
        try:
            threading.Thread(target=self._dial, daemon=True).start()
        except RuntimeError:  # no thread to be had
            with self._lock:
                self._dialling -= 1

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, *, deadline: float
    ) -> Answer:
        """Send a request and read its answer. After anything but an answer the connection is closed.

        :raises TimedOut: when that is not done by the deadline.
        :raises Broken: when it cannot be done.
        """
        lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
        head = f"{method} {target} HTTP/1.1\r\n{''.join(lines)}content-length: {len(body)}\r\n\r\n"
        connection = self._connected(deadline)
        try:
            connection.settimeout(self._left(deadline))
            connection.sendall(head.encode("latin-1") + body)
            answer, keep = self._read(connection, method, deadline)
        except TimeoutError:
            self.close()
            raise TimedOut from None
        except (OSError, HTTPException, ValueError) as error:
            self.close()
            raise Broken(f"{type(error).__name__}: {error}") from error
        except BaseException:
            self.close()
            raise
        self._used_at = self._wall()
        if not keep:
            self.close()
        return answer

    def close(self) -> None:
        if self._open is not None:
            with suppress(OSError):
                self._open.close()
            self._open = None

    def _read(self, connection: socket.socket, method: str, deadline: float) -> tuple[Answer, bool]:
        response = HTTPResponse(_Until(self, connection, deadline), method=method)  # type: ignore[arg-type]
        response.begin()
        body = response.read(_LONGEST_ANSWER)
        whole = response.isclosed()
        if not whole and response.read(1):
            raise ValueError(f"an answer longer than {_LONGEST_ANSWER} bytes")
        headers = {name.lower(): value for name, value in response.headers.items()}
        declared = headers.get("content-length")
        if declared is not None and method != "HEAD" and len(body) != int(declared):
            raise ValueError(f"an answer of {len(body)} bytes where {declared} were announced")
        return Answer(response.status, headers, body), not response.will_close

    def _connected(self, deadline: float) -> socket.socket:
        if self._open is None and self.idle_seconds() is None:
            self.dial()
            try:
                dialled, at = self._dialled.get(timeout=max(0.0, deadline - self._clock()))
            except Empty:
                raise TimedOut("connecting") from None
            if not isinstance(dialled, socket.socket):
                raise Broken(f"{type(dialled).__name__}: {dialled}") from dialled
            self._open, self._used_at = dialled, at
        assert self._open is not None
        return self._open

    def _take_dialled(self) -> bool:
        """Take a connection that was opened for nobody yet; answer whether there was one."""
        while not self._dialled.empty():
            dialled, at = self._dialled.get_nowait()
            if isinstance(dialled, socket.socket):
                self._open, self._used_at = dialled, at
                return True
        return False

    def _dial(self) -> None:
        """In a thread of its own, because no timeout bounds the look-up of a name."""
        try:
            found: socket.socket | OSError = self._connect()
        except OSError as error:
            found = error
        with self._lock:
            self._dialling -= 1
        self._dialled.put((found, self._wall()))

    def _connect(self) -> socket.socket:
        connection = socket.create_connection((self._name, self._port), timeout=_CONNECT_SECONDS)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                return _context(self._ca_bundle).wrap_socket(connection, server_hostname=self._name)
        except BaseException:
            connection.close()
            raise
        return connection

    def _left(self, deadline: float) -> float:
        left = deadline - self._clock()
        if left <= 0:
            raise TimedOut
        return left


class _Until(io.RawIOBase):
    """The reading end of a connection, until a deadline. Closing it leaves the connection open."""

    def __init__(self, owner: Connection, connection: socket.socket, deadline: float) -> None:
        self._owner, self._connection, self._deadline = owner, connection, deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        """As http.client asks a socket for it."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self._owner._left(self._deadline))
        return self._connection.recv_into(buffer)


def _speaks_of_tls_only(connection: socket.socket) -> bool:
    """Whether what there is to read is for TLS alone: one of 1.3 begins with tickets for its sessions."""
    if not hasattr(connection, "unwrap"):
        return False
    from ssl import SSLWantReadError

    connection.settimeout(0)
    try:
        connection.recv(1)
    except SSLWantReadError:
        return True
    except OSError:
        pass
    return False


@cache
def _context(ca_bundle: str | None) -> SSLContext:
    from ssl import create_default_context

    return create_default_context(cafile=ca_bundle)
