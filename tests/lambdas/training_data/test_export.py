from __future__ import annotations

from typing import Any

import pytest

from training_data.room import DataTooLarge
from training_data.window import DAY_MS

HEADER = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE"


def items_of(exported: Any) -> list[str]:
    return sorted(row["ITEM_ID"] for row in exported.rows())


def test_an_event_becomes_a_line_of_five_columns(lake: Any, event: Any) -> None:
    lake.put_events(
        event(item_id="shoe", sent_at=1_795_400_000_999, value=120.5), event(item_id="hat", value=None)
    )
    exported = lake.export()
    assert exported.text("interactions").splitlines()[0] == HEADER
    assert {
        "USER_ID": "ada",
        "ITEM_ID": "shoe",
        "TIMESTAMP": "1795400000",  # floored, not rounded
        "EVENT_TYPE": "view",
        "EVENT_VALUE": "120.5",
    } in exported.rows()
    assert exported.answer == {"interactions": 2, "users": 1, "items": 2, "datasets": ["interactions"]}


def test_the_window_ends_before_the_cutoff_and_begins_with_its_first_millisecond(
    lake: Any, event: Any, cutoff: int
) -> None:
    start = cutoff - 30 * DAY_MS
    moments = {
        "too-early": start - 1,
        "first": start,
        "last": cutoff - 1,
        "at-cutoff": cutoff,
        "later": cutoff + 60_000,
    }
    lake.put_events(*(event(item_id=name, received_at=moment) for name, moment in moments.items()))
    exported = lake.export()
    assert items_of(exported) == ["first", "last"]
    assert exported.dropped() == {"before-window": 1, "after-cutoff": 2}


def test_an_event_filed_under_the_day_before_or_after_its_receipt_is_found(
    lake: Any, event: Any, cutoff: int
) -> None:
    start = cutoff - 30 * DAY_MS
    lake.put("events", [event(item_id="early", received_at=start)], day="2026-10-24")
    lake.put("events", [event(item_id="late", received_at=cutoff - 1)], day="2026-11-25")
    assert items_of(lake.export()) == ["early", "late"]


def test_only_partitions_that_can_hold_the_window_are_read(lake: Any, event: Any) -> None:
    outside = [lake.put("events", [event()], day=day) for day in ("2026-10-23", "2026-11-26", "2027-01-01")]
    inside = [lake.put("events", [event()], day=day) for day in ("2026-10-24", "2026-11-25")]
    lake.export()
    assert sorted(lake.s3.read) == sorted(inside)
    assert not set(outside) & set(lake.s3.read)


def test_an_event_delivered_again_days_later_counts_once_as_it_was_first_received(
    lake: Any, event: Any, cutoff: int
) -> None:
    first = event(event_id="same", item_id="first", received_at=cutoff - 3 * DAY_MS)
    lake.put_events(first, event(event_id="same", item_id="again", received_at=cutoff - DAY_MS))
    lake.put("events", [first], day="2026-11-22")
    exported = lake.export()
    assert items_of(exported) == ["first"]
    assert exported.dropped() == {"repeat": 2}


def test_an_event_first_received_before_the_window_does_not_enter_by_its_repeat(
    lake: Any, event: Any, cutoff: int
) -> None:
    start = cutoff - 30 * DAY_MS
    lake.put_events(
        event(event_id="same", received_at=start - 1), event(event_id="same", received_at=start + 1)
    )
    assert lake.export().dropped() == {"before-window": 1, "repeat": 1}


def test_a_session_is_its_users_from_the_beginning_once_they_sign_in(lake: Any, event: Any) -> None:
    lake.put_events(
        event(session_id="s", user_id=None, item_id="before"),
        event(session_id="s", user_id="ada", item_id=None, event_type="sign-in"),
        event(session_id="s", user_id="", item_id="after"),
        event(session_id="other", user_id=None, item_id="stranger"),
        event(session_id=None, user_id=None, item_id="nobody"),
    )
    exported = lake.export()
    assert items_of(exported) == ["after", "before"]
    assert {row["USER_ID"] for row in exported.rows()} == {"ada"}
    assert exported.dropped() == {"other-event-type": 1, "anonymous": 2}
    assert exported.report["interactions"]["changed"]["user-from-session"] == 2


