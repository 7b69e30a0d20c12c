"""Addresses by which tests and commands steer a running local cloud, beside those of MiniStack."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack import app


def serve(path: str, *, change: Callable[[Any], None], tell: Callable[[], dict[str, Any]]) -> None:
    """From now on `PUT` changes what is steered at a path, and is answered, as `GET` is, how it stands.

    :param change: takes the JSON that was put; a ValueError, TypeError or KeyError refuses it, with 400.
    :param tell: plain JSON.
    """
    other = app._handle_post_body_shortcuts

    async def handle(
        method: str, asked: str, headers: dict[str, str], body: bytes, query: dict[str, Any], request_id: str
    ) -> Any:
        if asked != path:
            return await other(method, asked, headers, body, query, request_id)
        if method == "PUT":
            try:
                change(json.loads(body))
            except (ValueError, TypeError, KeyError) as error:
                return _answer(400, {"message": str(error)})
        return _answer(200, tell())

    app._handle_post_body_shortcuts = handle


def _answer(status: int, told: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    # The headers are new for each: MiniStack adds to what it is given
    return status, {"Content-Type": "application/json"}, json.dumps(told).encode()
