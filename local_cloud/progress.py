"""What a person sees while something takes long: one line per step, and how long it took."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

_TITLE: Final = 10
_WIDEST: Final = 100
_ERASE: Final = "\r\033[K"


class Progress:
    """Steps of a programme, printed as they end; on a terminal the running one is shown as it goes.

    :param out: where to.
    :param terminal: whether lines may be rewritten there; by default whether it is a terminal.
    """

    def __init__(self, out: TextIO | None = None, *, terminal: bool | None = None) -> None:
        self._out = out or sys.stdout
        self._terminal = self._out.isatty() if terminal is None else terminal
        self._started = time.monotonic()
        self.took: dict[str, float] = {}
        """Seconds of each finished step, by its title."""

    @property
    def elapsed(self) -> float:
        """Seconds since this began."""
        return time.monotonic() - self._started

    @property
    def width(self) -> int:
        """Columns that a line may take: all of a narrow terminal's, and 100 elsewhere."""
        return min(_WIDEST, shutil.get_terminal_size().columns) if self._terminal else _WIDEST

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """A step; what it said last stands in its line, or `failed` when it raises, `stopped` at Ctrl-C."""
        step = Step(self, title)
        try:
            yield step
        except BaseException as error:
            step.line("stopped" if isinstance(error, KeyboardInterrupt) else "failed", step.elapsed)
            raise
        self.took[title] = step.elapsed
        step.finish()

    def say(self, text: str = "") -> None:
        """A line, or several, of its own."""
        self._write(text + "\n")

    def show(self, text: str) -> None:
        """Show what is going on, until the next line replaces it."""
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            self._write(_ERASE + text[:width])

    def print(self, text: str) -> None:
        self._write((_ERASE if self._terminal else "") + text + "\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


class Step:
    """One step of a `Progress`; made by `Progress.step`."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress, self._title, self._text = progress, title, ""
        self._started = time.monotonic()
        self._label = title
        progress.show(_columns(title, ""))

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._started

    def says(self, text: str) -> None:
        """What is going on now; the last that is said becomes the step's line."""
        self._text = text
        self._progress.show(_columns(self._label, text))

    def line(self, text: str, seconds: float | None = None) -> None:
        """A part of the step that has ended: a line that stays."""
        row = _columns(self._label, text)
        if seconds is not None:
            row = f"{row:<{self._progress.width - 10}} {f'{seconds:.1f} s':>8}"
        self._progress.print(row)
        self._label, self._text = "", ""

    def finish(self) -> None:
        """Leave the line of the step, unless its parts have said it all."""
        if self._label or self._text:
            self.line(self._text or "done", self.elapsed)


def _columns(title: str, text: str) -> str:
    return f"  {title:<{_TITLE}}  {text}"
