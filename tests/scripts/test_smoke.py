"""What a deployment is asked after it was deployed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.scripts.test_diff import script

smoke = script("smoke")


@contextmanager
def api(*, recommendations: int = 200, events: int = 400, guarded: bool = True) -> Iterator[dict[str, str]]:
    """Both APIs, which answer a known caller so."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status: int) -> None:
            if guarded and self.headers.get("x-api-key") != "known":
                status = 403
            body = json.dumps({"source": "popular"}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.answer(recommendations)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.answer(events)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/v1/"
    yield {"RecommendationsUrl": url, "EventsUrl": url}
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_deployment_that_serves_is_fine() -> None:
    with api() as outputs:
        assert smoke.check(outputs, "recommended-for-you", smoke.by_key("known")) == []


@pytest.mark.parametrize(
    ("like", "said"),
    [
        ({"recommendations": 502}, "recommendations answer 502"),
        ({"guarded": False}, "to a stranger, expected 403"),
        ({"events": 500}, "the collector answers 500"),
    ],
)
def test_what_is_not_as_it_should_be_is_said(like: dict[str, int], said: str) -> None:
    with api(**like) as outputs:  # type: ignore[arg-type]
        (wrong,) = smoke.check(outputs, "recommended-for-you", smoke.by_key("known"))
    assert said in wrong
