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


@pytest.mark.parametrize(("error", "said"), [(OSError, "failed"), (KeyboardInterrupt, "stopped")])
def test_a_step_that_does_not_come_to_its_end_says_so(error: type[BaseException], said: str) -> None:
    out = io.StringIO()
    with pytest.raises(error), Progress(out, terminal=False).step("start"):
        raise error
    assert out.getvalue().split()[:2] == ["start", said]


def test_on_a_terminal_what_goes_on_is_replaced_by_what_came_of_it() -> None:
    out = io.StringIO()
    with Progress(out, terminal=True).step("load") as step:
        step.says("reading")
    shown = out.getvalue().split("\r\033[K")
    assert [part.split()[:2] for part in shown[1:]] == [["load"], ["load", "reading"], ["load", "reading"]]
    assert shown[-1].endswith("s\n")


def test_a_line_fits_into_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = io.StringIO()
    with Progress(out, terminal=True).step("start") as step:
        step.line("first part", 1)
    line = out.getvalue().splitlines()[-1].removeprefix("\r").removeprefix("\033[K")
    assert len(line) < 80
    assert line.endswith("1.0 s")
