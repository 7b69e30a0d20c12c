from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from experiments.lake_files import LakeFiles
from experiments.plan import Window
from experiments.reading import Found, UnreadableLake, first_exposure, read
from experiments.sums import Sums
from recommendations.experiment import Experiment
from tests.experiments.lakes import DAY_MS, FIRST, FIRST_MS, HOUR_MS, Lake, event

WINDOW = Window(FIRST, 3)
EXPERIMENT = Experiment("a salt for the tests", 5000, 5000)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, EXPERIMENT)


def find(lake: Lake, window: Window = WINDOW) -> Found:
    last = window.first + timedelta(days=window.days)
    return read(LakeFiles.below(lake.folder, window.first, last), lake.experiment, window)


def somebody(variant: str, number: int = 0) -> str:
    """A user of a variant, and others of it by other numbers."""
    users = (f"u{each}" for each in range(10_000))
    return [user for user in users if EXPERIMENT.assign(user).variant == variant][number]


def test_what_is_done_after_the_first_exposure_counts_once_for_whoever_was_exposed(lake: Lake) -> None:
    user, never = somebody("treatment"), somebody("treatment", 1)
    shown = lake.expose(user, 10 * HOUR_MS, "r1")
    lake.put_exposures([shown, shown, lake.expose(user, 11 * HOUR_MS, "r2")])
    bought = event("e2", user, "purchase", 12 * HOUR_MS, 30.0)
    lake.put_events(
        [
            event("e1", user, "purchase", 9 * HOUR_MS, 999.0),
            *(bought, bought),
            event("e3", user, "click", DAY_MS + 1),
            event("e4", user, "view", 12 * HOUR_MS),
            event("e5", never, "purchase", 12 * HOUR_MS, 10.0),
            event("e6", user, "purchase", 3 * DAY_MS, 10.0),
        ]
    )
    found = find(lake)
    assert found.served["treatment"].exposures == 2
    totals = found.totals["treatment"]
    assert totals["conversion"] == Sums(1, 1, 1, 1, 1, 1, 1, 1)
    assert totals["revenue_per_user"] == Sums(1, 1, 30, 900, 27_000, 1, 1, 30)
    assert totals["clicks_per_exposure"] == Sums(1, 1, 1, 1, 1, 2, 4, 2)
    assert [found.by_day[day]["treatment"]["click_through"].active for day in found.by_day] == [0, 1]


def test_anonymous_visitors_go_by_their_session(lake: Lake) -> None:
    session = next(
        name
        for name in (f"session of {each}" for each in range(99))
        if EXPERIMENT.assign(name).variant == "control"
    )
    lake.put_exposures([lake.expose(session, 0, "r1")])
    clicked = event("e1", None, "click", 5)
    lake.put_events([{**clicked, "session_id": session}])
    assert find(lake).totals["control"]["click_through"].active == 1


def test_sums_by_day_are_those_of_the_users_as_they_stood_that_evening(lake: Lake) -> None:
    one, two = somebody("control"), somebody("control", 1)
    lake.put_exposures(
        [lake.expose(one, 0, "r1"), lake.expose(two, DAY_MS, "r2"), lake.expose(one, 2 * DAY_MS, "r3")]
    )
    lake.put_events(
        [
            event("e1", one, "purchase", 1, 10.0),
            event("e2", one, "purchase", 2 * DAY_MS + 1, 5.0),
            event("e3", two, "purchase", DAY_MS + 1, 2.0),
        ]
    )
    by_day = {day: each["control"]["revenue_per_user"] for day, each in find(lake).by_day.items()}
    assert [(each.users, each.y, each.yy) for each in by_day.values()] == [
        (1, 10, 100),
        (2, 12, 104),
        (2, 17, 229),
    ]


def test_another_experiment_s_exposures_and_those_outside_the_days_are_left_out(lake: Lake) -> None:
    user = somebody("treatment")
    other = Lake(lake.folder, Experiment("another salt for tests", 5000, 5000))
    lake.put_exposures([lake.expose(user, -1, "r1"), lake.expose(user, 3 * DAY_MS, "r2")])
    lake.put_exposures([other.expose(user, 5, "r3")])
    assert find(lake).totals == {}
    files = LakeFiles.below(lake.folder, FIRST - timedelta(days=1), FIRST)
    assert first_exposure(files.exposures, EXPERIMENT) == FIRST_MS - 1


def test_users_seen_in_both_variants_are_left_out_and_counted(lake: Lake) -> None:
    user = somebody("treatment")
    lake.put_exposures([lake.expose(user, 0, "r1"), lake.expose(user, 1, "r2", variant="control")])
    found = find(lake)
    assert (found.crossed, found.totals) == (1, {})


def test_segments_are_those_of_the_newest_catalogue(lake: Lake) -> None:
    user, unknown = somebody("treatment"), somebody("treatment", 1)
    lake.put_exposures([lake.expose(user, 0, "r1"), lake.expose(unknown, 0, "r2")])
    lake.put_users({user: "old"}, FIRST)
    lake.put_users({user: "runners", "somebody else": "others"}, FIRST + timedelta(days=1))
    by_segment = find(lake).by_segment
    assert {name: each["treatment"]["conversion"].users for name, each in by_segment.items()} == {
        "runners": 1
    }


def test_how_each_variant_was_answered_is_counted(lake: Lake) -> None:
    user = somebody("treatment")
    lake.put_exposures(
        [
            lake.expose(user, 0, "r1", source="popular", answered_by=None, failures=["timeout", "throttled"]),
            lake.expose(user, 1, "r2", source="popular", colour="none"),
            lake.expose(user, 2, "r3", items=0, took_ms=500.0),
        ]
    )
    served = find(lake).served["treatment"]
    assert (served.exposures, served.failures, served.popular, served.empty) == (3, 2, 1, 1)
    assert served.p95_ms > 60


def test_an_empty_lake_is_an_empty_report(lake: Lake) -> None:
    assert find(lake) == Found()
    assert first_exposure([], EXPERIMENT) is None


def test_a_damaged_file_is_named(lake: Lake) -> None:
    lake.put_exposures([lake.expose(somebody("control"), 0, "r1")])
    damaged = lake.folder / f"exposures/day={FIRST}/damaged.parquet"
    damaged.write_bytes(b"PAR1 no more of it")
    with pytest.raises(UnreadableLake, match=r"damaged\.parquet"):
        find(lake)


def test_a_purchase_without_a_value_counts_as_one_without_revenue(lake: Lake) -> None:
    user = somebody("control")
    lake.put_exposures([lake.expose(user, 0, "r1")])
    lake.put_events([event("e1", user, "purchase", 1), event("e2", user, "purchase", 2, float("nan"))])
    totals = find(lake).totals["control"]
    assert (totals["conversion"].y, totals["revenue_per_user"].y) == (1, 0)
