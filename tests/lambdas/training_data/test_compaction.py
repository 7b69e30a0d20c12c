from __future__ import annotations

import shutil
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from training_data import compaction
from training_data.compaction import Compaction, Compactor
from training_data.window import DAY_MS
from vocabulary.training_rules import TrainingRules


def run(lake: Any, now: int, has_time: Any = lambda: True, **changed: Any) -> Compaction:
    told: list[str] = []
    compactor = Compactor(
        lake.lake,
        lake.s3,
        new_folder=lake.new_folder,
        has_time=has_time,
        told=lambda file: told.append(file.key),
        **changed,
    )
    done = compactor.run(now)
    assert told == done.quarantined
    return done


def keys(lake: Any, prefix: str = "events/") -> list[str]:
    return sorted(key for bucket, key in lake.s3.objects if bucket == "lake" and key.startswith(prefix))


@pytest.fixture
def small(lake: Any, event: Any, cutoff: int) -> Any:
    """Six small files of one day four days ago, the first of an older shape, and one of today."""
    lake.s3.now = cutoff - 4 * DAY_MS
    for number in range(6):
        lake.put(
            "events",
            [event(user_id=f"u{number}", received_at=cutoff - 4 * DAY_MS - number)],
            day="2026-11-20",
            without=["properties"] if number == 0 else [],
        )
    lake.s3.now = cutoff
    lake.put("events", [event()], day="2026-11-24")
    return lake


def test_a_past_days_small_files_become_one_and_say_the_same(small: Any, cutoff: int) -> None:
    before = small.export()
    assert run(small, cutoff) == Compaction({"2026-11-20": [6, 1]}, [])
    compacted, today = keys(small)
    assert "day=2026-11-20/compacted-" in compacted
    assert "day=2026-11-24/" in today
    after = small.export()
    assert sorted(map(str, after.rows())) == sorted(map(str, before.rows()))
    # When events arrived is still known, though the file was written now
    [file] = small.lake.events(*[_day("2026-11-20")] * 2)
    assert file.written_at == cutoff - 4 * DAY_MS
    assert run(small, cutoff) == Compaction({}, [])


def _day(text: str) -> Any:
    from datetime import date

    return date.fromisoformat(text)


def test_one_files_texts_for_times_do_not_become_the_days(small: Any, cutoff: int) -> None:
    file = small.folder / "typed.parquet"
    duckdb.execute(f"COPY (SELECT 'e' AS event_id, '2026-11-20T10:00:00Z' AS sent_at) TO '{file}'")
    odd = "events/day=2026-11-20/odd.parquet"
    small.s3.put_object(Bucket="lake", Key=odd, Body=file.read_bytes())
    before = small.export(rules=TrainingRules(most_unreadable=0.5))
    assert run(small, cutoff) == Compaction({"2026-11-20": [7, 1]}, [odd])
    after = small.export()
    assert after.report["source"]["unreadable"] == []
    assert sorted(map(str, after.rows())) == sorted(map(str, before.rows()))


def test_after_a_crash_events_are_there_twice_and_count_once_until_it_goes_on(
    small: Any, cutoff: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = small.export()

    def crash(**_: Any) -> None:
        raise RuntimeError("cut off")

    with monkeypatch.context() as patch:
        patch.setattr(small.s3, "delete_object", crash, raising=False)
        with pytest.raises(RuntimeError, match="cut off"):
            run(small, cutoff)
    assert len(keys(small)) == 8
    assert len(small.export().rows()) == len(before.rows())
    run(small, cutoff)
    assert len(keys(small)) == 2
    assert len(small.export().rows()) == len(before.rows())


def test_a_file_that_was_rewritten_meanwhile_wins(small: Any, cutoff: int, monkeypatch: Any) -> None:
    names = keys(small)
    upload = small.s3.upload_file

    def and_somebody_erases(*arguments: Any) -> None:
        upload(*arguments)
        small.s3.now += 60_000
        small.s3.put_object(Bucket="lake", Key=names[0], Body=small.s3.objects["lake", names[1]][0])

    monkeypatch.setattr(small.s3, "upload_file", and_somebody_erases)
    assert run(small, cutoff) == Compaction({}, [])
    assert keys(small) == names


def test_an_unreadable_file_is_put_aside(small: Any, cutoff: int) -> None:
    small.s3.put_object(Bucket="lake", Key="events/day=2026-11-20/broken.parquet", Body=b"PAR1 and no more")
    assert run(small, cutoff) == Compaction({"2026-11-20": [7, 1]}, ["events/day=2026-11-20/broken.parquet"])
    assert keys(small, "events-unreadable/") == ["events-unreadable/day=2026-11-20/broken.parquet"]


def test_without_time_nothing_is_begun(small: Any, cutoff: int) -> None:
    names = keys(small)
    assert run(small, cutoff, has_time=lambda: False) == Compaction({}, [])
    assert keys(small) == names


def scratch(lake: Any, key: str) -> None:
    """Damage a file where only those who read all of it see it: the footer is whole."""
    body = lake.s3.objects["lake", key][0]
    lake.s3.put_object(Bucket="lake", Key=key, Body=body[:4] + b"\xff" * 2000 + body[2004:])


def put_large(lake: Any, event: Any, day: str) -> str:
    key: str = lake.put("events", [event(user_id=f"u{n}") for n in range(500)], day=day)
    return key


def test_also_a_compacted_file_that_was_damaged_since(small: Any, event: Any, cutoff: int) -> None:
    put_large(small, event, "2026-11-20")
    run(small, cutoff)
    compacted, _ = keys(small)
    scratch(small, compacted)
    assert run(small, cutoff) == Compaction({}, [compacted])
    assert keys(small, "events-unreadable/") == [compacted.replace("events/", "events-unreadable/")]


def test_each_large_file_is_looked_at_once_when_there_is_time_for_no_more(
    lake: Any, event: Any, cutoff: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "_SMALL", 1000)
    whole = put_large(lake, event, "2026-11-19")
    for later, day in enumerate((22, 23, 24)):
        key = put_large(lake, event, f"2026-11-{day}")
        scratch(lake, key)
        once = iter([True])
        assert run(lake, cutoff + later * DAY_MS, lambda once=once: next(once, False)).quarantined == [key]
    assert keys(lake) == [whole]


def test_of_a_file_that_the_disk_does_not_hold_only_the_end_is_looked_at(
    lake: Any, event: Any, cutoff: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "_SMALL", 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=999))
    whole, cut_off = (put_large(lake, event, "2026-11-20") for _ in range(2))
    lake.s3.put_object(Bucket="lake", Key=cut_off, Body=lake.s3.objects["lake", cut_off][0][:-20])
    assert run(lake, cutoff).quarantined == [cut_off]
    assert keys(lake) == [whole]


def test_what_memory_does_not_hold_is_not_put_aside(lake: Any, cutoff: int, event: Any) -> None:
    one_long_group = [event(event_id=f"{n}-{'x' * 20_000}") for n in range(300)]
    key = lake.put("events", one_long_group, day="2026-11-20")
    assert run(lake, cutoff, memory_mib=2) == Compaction({}, [])
    assert keys(lake) == [key]
