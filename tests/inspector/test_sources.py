"""Whatever sources do, a page is there within seconds."""

from __future__ import annotations

import threading
import time

import pytest

from inspector import sources
from inspector.sources import Answer, Source, ask_side_by_side


def test_sources_that_hang_are_waited_for_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_WAITS", 0.3)
    released = threading.Event()

    def ask(source: Source) -> Answer:
        if source.key != "quick":
            released.wait(10)
        return Answer(source)

    try:
        begun = time.monotonic()
        answers = ask_side_by_side([Source(key, key) for key in ("a", "b", "c", "d", "quick")], ask)
        assert time.monotonic() - begun < 1.0
    finally:
        released.set()
    assert [bool(answer.trouble) for answer in answers] == [True, True, True, True, False]
    assert answers[0].trouble == "no answer within 0.3 s: reload to ask again"
