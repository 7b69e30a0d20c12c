"""Reserved concurrency, for whatever version of a function is invoked.

On AWS a function's versions and aliases share it. MiniStack keeps it with the function, and looks for it
with the version, so that what comes through an alias knows no limit.
"""

from __future__ import annotations

from typing import Any

from ministack.services import lambda_svc


def register() -> None:
    """From now on a function's reserved concurrency limits its versions too."""
    reserved = lambda_svc._reserved_concurrency

    def reserved_of_the_function(func: dict[str, Any], config: dict[str, Any]) -> int | None:
        whole = lambda_svc._functions.get(config.get("FunctionName", "")) or func
        limit: int | None = reserved(whole, config)
        return limit

    lambda_svc._reserved_concurrency = reserved_of_the_function
