"""Steers a running local cloud, at the addresses that `ministack_control` serves."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

from local_cloud.connection import Connection


def ask(connection: Connection, path: str, change: dict[str, Any] | None = None) -> dict[str, Any]:
    """How what is steered at a path stands, after a change if there is one."""
    request = Request(
        connection.endpoint + path,
        data=None if change is None else json.dumps(change).encode(),
        method="GET" if change is None else "PUT",
    )
    with urlopen(request, timeout=30) as answer:
        told: dict[str, Any] = json.load(answer)
        return told
