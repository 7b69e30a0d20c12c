"""The rules that are a matter of judgement, and the columns beyond the five."""

from __future__ import annotations

from typing import Any

import pytest

from training_data.window import DAY_MS
from vocabulary.schemas import ExtraColumns, columns_of, interactions_schema
from vocabulary.training_rules import TrainingRules, from_json, to_json

NOON = 1_795_435_200_000
"""23 November 2026, 12:00 UTC, in unix milliseconds."""


def visits(event: Any, count: int, *, user: str, session: str | None, every_ms: int = 1000) -> list[Any]:
    """So many views of different items, one after the other, the last at noon."""
    return [
        event(
            user_id=user,
            session_id=session or f"{user}-{n}",
            received_at=NOON - n * every_ms,
            sent_at=NOON - n * every_ms,
        )
        for n in range(count)
    ]


def users_of(exported: Any) -> dict[str, int]:
    users = [row["USER_ID"] for row in exported.rows()]
    return {user: users.count(user) for user in set(users)}


def test_a_user_who_does_more_in_a_day_than_people_do_is_left_out_whole(lake: Any, event: Any) -> None:
    rules = TrainingRules(most_events_per_day=20, most_events_per_session=100)
    robot = visits(event, 21, user="robot", session=None)
    lake.put_events(
        *robot,
        event(user_id="robot", received_at=NOON - 5 * DAY_MS, sent_at=None),
        *visits(event, 20, user="busy", session=None),
        *visits(event, 40, user="regular", session=None, every_ms=DAY_MS // 10),
    )
    exported = lake.export(rules=rules)
    assert users_of(exported) == {"busy": 20, "regular": 40}
    assert exported.dropped() == {"bot": 22}
    told = exported.report["interactions"]["dropped"]["bot"]
    assert told["reason"] == "of a user with over 20 interactions on one day"
    assert len(told["examples"]) == 3


def test_a_session_longer_than_peoples_is_left_out_and_its_user_stays(lake: Any, event: Any) -> None:
    rules = TrainingRules(most_events_per_day=100, most_events_per_session=20)
    lake.put_events(
        *visits(event, 21, user="ada", session="script"),
        *visits(event, 20, user="ada", session="by hand"),
        *visits(event, 20, user="bob", session="script"),
    )
    exported = lake.export(rules=rules)
    assert users_of(exported) == {"ada": 20, "bob": 20}
    assert exported.dropped() == {"bot-session": 21}


def test_of_each_user_the_newest_are_kept_and_those_of_the_same_second(lake: Any, event: Any) -> None:
    last = [event(item_id=f"same-second-{n}", received_at=NOON - 2000, sent_at=NOON - 2000) for n in range(2)]
    lake.put_events(
        event(item_id="newest", received_at=NOON, sent_at=NOON),
        *last,
        event(item_id="older", received_at=NOON - 3000, sent_at=NOON - 3000),
        event(user_id="bob", received_at=NOON - 9000, sent_at=NOON - 9000),
    )
    exported = lake.export(rules=TrainingRules(newest_per_user=2))
    assert sorted(row["ITEM_ID"] for row in exported.rows() if row["USER_ID"] == "ada") == [
        "newest",
        "same-second-0",
        "same-second-1",
    ]
    assert users_of(exported) == {"ada": 3, "bob": 1}
    assert exported.dropped() == {"not-newest": 1}


def test_items_that_are_gone_are_taken_where_the_environment_says_so(lake: Any, event: Any) -> None:
    lake.put("items", [{"item_id": "sold"}], day="2026-11-23")
    lake.put_events(event(item_id="gone"))
    assert lake.export().dropped() == {"unknown-item": 1}
    assert lake.export(rules=TrainingRules(known_items_only=False)).answer["interactions"] == 1


def test_an_event_without_a_value_gets_that_of_its_type(lake: Any, event: Any) -> None:
    lake.put_events(
        event(item_id="seen"),
        event(item_id="bought", event_type="purchase"),
        event(item_id="paid", event_type="purchase", value=80.0),
    )
    exported = lake.export(rules=TrainingRules(event_values={"purchase": 5}))
    values = {row["ITEM_ID"]: row["EVENT_VALUE"] for row in exported.rows()}
    assert values == {"seen": "", "bought": "5.0", "paid": "80.0"}


def test_declared_properties_and_impressions_are_columns_of_schema_and_csv_alike(
    lake: Any, event: Any
) -> None:
    extra = ExtraColumns(
        impressions=True, properties={"pageType": "string", "stars": "float", "size": "long"}
    )
    lake.put_events(
        event(
            item_id="a",
            properties='{"pageType": "ho\\nme", "stars": "4.5", "size": 42, "other": 1}',
            impression=["a", "b"],
        ),
        event(item_id="b", properties='{"stars": "many", "size": 4.2}', impression=[]),
        event(item_id="c", properties="not json", impression=["x" * 300] * 4),
        event(item_id="d", impression=[f"i{n}" for n in range(30)]),
    )
    exported = lake.export(extra=extra)
    header = exported.text("interactions").splitlines()[0]
    assert header == ",".join(columns_of("interactions", extra))
    assert header == "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE,IMPRESSION,PAGE_TYPE,STARS,SIZE"
    rows = {row["ITEM_ID"]: list(row.values())[5:] for row in exported.rows()}
    assert rows["a"] == ["a|b", "ho me", "4.5", "42"]
    # what was touched was shown: the column may not be empty
    assert rows["b"] == ["b", "", "", ""]
    assert rows["c"] == ["c", "", "", ""]
    assert rows["d"][0] == "|".join(f"i{n}" for n in range(25))


def test_a_day_from_before_a_property_was_declared_has_none(lake: Any, event: Any) -> None:
    lake.put("events", [event(item_id="old")], day="2026-11-23", without=["properties", "impression"])
    lake.put_events(event(item_id="new", properties='{"page": "home"}'))
    exported = lake.export(extra=ExtraColumns(impressions=True, properties={"page": "string"}))
    assert {row["ITEM_ID"]: row["PAGE"] for row in exported.rows()} == {"old": "", "new": "home"}


def test_interactions_that_differ_in_a_declared_property_are_two(lake: Any, event: Any) -> None:
    same = {"item_id": "shoe", "received_at": NOON, "sent_at": NOON}
    lake.put_events(*(event(**same, properties=f'{{"page": "{page}"}}') for page in ("home", "home", "cart")))
    extra = ExtraColumns(properties={"page": "string"})
    assert lake.export(extra=extra).answer["interactions"] == 2
    assert lake.export().answer["interactions"] == 1


def test_the_schema_of_the_five_columns_stays_what_it_was() -> None:
    assert interactions_schema() == interactions_schema(ExtraColumns())
    assert '"categorical":true' in interactions_schema(ExtraColumns(properties={"page": "string"}))


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"Page": "string"}, r"properties\[Page\] is 'Page', allowed: camelCase"),
        ({"page": "text"}, "allowed: string, float, long"),
        ({"eventType": "string"}, "none of Personalize's own"),
        ({"eventValue": "float"}, "no column that is there already"),
        ({"itemid": "string"}, "no column that is there already, with or without '_'"),
        ({"eventAttributionSource": "string"}, "no column that is there already"),
        ({"pageType": "string", "pagetype": "string"}, "no column that is there already"),
        ({f"p{n}": "string" for n in range(6)}, "at most 5"),
    ],
)
def test_a_property_that_personalize_cannot_have_is_refused(properties: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ExtraColumns(properties=properties)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"most_events_per_day": 5}, "training_rules.most_events_per_day is 5, allowed: at least 20"),
        ({"newest_per_user": 1}, "newest_per_user is 1, allowed: at least 2, or None"),
        ({"most_unreadable": 2}, "most_unreadable is 2, allowed: 0 to 1"),
        ({"event_values": {"view": 1e39}}, r"event_values\[view\] is 1e\+39"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainingRules(**rule)


def test_rules_and_columns_travel_as_json() -> None:
    rules = TrainingRules(newest_per_user=500, event_values={"purchase": 2.5})
    assert from_json(to_json(rules)) == rules
    extra = ExtraColumns(impressions=True, properties={"page": "string"})
    assert ExtraColumns.from_json(extra.to_json()) == extra
