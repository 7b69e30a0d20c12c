"""Which web pages may read an answer in a browser (Fetch standard, "CORS protocol")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def leave_to_read(event: Mapping[str, Any], allowed_origins: Sequence[str]) -> dict[str, str]:
    """The headers of an answer that let the caller's page read it, if it is one of the allowed ones.

    :param event: an API Gateway REST proxy event.
    :param allowed_origins: `https://…`, or `*` for any; empty where no page asks, and then there are none.
    """
    if not allowed_origins:
        return {}
    if "*" in allowed_origins:
        return {"access-control-allow-origin": "*"}
    sent: Mapping[str, str] = event.get("headers") or {}
    origin = next((value for name, value in sent.items() if name.lower() == "origin"), None)
    if origin in allowed_origins:
        return {"access-control-allow-origin": str(origin), "vary": "origin"}
    # A cache must not keep for an allowed page what was answered to another
    return {"vary": "origin"}
