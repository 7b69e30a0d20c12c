from __future__ import annotations

import pytest

from tests.local_cloud.personalize.harness import Cloud, Shop, error_of


def test_the_next_request_follows_the_events_just_sent(here: Cloud, shop: Shop) -> None:
    """Developer guide, "How real-time events influence recommendations"."""
    before = here.recommended(shop.campaign, "newcomer", numResults=10)
    here.sends(shop.tracking_id, "s", ["hat-3", "hat-7", "hat-9"], userId="newcomer")
    after = here.recommended(shop.campaign, "newcomer", numResults=10)
    assert after != before
    assert sum(item.startswith("hat") for item in after) >= 8


def test_an_unknown_user_gets_popular_items(here: Cloud, shop: Shop) -> None:
    """Developer guide, "User-Personalization recipe": new users."""
    assert {"shoe-0", "hat-0"} <= set(here.recommended(shop.campaign, "nobody", numResults=4))


def test_an_anonymous_session_is_a_user_until_one_event_names_the_user(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Recording events for anonymous users"."""
    here.sends(shop.tracking_id, "session", ["hat-3", "hat-7"])
    as_session = here.recommended(shop.campaign, "session", numResults=5)
    assert as_session != here.recommended(shop.campaign, "anne", numResults=5)
    here.sends(shop.tracking_id, "session", ["hat-9"], userId="anne")
    assert all(item.startswith("hat") for item in here.recommended(shop.campaign, "anne", numResults=5))
    events = here.service.region.datasets[shop.interactions].events
    assert [touch.item_id for touch in events.touches_of("anne")] == ["hat-3", "hat-7", "hat-9"]


def test_only_events_of_known_users_are_trained_on(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Recording events for anonymous users"."""
    here.sends(shop.tracking_id, "anonymous", ["hat-3"])
    here.sends(shop.tracking_id, "known", ["hat-4"], userId="anne")
    here.sends(shop.tracking_id, "known", ["hat-5"])
    touches = here.service.region.datasets[shop.interactions].events.touches()
    assert [(touch.user_id, touch.item_id) for touch in touches] == [("anne", "hat-4"), ("anne", "hat-5")]


def test_an_event_id_counts_once(here: Cloud, shop: Shop) -> None:
    """API reference, `Event`, eventId."""
    dataset = here.service.region.datasets[shop.interactions]
    event = {"eventId": "e1", "eventType": "view", "itemId": "hat-1", "sentAt": 2_000_000_000}
    for _ in range(3):
        here.events.put_events(
            trackingId=shop.tracking_id, sessionId="s", userId="u", eventList=[event, event]
        )
    assert [touch.item_id for touch in dataset.touches_of("u")] == ["hat-1"]


def test_events_sent_during_training_count_when_it_is_done(here: Cloud, shop: Shop) -> None:
    arn = here.control.create_solution_version(solutionArn=shop.solution)["solutionVersionArn"]
    here.sends(shop.tracking_id, "s", ["hat-3", "hat-7", "hat-9"], userId="newcomer")
    assert here.settled("solution_version", arn)["status"] == "ACTIVE"
    campaign = here.campaign(arn, "second")
    assert here.recommended(campaign, "newcomer") == here.recommended(shop.campaign, "newcomer")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"trackingId": "unheard-of"}, "tracking id unheard-of"),
        ({"eventList": [{"eventType": "view", "sentAt": 1}] * 11}, "less than or equal to 10"),
        ({"eventList": [{"eventType": "view", "sentAt": 1, "properties": "{"}]}, "JSON object"),
        ({"eventList": [{"eventType": "view", "sentAt": 1, "properties": '{"userId": "u"}'}]}, "userId"),
        ({"eventList": [{"eventType": "v" * 257, "sentAt": 1}]}, "eventType"),
    ],
)
def test_a_wrong_event_is_refused_and_named(
    here: Cloud, shop: Shop, change: dict[str, object], said: str
) -> None:
    """API reference, "PutEvents" and `Event`, properties; NotFound is not among its errors."""
    request = {
        "trackingId": shop.tracking_id,
        "sessionId": "s",
        "eventList": [{"eventType": "view", "sentAt": 1}],
    }
    error = error_of(lambda: here.events.put_events(**(request | change)))
    assert error["Code"] == "InvalidInputException"
    assert said in error["Message"]


def test_events_are_lost_with_their_tracker_only(here: Cloud, shop: Shop) -> None:
    """The dataset keeps what was streamed; what is sent to a deleted tracker is refused."""
    here.sends(shop.tracking_id, "s", ["hat-1"], userId="u")
    here.control.delete_event_tracker(eventTrackerArn=shop.tracker)
    here.gone("event_tracker", shop.tracker)
    assert len(here.service.region.datasets[shop.interactions].events) == 1
    error = error_of(lambda: here.sends(shop.tracking_id, "s", ["hat-1"]))
    assert error["Code"] == "InvalidInputException"


def test_put_items_replaces_a_record_at_once(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Importing items individually": camel case, the whole record."""
    here.events.put_items(
        datasetArn=shop.items,
        items=[{"itemId": "shoe-0", "properties": '{"brand": "zed", "creationTimestamp": 1}'}],
    )
    record = here.service.region.datasets[shop.items].record("shoe-0")
    assert record == {"ITEM_ID": "shoe-0", "BRAND": "zed", "CREATION_TIMESTAMP": 1}
