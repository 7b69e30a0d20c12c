from __future__ import annotations

from dataclasses import replace
from typing import Any

from training_data.availability import Availability
from training_data.window import DAY_MS


def look(lake: Any, cutoff: int, *, minimum: int) -> dict[str, Any]:
    settings = replace(lake.settings, minimum_interactions=minimum)
    return Availability(settings, lake.lake, lake.new_folder()).look(cutoff)


def test_an_empty_lake_has_not_enough(lake: Any, cutoff: int) -> None:
    assert look(lake, cutoff, minimum=1000) == {"interactions": 0, "minimum": 1000, "enough": False}


def test_events_that_no_rule_will_let_through_do_not_make_enough(lake: Any, event: Any, cutoff: int) -> None:
    lake.put_events(
        *(event(user_id=f"user-{n % 30}") for n in range(90)), *(event(user_id=None) for _ in range(20))
    )
    assert look(lake, cutoff, minimum=100) == {"interactions": 90, "minimum": 100, "enough": False}


def test_enough_interactions_of_too_few_users_are_not_enough(lake: Any, event: Any, cutoff: int) -> None:
    lake.put_events(*(event(user_id=f"user-{n % 24}") for n in range(110)))
    assert look(lake, cutoff, minimum=100) == {"interactions": 110, "minimum": 100, "enough": False}


def test_what_the_data_gate_will_let_through_is_enough(lake: Any, event: Any, cutoff: int) -> None:
    lake.put("items", [{"item_id": f"item-{n}"} for n in range(1, 105)], day="2026-11-23")
    lake.put_events(*(event(user_id=f"user-{n % 25}") for n in range(110)))
    assert look(lake, cutoff, minimum=100) == {"interactions": 104, "minimum": 100, "enough": True}


def test_with_plenty_older_days_are_not_looked_at(
    lake: Any, event: Any, cutoff: int, monkeypatch: Any
) -> None:
    monkeypatch.setattr("training_data.availability._LOOKED_AT_ONCE", 1)  # every file by itself
    lake.put_events(*(event(received_at=cutoff - day * DAY_MS) for day in range(1, 6) for _ in range(40)))
    assert look(lake, cutoff, minimum=2) == {"interactions": 40, "minimum": 2, "enough": True}
    assert len(lake.s3.read) == 1


def test_a_file_damaged_in_the_middle_is_not_counted(lake: Any, event: Any, cutoff: int) -> None:
    lake.put_events(*(event(user_id=f"user-{n}") for n in range(2000)))
    [(body, _)] = [found for (bucket, _), found in lake.s3.objects.items() if bucket == "lake"]
    at = body.index(b"item-1") - 40
    damaged = body[:at] + b"\xff" * 3000 + body[at + 3000 :]
    lake.s3.put_object(Bucket="lake", Key="events/day=2026-11-23/broken.parquet", Body=damaged)
    assert look(lake, cutoff, minimum=50) == {"interactions": 2000, "minimum": 50, "enough": True}
