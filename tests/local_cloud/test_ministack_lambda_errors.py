from __future__ import annotations

import traceback

import pytest

from local_cloud.ministack_lambda_errors import error_type


class StackBusy(Exception):
    pass


@pytest.mark.parametrize(
    "error", [StackBusy("not\nyet: wait"), StackBusy(), KeyError("x"), ValueError("a: b.c: d ")], ids=repr
)
def test_the_class_of_the_exception_is_its_type(error: Exception) -> None:
    log = "START\n" + "".join(traceback.format_exception(error))
    assert error_type(log, str(error)) == type(error).__name__


def test_a_log_without_a_traceback_has_no_type() -> None:
    assert error_type("the function printed this and died", "exit status 1") == "Runtime.HandlerError"
