"""Personalize alone: the three services and the control API on one port of 127.0.0.1.

with PersonalizeServer() as server:
    boto3.client("personalize", endpoint_url=server.endpoint, …)
"""

from __future__ import annotations

import re
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from local_cloud.personalize.control import PREFIX, Control
from local_cloud.personalize.lifecycle import Clock
from local_cloud.personalize.metrics import LoggedMetrics, MetricLog
from local_cloud.personalize.region import Storage
from local_cloud.personalize.service import Personalize
from local_cloud.personalize.state import StateFolder
from local_cloud.personalize.storage import FolderStorage
from local_cloud.personalize.wire import Response

ACCOUNT: Final = "000000000000"
REGION: Final = "us-east-1"
"""Of requests that are not signed."""

_LONGEST_BODY: Final = 10 * 1024**2
_SCOPE: Final = re.compile(r"Credential=[^/,]+/\d{8}/(?P<region>[a-z0-9-]+)/")


class PersonalizeServer:
    """
    :param port: on 127.0.0.1; 0 for any that is free.
    :param storage: where jobs read and write; a folder `s3` in the working directory unless given.
    :param control: clock, faults and settings.
    :param state: a folder in which everything survives; None to begin with nothing and leave nothing.
    :param account: 12 digits.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        storage: Storage | None = None,
        control: Control | None = None,
        state: Path | None = None,
        account: str = ACCOUNT,
    ) -> None:
        self.control = control or Control(clock=Clock())
        self._metrics = self.control.metrics = self.control.metrics or MetricLog()
        self._storage = storage or FolderStorage(Path("s3"))
        self._state = state
        self._account = account
        self._services: dict[str, Personalize] = {}
        self._lock = threading.Lock()
        for region in sorted(path.name for path in (state / account).glob("*")) if state else ():
            self._service(region)
        self._http = _HttpServer(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Answer what has come, and end."""
        self.control.faults.clear()
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()
        for service in self._services.values():
            service.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def answer(self, *, method: str, path: str, headers: dict[str, str], body: bytes) -> Response:
        """
        :param headers: with names in lower case.
        """
        if path.startswith(PREFIX):
            return self.control.answer(method=method, path=path, headers=headers, body=body)
        scope = _SCOPE.search(headers.get("authorization", ""))
        service = self._service(scope["region"] if scope else REGION)
        return service.answer(path=path, headers=headers, body=body)

    def _service(self, region: str) -> Personalize:
        with self._lock:
            if region not in self._services:
                folder = StateFolder(self._state / self._account / region) if self._state else None
                self._services[region] = Personalize(
                    account=self._account,
                    region=region,
                    control=self.control,
                    storage=self._storage,
                    metrics=LoggedMetrics(self._metrics, region),
                    state=folder,
                )
            return self._services[region]


class _HttpServer(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def __init__(self, address: tuple[str, int], personalize: PersonalizeServer) -> None:
        self.personalize = personalize
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _HttpServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Personalize", ""
    timeout = 75
    # An answer leaves in one piece, at once
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > _LONGEST_BODY:
            self.close_connection = True
            self.send_error(413, "The body must have a Content-Length of at most 10 MiB")
            return
        body = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.personalize.answer(
            method=self.command, path=self.path.partition("?")[0], headers=headers, body=body
        )
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the service logs what it refuses."""
