"""The deployed API, asked as clients ask it, and as those do who should not get in."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any
from urllib.parse import quote

import pytest

from recommendations.experiment import Experiment, experiment_id
from tests.story.deployment import until
from tests.story.serving.served import SALT, SHARES, Served, brand_of
from tests.story.whereabouts import exposures

pytestmark = pytest.mark.story

EXPERIMENT = Experiment(SALT, SHARES["control"], SHARES["treatment"])
TREATED = next(f"u{n}" for n in range(60) if EXPERIMENT.assign(f"u{n}").variant == "treatment")
ROW = "placement=recommended-for-you"


def ids(body: Any) -> list[str]:
    return [item["item_id"] for item in body["items"]]


def test_each_user_sees_what_the_experiment_has_for_them(served: Served) -> None:
    seen: Counter[str] = Counter()
    for n in range(30):
        status, _, body = served.ask(f"/recommendations/u{n}?{ROW}")
        variant = EXPERIMENT.assign(f"u{n}").variant
        assert (status, body["variant"]) == (200, variant)
        assert body["source"] == ("personalize" if variant == "treatment" else "control")
        seen[variant] += 1
    assert set(seen) == {"exempt", "control", "treatment"}


def test_what_those_who_are_measured_saw_is_in_the_lake_once_and_names_none_of_them(served: Served) -> None:
    shown: dict[str, dict[str, Any]] = {}
    for n in range(40, 60):  # whom no other test asks for
        _, _, body = served.ask(f"/recommendations/u{n}?{ROW}")
        if body["variant"] != "exempt":
            shown[EXPERIMENT.assign(f"u{n}").unit_id] = body
    assert {body["variant"] for body in shown.values()} == {"control", "treatment"}

    def theirs() -> list[dict[str, Any]]:
        rows = exposures(served.cloud, served.lake_bucket, "colorway_serving")
        return [row for row in rows if row["unit_id"] in shown]

    until(lambda: len(theirs()) >= len(shown), "the lake has what they were shown")
    rows = theirs()
    assert len(rows) == len(shown)
    for row in rows:
        body = shown[row["unit_id"]]
        assert [row[name] for name in ("variant", "source", "answered_by", "recommendation_id", "items")] == [
            body["variant"],
            body["source"],
            body["colour"],
            body["recommendation_id"],
            len(body["items"]),
        ]
        assert (row["placement"], row["colour"], row["failures"]) == ("recommended-for-you", "maize", [])
        assert row["experiment"] == experiment_id(SALT)
        assert abs(time.time() - row["exposed_at"] / 1000) < 600
        assert not {f"u{n}" for n in range(60)} & set(map(str, row.values()))
        assert SALT not in str(row)


def test_a_filter_with_values_lets_through_only_what_it_says(served: Served) -> None:
    target = f"/recommendations/{TREATED}?{ROW}&num_results=20&filter=of-brands"
    _, _, body = served.ask(f"{target}&filter.BRANDS=aero&filter.BRANDS=bolt")
    assert body["source"] == "personalize"
    assert {brand_of(item) for item in ids(body)} == {"aero", "bolt"}


def test_a_filter_without_values_needs_none(served: Served) -> None:
    _, _, every = served.ask(f"/recommendations/{TREATED}?{ROW}&num_results=45")
    _, _, new = served.ask(f"/recommendations/{TREATED}?{ROW}&num_results=45&filter=not-bought")
    assert new["source"] == "personalize"
    assert set(ids(new)) < set(ids(every))


def test_similar_items_go_with_an_item_and_name_no_user(served: Served) -> None:
    status, _, body = served.ask("/similar/i3?placement=similar-items&num_results=5")
    assert (status, body["source"], body["user_id"], body["variant"]) == (200, "personalize", None, None)
    assert len(ids(body)) == 5
    assert "i3" not in ids(body)


def test_a_ranking_has_the_items_that_were_sent_and_no_other(served: Served) -> None:
    sent = ["i1", "i2", "i3", "i40"]
    status, _, body = served.ask(
        f"/rankings/{TREATED}?placement=ranked", method="POST", body=json.dumps({"item_ids": sent}).encode()
    )
    assert (status, body["source"]) == (200, "personalize")
    assert sorted(ids(body)) == sorted(sent)


def test_a_page_of_the_shop_may_read_the_answer_and_no_other_page(served: Served) -> None:
    target = f"/recommendations/u1?{ROW}"
    for origin, allowed in (("https://shop.example", "https://shop.example"), ("https://evil.example", None)):
        _, headers, _ = served.ask(target, headers={"origin": origin})
        assert headers.get("access-control-allow-origin") == allowed
        status, headers, _ = tell(served, VIEW, headers={"origin": origin})
        assert (status, headers.get("access-control-allow-origin")) == (202, allowed)
        # To a browser a refusal that it may not read looks like no network
        status, headers, _ = served.ask(target, headers={"origin": origin}, key=None)
        assert (status, headers.get("access-control-allow-origin")) == (403, "*")


VIEW: dict[str, Any] = {"session_id": "s1", "events": [{"event_type": "view", "item_id": "i1"}]}


def tell(served: Served, request: Any, **how: Any) -> tuple[int, Any, Any]:
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    return served.ask("/events", method="POST", body=body, url=served.events_url, **how)


REFUSED_EVENTS: dict[str, tuple[Any, dict[str, Any], set[int]]] = {
    "no key": (VIEW, {"key": None}, {403}),
    "a wrong key": (VIEW, {"key": "x" * 40}, {403}),
    "a million bytes and more": ({**VIEW, "user_id": "u" * 1_100_000}, {}, {400, 413}),
    "101 events": ({**VIEW, "events": VIEW["events"] * 101}, {}, {400}),
    "an event of 11 KB": (
        {**VIEW, "events": [{**VIEW["events"][0], "impression": [f"{n}\u20ac" * 80 for n in range(25)]}]},
        {},
        {400},
    ),
    "another type": (VIEW, {"headers": {"content-type": "text/plain"}}, {415}),
    "a marker": ({**VIEW, "events": [{"event_type": "colorway:marker", "item_id": "i"}]}, {}, {400}),
    "a field of the record": ({**VIEW, "received_at": 1}, {}, {400}),
    "a reserved property": (
        {**VIEW, "events": [{**VIEW["events"][0], "properties": {"userId": "u2"}}]},
        {},
        {400},
    ),
    "a line break in an id": ({**VIEW, "user_id": "u1\n{}"}, {}, {400}),
    "deep JSON": (b"[" * 100_000, {}, {400}),
}


@pytest.mark.parametrize("attempt", REFUSED_EVENTS)
def test_no_event_gets_in_that_should_not(attempt: str, served: Served) -> None:
    request, how, allowed = REFUSED_EVENTS[attempt]
    status, _, body = tell(served, request, **how)
    assert status in allowed, body
    assert "event_ids" not in body


ITEMS = json.dumps({"item_ids": ["i1"]}).encode()
RANK: dict[str, Any] = {"method": "POST"}

REFUSED: dict[str, tuple[str, dict[str, Any], set[int]]] = {
    "no key": (f"/recommendations/u1?{ROW}", {"key": None}, {403}),
    "a wrong key": (f"/recommendations/u1?{ROW}", {"key": "x" * 40}, {403}),
    "a key in the query": (f"/recommendations/u1?{ROW}&x-api-key=KEY", {"key": None}, {403}),
    "no key, to rank": ("/rankings/u1?placement=ranked", {**RANK, "key": None, "body": ITEMS}, {403}),
    "another method": (f"/recommendations/u1?{ROW}", {"method": "DELETE"}, {403, 405}),
    "another route": ("/admin", {}, {403, 404}),
    "the root": ("/", {}, {403, 404}),
    "a longer path": (f"/recommendations/u1/u2?{ROW}", {}, {403, 404}),
    "no user": (f"/recommendations/?{ROW}", {}, {400, 403, 404}),
    "no placement": ("/recommendations/u1", {}, {400}),
    "a user id of 257": (f"/recommendations/{'u' * 257}?{ROW}", {}, {400}),
    "an item id of 257": (f"/similar/{'i' * 257}?placement=similar-items", {}, {400}),
    "501 results": (f"/recommendations/u1?{ROW}&num_results=501", {}, {400}),
    "501 items": (
        "/rankings/u1?placement=ranked",
        {**RANK, "body": json.dumps({"item_ids": ["i"] * 501}).encode()},
        {400},
    ),
    "a million bytes": (
        "/rankings/u1?placement=ranked",
        {**RANK, "body": json.dumps({"item_ids": ["i" * 1_000_000]}).encode()},
        {400, 413},
    ),
    "no JSON": ("/rankings/u1?placement=ranked", {**RANK, "body": b"{"}, {400}),
    "deep JSON": ("/rankings/u1?placement=ranked", {**RANK, "body": b"[" * 100_000}, {400}),
    "a body the model does not see": (
        "/rankings/u1?placement=ranked",
        {**RANK, "body": b'{"item_ids": 7}', "headers": {"content-type": "text/plain"}},
        {400},
    ),
    "a filter that is none": (f"/recommendations/u1?{ROW}&filter=of-men", {}, {400}),
    "an expression for a filter": (
        f"/recommendations/u1?{ROW}&filter={quote('INCLUDE ItemID WHERE Items.BRAND IN (*)')}",
        {},
        {400},
    ),
    "an ARN for a filter": (
        f"/recommendations/u1?{ROW}&filter={quote('arn:aws:personalize:us-east-1:0:filter/x', safe='')}",
        {},
        {400},
    ),
    "a filter with a path": (f"/recommendations/u1?{ROW}&filter=..%2Fof-brands", {}, {400}),
    "a value that ends the quotes": (
        f"/recommendations/u1?{ROW}&filter=of-brands&filter.BRANDS=a%22,%22b",
        {},
        {400},
    ),
    "a value with a backslash": (f"/recommendations/u1?{ROW}&filter=of-brands&filter.BRANDS=a%5C", {}, {400}),
    "a value for nothing": (
        f"/recommendations/u1?{ROW}&filter=of-brands&filter.BRANDS=a&filter.X=b",
        {},
        {400},
    ),
    "a filter without its value": (f"/recommendations/u1?{ROW}&filter=of-brands", {}, {400}),
    "context that the placement has not": (f"/recommendations/u1?{ROW}&context.DEVICE=tv", {}, {400}),
    "another placement's filter": ("/similar/i1?placement=similar-items&filter=not-bought", {}, {400}),
    "another placement's route": (f"/similar/i1?{ROW}", {}, {400}),
    "to rank by recommending": ("/recommendations/u1?placement=ranked", {}, {400}),
    "to recommend by ranking": (f"/rankings/u1?{ROW}", {**RANK, "body": ITEMS}, {400}),
    "values for a filter that has none": (
        f"/recommendations/u1?{ROW}&filter=not-bought&filter.BRANDS=aero",
        {},
        {400},
    ),
    "a value of 1,001": (
        f"/recommendations/u1?{ROW}&filter=of-brands&filter.BRANDS={'a' * 1001}",
        {},
        {400},
    ),
    "an id that is no text": (
        "/rankings/u1?placement=ranked",
        {**RANK, "body": b'{"item_ids": [{"$ne": 1}]}'},
        {400},
    ),
    "another environment's placement": (
        "/recommendations/u1?placement=prod%2Frecommended-for-you",
        {},
        {400},
    ),
}


@pytest.mark.parametrize(
    "path",
    [
        "/recommendations/../admin",
        "/recommendations/%2e%2e/%2e%2e/admin",
        "/..;/recommendations/u1",
        "//recommendations/u1",
        "/recommendations//u1",
        "/recommendations%2Fu1",
        "/RECOMMENDATIONS/u1",
        "/recommendations/u1/..%2f..%2frankings",
        "/recommendations/u1%00/admin",
        "/recommendations/u1\\..\\admin",
    ],
)
def test_no_trick_with_paths_leads_past_the_key_or_the_checks(path: str, served: Served) -> None:
    status, _, body = served.ask(f"{path}?{ROW}", key=None)
    assert status in (400, 403, 404), body
    status, _, body = served.ask(f"{path}?placement=ranked")
    assert status in (400, 403, 404), body
    assert "items" not in body


@pytest.mark.parametrize("attempt", REFUSED)
def test_what_should_not_get_in_does_not(attempt: str, served: Served) -> None:
    target, how, allowed = REFUSED[attempt]
    status, _, body = served.ask(target.replace("KEY", served.key), **how)
    assert status in allowed, body
    assert "items" not in body


@pytest.mark.parametrize(
    "user",
    [
        "..%2F..%2Fadmin",
        "%2e%2e",
        "a%00b",
        "a%0d%0aset-cookie:%20x=1",
        "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "%22%7D%2C%7B%22",
        "%F0%9F%91%9F",
        "%FF%FE",
        "a%2526b",
        "%24%7Bjndi:ldap:%2F%2Fx%7D",
    ],
)
def test_an_id_is_an_id_whatever_is_in_it(user: str, served: Served) -> None:
    status, headers, body = served.ask(f"/recommendations/{user}?{ROW}")
    assert status in (200, 400, 403, 404)
    assert "set-cookie" not in headers
    if status == 200:
        assert headers["content-type"].startswith("application/json")
        assert body["items"]
