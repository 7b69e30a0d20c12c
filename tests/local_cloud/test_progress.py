from __future__ import annotations

import io

import pytest

from local_cloud.progress import Progress


def test_a_step_leaves_one_line_with_what_it_said_last_and_its_time() -> None:
    out = io.StringIO()
    progress = Progress(out, terminal=False)
    with progress.step("load") as step:
        step.says("reading")
        step.says("150,000 events")
    (line,) = out.getvalue().splitlines()
    assert line.split() == ["load", "150,000", "events", line.split()[3], "s"]
    assert list(progress.took) == ["load"]


def test_the_parts_of_a_step_stand_under_its_name() -> None:
    out = io.StringIO()
    with Progress(out, terminal=False).step("deploy") as step:
        step.line("first stack", 1.25)
        step.line("second stack", 60)
    first, second = out.getvalue().splitlines()
    assert first.split() == ["deploy", "first", "stack", "1.2", "s"]
    assert second.split() == ["second", "stack", "60.0", "s"]
    assert first.index("first") == second.index("second")


def test_a_step_that_fails_says_so() -> None:
    out = io.StringIO()
    with pytest.raises(OSError), Progress(out, terminal=False).step("start"):
        raise OSError
    assert out.getvalue().split()[:2] == ["start", "failed"]


def test_on_a_terminal_what_goes_on_is_replaced_by_what_came_of_it() -> None:
    out = io.StringIO()
    with Progress(out, terminal=True).step("load") as step:
        step.says("reading")
    shown = out.getvalue().split("\r\033[K")
    assert [part.split()[:2] for part in shown[1:]] == [["load"], ["load", "reading"], ["load", "reading"]]
    assert shown[-1].endswith("s\n")