def test_a_session_of_two_users_lends_its_anonymous_events_to_neither(lake: Any, event: Any) -> None:
    lake.put_events(
        event(session_id="shared", user_id=None, item_id="whose"),
        event(session_id="shared", user_id="ada", item_id="hers"),
        event(session_id="shared", user_id="bob", item_id="his"),
    )
    exported = lake.export()
    assert items_of(exported) == ["hers", "his"]
    assert exported.dropped() == {"anonymous": 1}


def test_a_user_who_signs_in_after_the_cutoff_is_not_known_before_it(
    lake: Any, event: Any, cutoff: int
) -> None:
    lake.put_events(
        event(session_id="s", user_id=None), event(session_id="s", user_id="ada", received_at=cutoff)
    )
    assert lake.export().dropped() == {"anonymous": 1, "after-cutoff": 1}


def test_a_time_ahead_of_receipt_is_taken_for_the_time_of_receipt(lake: Any, event: Any, cutoff: int) -> None:
    lake.put_events(
        event(received_at=cutoff - 5000, sent_at=cutoff + DAY_MS),
        event(received_at=cutoff - 5000, sent_at=None),
    )
    exported = lake.export()
    assert [row["TIMESTAMP"] for row in exported.rows()] == [str(cutoff // 1000 - 5)] * 2
    assert exported.report["interactions"]["changed"]["time-ahead-of-receipt"] == 1


def test_only_items_of_the_newest_snapshot_are_trained_on(lake: Any, event: Any) -> None:
    lake.put("items", [{"item_id": "gone", "brand": "x"}], day="2026-11-22")
    lake.put("items", [{"item_id": "kept", "brand": "x"}], day="2026-11-23")
    lake.put_events(event(item_id="gone"), event(item_id="kept"), event(item_id=None), event(item_id=""))
    exported = lake.export()
    assert items_of(exported) == ["kept"]
    assert exported.dropped() == {"unknown-item": 1, "no-item": 2}
    assert exported.report["items"] == {
        "snapshot": "2026-11-23",
        "unreadable": [],
        "rows_in": 1,
        "rows_out": 1,
        "dropped": {},
    }


def test_markers_and_incomplete_events_are_left_out(lake: Any, event: Any) -> None:
    lake.put_events(
        event(event_type="colorway:marker", user_id=None, item_id=None),
        event(event_id=None),
        event(event_type=None),
        event(),
    )
    lake.put("events", [event() | {"received_at": None}], day="2026-11-24")
    assert lake.export().dropped() == {"marker": 1, "incomplete": 3}


def test_the_same_interaction_twice_in_a_second_is_one(lake: Any, event: Any, cutoff: int) -> None:
    second = (cutoff // 1000 - 60) * 1000
    same = {"item_id": "shoe", "received_at": second + 999}
    lake.put_events(
        event(**same, sent_at=second, value=None),
        event(**same, sent_at=second + 999, value=None),
        event(**same, sent_at=second, value=5.0),
        event(**same, sent_at=second - 1, value=None),
    )
    exported = lake.export()
    assert len(exported.rows()) == 3
    assert exported.dropped() == {"duplicate": 1}


@pytest.mark.parametrize(
    "name", ["a,b", 'say "hi"', "back\\slash", '\\"', "ünïcødé 日本 👟", " padded ", "#1", "'"]
)
def test_a_name_of_any_signs_reads_back_as_it_was(lake: Any, event: Any, name: str) -> None:
    lake.put_events(event(user_id=name, item_id=name), event(user_id="plain", item_id="plain"))
    exported = lake.export()
    assert {row["ITEM_ID"] for row in exported.rows()} == {name, "plain"}
    assert {row["USER_ID"] for row in exported.rows()} == {name, "plain"}
    assert exported.text("interactions").splitlines()[0] == HEADER


@pytest.mark.parametrize("name", ["two\nlines", "carriage\r", "nul\x00", "x" * 257])
def test_a_name_that_a_record_cannot_hold_is_left_out(lake: Any, event: Any, name: str) -> None:
    lake.put_events(event(item_id=name), event(user_id=name), event(item_id="x" * 256))
    exported = lake.export()
    assert items_of(exported) == ["x" * 256]
    assert exported.dropped() == {"unwritable": 2}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e300])
def test_a_value_that_no_float_holds_is_empty(lake: Any, event: Any, value: float) -> None:
    lake.put_events(event(value=value))
    exported = lake.export()
    assert [row["EVENT_VALUE"] for row in exported.rows()] == [""]
    assert exported.report["interactions"]["changed"]["value-not-a-float"] == 1


def test_files_of_other_days_may_lack_columns_or_have_more(lake: Any, event: Any) -> None:
    bare = ["value", "properties", "impression", "recommendation_id", "sent_at"]
    lake.put("events", [event(item_id="old", received_at=1_795_400_000_000)], day="2026-11-23", without=bare)
    lake.put_events(event(item_id="new", value=1.0))
    assert {row["ITEM_ID"]: row["EVENT_VALUE"] for row in lake.export().rows()} == {"old": "", "new": "1.0"}


def test_an_empty_lake_exports_a_header_and_says_so(lake: Any) -> None:
    exported = lake.export()
    assert exported.text("interactions") == HEADER + "\n"
    assert exported.answer["interactions"] == 0
    assert exported.report["interactions"]["newest"] is None


def test_items_and_users_are_written_alone_in_their_folders(lake: Any, event: Any) -> None:
    lake.put_events(event(item_id="a"))
    lake.put(
        "items",
        [
            {"item_id": "a", "brand": "Two\nlines, 1", "category": "shoes|red", "price": 9.5},
            {"item_id": "b", "brand": "", "created_at": 1_700_000_000_999},
            {"item_id": "b", "brand": "twice"},
            {"item_id": None, "brand": "nameless"},
        ],
        day="2026-11-20",
    )
    lake.put("users", [{"user_id": "ada", "segment": "GB"}], day="2026-11-20")
    exported = lake.export()
    assert exported.answer["datasets"] == ["interactions", "items", "users"]
    assert sorted(exported.rows("items"), key=lambda row: str(row["ITEM_ID"]))[0] == {
        "ITEM_ID": "a",
        "BRAND": "Two lines, 1",
        "CATEGORY": "shoes|red",
        "PRICE": "9.5",
        "CREATION_TIMESTAMP": "",
    }
    assert exported.rows("users") == [{"USER_ID": "ada", "SEGMENT": "GB"}]
    assert exported.report["items"]["dropped"] == {"no-id": 1, "repeat": 1}
    for folder in ("interactions", "items", "users"):
        assert len([key for key in exported.objects if key.startswith(f"runs/run/{folder}/")]) == 1


def test_the_report_shows_examples_and_no_user(lake: Any, event: Any) -> None:
    lake.put_events(*(event(user_id="secret", event_type="search", item_id=f"i{n}") for n in range(5)))
    exported = lake.export()
    rule = exported.report["interactions"]["dropped"]["other-event-type"]
    assert rule["rows"] == 5
    assert rule["reason"] == "only view, purchase are trained on"
    assert len(rule["examples"]) == 3
    assert set(rule["examples"][0]) == {"event_id", "item_id", "event_type", "received_at"}
    assert b"secret" not in exported.objects["runs/run/report.json"]


def test_data_that_will_not_fit_are_refused_before_any_is_read(
    lake: Any, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.put_events(event())
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    with pytest.raises(DataTooLarge, match=r"lower history_days, or raise training_disk_gib"):
        lake.export()
    assert lake.s3.read == []
