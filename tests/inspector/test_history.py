from __future__ import annotations

import threading
from pathlib import Path

import pytest

from inspector.history import History
from tests.inspector.deployments import DAY, Lake, event, product


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    lake.put(
        f"events/day={DAY}/a.parquet",
        [
            event("1", "u1", "a", ago=30),
            event("2", "u1", "b", ago=20, kind="purchase"),
            event("2", "u1", "b", ago=19, kind="purchase"),
            event("3", "u2", "a", ago=10),
            event("4", "u2", "c", ago=5),
            event("5", None, "a", ago=4),
            event("6", "u9", "a", kind="colorway:marker"),
        ],
    )
    lake.put("catalogue/items/day=2026-01-01/a.parquet", [product("a", "Of yesterday")])
    lake.put("catalogue/items/day=2026-01-02/a.parquet", [product("a", "Tempo"), product("b", "Stride")])
    return lake


@pytest.fixture
def history(lake: Lake, tmp_path: Path) -> History:
    history = History(lake, bucket="lake", folder=tmp_path / "kept")
    history.refresh()
    return history


def test_touches_are_shown_newest_first_each_event_once_with_the_newest_catalogue(history: History) -> None:
    touches = [(touch.event_type, touch.item.name) for touch in history.touches("u1")]
    assert touches == [("purchase", "Stride"), ("view", "Tempo")]
    assert history.last_touched(["u1", "u2", "nobody"]) == {"u1": "b", "u2": "c"}


def test_an_item_that_the_catalogue_lacks_goes_by_its_id(history: History) -> None:
    assert history.items(["c"])["c"].name == "c"


def test_customers_are_found_by_how_their_id_begins_and_anonymous_ones_by_their_session(
    history: History,
) -> None:
    assert [each.user_id for each in history.search("u")] == ["u1", "u2"]
    assert [each.user_id for each in history.search("session")] == ["session of None"]
    assert [each.user_id for each in history.anonymous()] == ["session of None"]
    assert history.search("'; DROP TABLE events --") == []


def test_neighbours_are_the_customers_who_touched_something_in_common(history: History) -> None:
    assert history.neighbours(["b", "c", "d"], ["a"]) == {"b": 1, "c": 1}


def test_what_is_new_in_the_lake_is_seen_and_only_that_is_copied(lake: Lake, history: History) -> None:
    copied = len(lake.downloads)
    lake.put(f"events/day={DAY}/b.parquet", [event("7", "u3", "a")])
    history.refresh()
    assert [each.user_id for each in history.newcomers(1)] == ["u3"]
    assert lake.downloads[copied:] == [f"events/day={DAY}/b.parquet"]


def test_a_file_that_was_rewritten_is_read_again_and_what_it_no_longer_holds_is_gone(
    lake: Lake, history: History, tmp_path: Path
) -> None:
    assert history.search("u2")
    lake.put(f"events/day={DAY}/a.parquet", [event("1", "u1", "a", ago=30)])
    history.refresh()
    assert history.search("u2") == []
    assert [touch.item.item_id for touch in history.touches("u1")] == ["a"]
    (lake.folder / f"events/day={DAY}/a.parquet").unlink()
    lake.put(f"events/day={DAY}/c.parquet", [event("8", "u3", "a")])
    history.refresh()
    assert [each.user_id for each in history.search("u")] == ["u3"]
    kept = [path.name for path in (tmp_path / "kept" / "lake" / "events").rglob("*.parquet")]
    assert kept == ["c.parquet"]


def test_an_event_that_comes_again_in_a_later_file_counts_once(lake: Lake, history: History) -> None:
    lake.put(f"events/day={DAY}/b.parquet", [event("3", "u2", "a"), event("9", "u2", "a")])
    history.refresh()
    assert {each.user_id: each.events for each in history.search("u")} == {"u1": 2, "u2": 3}
    assert history.counts(["a", "b"]) == {"a": 4, "b": 1}


def test_whoever_has_no_patience_sees_what_was_there_before(lake: Lake, history: History) -> None:
    goes_on, copying = threading.Event(), threading.Event()
    download = lake.download_file

    def slowly(*given: str) -> None:
        copying.set()
        assert goes_on.wait(10)
        download(*given)

    lake.download_file = slowly  # type: ignore[method-assign,assignment]
    lake.put(f"events/day={DAY}/b.parquet", [event("7", "u3", "a")])
    history._looked = 0.0  # as if the last look were long ago
    history.refresh(patience=0)
    assert copying.wait(10)
    assert history.refresh(patience=0) is False
    assert history.reading == "files are copied"
    assert history.search("u3") == []
    goes_on.set()
    history.refresh()
    assert history.search("u3")


def test_products_are_found_by_a_part_of_their_name(history: History) -> None:
    assert [item.item_id for item in history.find_items("TEMP")] == ["a"]
    assert [item.item_id for item in history.find_items("b")] == ["b"]
    assert history.find_items("nothing called so") == []


def test_personas_are_those_of_the_newest_users(lake: Lake, history: History) -> None:
    lake.put("catalogue/users/day=2026-01-01/a.parquet", [{"user_id": "u2", "segment": "DE"}])
    history.refresh()
    assert history.segments() == [("DE", 1)]
    assert [each.user_id for each in history.of_segment("DE")] == ["u2"]


def test_the_sample_is_the_same_whatever_comes_in(lake: Lake, history: History) -> None:
    lake.put(
        f"events/day={DAY}/many.parquet",
        [event(f"{user}-{n}", user, "a") for user in ("v1", "v2", "v3") for n in range(5)],
    )
    history.refresh()
    sampled = history.sample(2)
    lake.put(f"events/day={DAY}/more.parquet", [event("more", "v1", "a")])
    history.refresh()
    assert history.sample(2) == sampled
    assert set(sampled) < {"v1", "v2", "v3"}


def test_a_second_inspector_copies_nothing_again(lake: Lake, history: History, tmp_path: Path) -> None:
    copied = len(lake.downloads)
    again = History(lake, bucket="lake", folder=tmp_path / "kept")
    again.refresh()
    assert again.touches("u1") == history.touches("u1")
    assert len(lake.downloads) == copied


def test_a_folder_may_be_called_whatever_somebody_calls_it(lake: Lake, tmp_path: Path) -> None:
    found = History(lake, bucket="lake", folder=tmp_path / "o'brien [1]", days=90)
    found.refresh()
    assert [each.user_id for each in found.search("u1")] == ["u1"]


def test_an_empty_lake_has_nobody_in_it(tmp_path: Path) -> None:
    history = History(Lake(tmp_path / "empty"), bucket="lake", folder=tmp_path / "kept")
    history.refresh()
    assert (history.search(""), history.anybody(), history.touches("u1"), history.by_day()) == (
        [],
        None,
        [],
        [],
    )
