"""The type of a function's error: on AWS the class of the exception, in MiniStack always the same.

Step Functions retries and catches by that name ("Handle error conditions in a Step Functions
workflow", developer guide), so that without it no Retry of ours would ever act.
"""

from __future__ import annotations

from typing import Any, Final

from ministack.services import lambda_svc

_UNTYPED: Final = "Runtime.HandlerError"


def register() -> None:
    """From now on `errorType` is the name of the exception's class."""
    run = lambda_svc._execute_function_warm

    def run_and_name(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        result: dict[str, Any] = run(func, event, request_id)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and body.get("errorType") == _UNTYPED:
            body["errorType"] = error_type(result.get("log", ""), body["errorMessage"])
        return result

    lambda_svc._execute_function_warm = run_and_name


def error_type(log: str, message: str) -> str:
    """The exception's class, from the traceback that ends the log.

    >>> error_type("Traceback (most recent call last):\\n  File …\\nflip.StackBusy: not yet\\n", "not yet")
    'StackBusy'
    """
    before = log.rstrip().removesuffix(message.rstrip()).rstrip().removesuffix(":")
    name = before.rpartition("\n")[2].rpartition(".")[2]
    return name if name.isidentifier() else _UNTYPED
