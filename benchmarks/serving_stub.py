"""The other end of the socket while serving is measured: Personalize, S3 and AppConfig, with one answer each.

A process of its own, so that what it costs is not measured: `python -m benchmarks.serving_stub` prints its
port and answers until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Final

ITEMS: Final = 25

RECOMMENDATIONS: Final = json.dumps(
    {
        "itemList": [{"itemId": f"item-{place:05}", "score": 0.0123 / (place + 1)} for place in range(ITEMS)],
        "recommendationId": "RID-00000000-0000-0000-0000-000000000000",
    }
).encode()

EXPERIMENT: Final = json.dumps(
    {
        "enabled": True,
        "salt": "a salt for measuring",
        "allocation": {"exempt": 0, "control": 0, "treatment": 10_000},
    }
).encode()

_POPULAR = json.dumps({"items": [{"item_id": f"item-{n}", "count": 9} for n in range(500)]}).encode()
_SESSION = json.dumps({"InitialConfigurationToken": "t"}).encode()


class _Answering(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._received = transport, b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
        if end and len(body) >= int(length or 0):
            self._received = b""
            self._transport.write(_answer_to(head))


def _answer_to(head: bytes) -> bytes:
    path, more = head.split(b" ", 2)[1], ""
    if path == b"/recommendations":
        body = RECOMMENDATIONS
    elif path == b"/configurationsessions":
        body = _SESSION
    elif path.startswith(b"/configuration?"):
        body, more = EXPERIMENT, "next-poll-configuration-token: t\r\n"
    else:
        body = _POPULAR
    return (
        "HTTP/1.1 200 OK\r\ndate: Tue, 24 Nov 2026 10:00:00 GMT\r\ncontent-type: application/json\r\n"
        "x-amzn-requestid: 00000000-0000-0000-0000-000000000000\r\nconnection: keep-alive\r\n"
        f"{more}content-length: {len(body)}\r\n\r\n"
    ).encode() + body


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Answering, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
