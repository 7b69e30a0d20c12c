"""JSON as its standard has it: Python reads NaN and Infinity too, which nobody else does."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def loads(text: str | bytes) -> Any:
    """
    :raises ValueError: for what is no JSON; RecursionError for what is nested too deeply.
    """
    return json.loads(text, parse_constant=_no_constant)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
