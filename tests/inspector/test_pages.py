from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from inspector.deployment import Metric, NotDeployedError, Run
from inspector.history import History
from inspector.masks import Masks
from inspector.pages import Inspector
from inspector.sandbox import Sandbox
from inspector.watch_page import CHARTS
from tests.inspector.deployments import (
    DAY,
    NOW,
    Lake,
    StandInDeployment,
    TrainingBucket,
    a_night,
    event,
    product,
    report,
    site,
)
from vocabulary.colours import run_id_of
from vocabulary.placements import Placement

Headers = Sequence[tuple[bytes, bytes]]


class Asked:
    """The inspector's pages, asked as a browser would."""

    def __init__(self, deployment: StandInDeployment, folder: Path, **settings: Any) -> None:
        lake = Lake(folder / "lake")
        lake.put(f"events/day={DAY}/a.parquet", [event("1", "u1", "a"), event("2", "<b>/é?", "b")])
        lake.put(
            "catalogue/items/day=2026-01-01/a.parquet", [product("a", "Tempo"), product("b", "Stride & Co")]
        )
        history = History(lake, bucket="lake", folder=folder / "kept")
        self.app = Inspector(site(deployment, history, **settings)).app()
        self.headers: dict[str, str] = {}

    def get(self, path: str, query: str = "", *, headers: Headers = ()) -> tuple[int, str]:
        return asyncio.run(self._ask("GET", path, query, b"", headers))

    def post(self, path: str, body: str, *, query: str = "", headers: Headers = ()) -> tuple[int, str]:
        return asyncio.run(self._ask("POST", path, query, body.encode(), headers))

    def press(self, path: str, query: str) -> tuple[int, str]:
        """Press a button of a page, and go where that leads."""
        status, _ = self.post(path, "", query=query, headers=[(b"sec-fetch-site", b"same-origin")])
        assert status == 303
        path, _, query = self.headers["location"].partition("?")
        return self.get(path, query)

    async def _ask(
        self, method: str, path: str, query: str, body: bytes, headers: Headers
    ) -> tuple[int, str]:
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [*headers, *([] if dict(headers).get(b"host") else [(b"host", b"127.0.0.1:4580")])],
            "server": ("127.0.0.1", 4580),
            "scheme": "http",
            "root_path": "",
        }
        status, parts = 0, []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            parts.append(message.get("body", b""))

        await self.app(scope, receive, send)
        return status, b"".join(parts).decode()


def test_a_customer_is_shown_beside_what_each_source_recommends(tmp_path: Path) -> None:
    lists = {"maize": ["a", "b"], "popular": ["b", "a"]}
    status, page = Asked(StandInDeployment(lists=lists), tmp_path).get("/customers/u1")
    assert status == 200
    for part in ("Touched, newest first", "maize, live", "popular", "Tempo", "▲1", "▼1", "100% shared"):
        assert part in page
    assert "not there: it is made at night" not in page


def test_a_customer_without_an_id_leads_to_the_customers(tmp_path: Path) -> None:
    asked = Asked(StandInDeployment(lists={"maize": ["a"]}), tmp_path)
    assert asked.get("/customers/")[0] == 303
    assert asked.headers["location"] == "/"


def test_what_is_similar_says_to_what(tmp_path: Path) -> None:
    placements = (Placement(name="rows"), Placement(name="beside", recipe="aws-similar-items"))
    asked = Asked(StandInDeployment(lists={"maize": ["b"]}, placements=placements), tmp_path)
    assert "for what goes with Tempo, touched last" in asked.get("/customers/u1", "placement=beside")[1]
    assert "touched last" not in asked.get("/customers/u1")[1]


def test_columns_are_those_the_address_names_and_one_that_is_away_says_so(tmp_path: Path) -> None:
    lists = {"maize": ["a", "b"], "popular": ["b"]}
    asked = Asked(StandInDeployment(lists=lists), tmp_path)
    _, page = asked.get("/customers/u1", "column=live&column=dormant&column=popular&column=nonsense")
    assert "not there: it is made at night" in page
    assert "no source is called so; there are live, dormant, popular" in page
    assert "1 gone" in page


def test_the_dormant_colour_has_a_column_by_itself_while_it_is_there(tmp_path: Path) -> None:
    deployment = StandInDeployment(lists={"maize": ["a"], "blue": ["b"]}, dormant_is_there=True)
    _, page = Asked(deployment, tmp_path).get("/customers/u1")
    assert '<h2 id="column2">blue, dormant' in page
    del deployment.lists["blue"]  # it takes events, but has no campaign yet
    _, page = Asked(deployment, tmp_path).get("/customers/u1")
    assert "not there" not in page
    _, page = Asked(deployment, tmp_path).get("/customers/u1", "column=dormant")
    assert "not there" in page


def test_a_variant_that_was_compared_is_a_column_of_the_customers_it_was_compared_for(tmp_path: Path) -> None:
    kept = tmp_path / "compared.json"
    variant = {"name": "v2", "says": "a transformer", "recipe": "aws-v2", "metrics": {"coverage": 0.5}}
    kept.write_text(
        json.dumps(
            {
                "run_id": "r",
                "variants": [variant],
                "customers": [{"user_id": "u1", "lists": {"v2": ["b"]}}],
            }
        )
    )
    asked = Asked(StandInDeployment(lists={"maize": ["a"]}), tmp_path, compared=kept)
    _, page = asked.get("/customers/u1", "column=live&column=compared:v2")
    assert "v2, compared" in page
    assert "Stride &amp; Co" in page
    _, other = asked.get("/customers/u2", "column=compared:v2")
    assert "made no list for this customer" in other
    _, models = asked.get("/models")
    assert "a transformer" in models
    assert "on the training data of run r, which is none of those below" in models


def test_names_of_products_and_customers_are_text_not_markup(tmp_path: Path) -> None:
    status, page = Asked(StandInDeployment(lists={"maize": ["b"]}), tmp_path).get("/customers/<b>/é?")
    assert status == 200
    assert "<h1>&lt;b&gt;/é?</h1>" in page
    assert "Stride &amp; Co" in page


def test_a_masked_site_names_no_customer_in_text_or_addresses(tmp_path: Path) -> None:
    masks = Masks("secret")
    asked = Asked(StandInDeployment(lists={"maize": ["a"]}), tmp_path, masks=masks)
    _, front = asked.get("/")
    assert masks.name("u1") in front
    assert "u1<" not in front
    assert "/customers/u1" not in front
    _, page = asked.get(f"/customers/{masks.name('u1')}")
    assert f"<h1>{masks.name('u1')}</h1>" in page
    assert "u1<" not in page
    assert "Tempo" in page


def test_a_mask_that_is_searched_for_leads_to_its_customer_though_others_ids_begin_alike(
    tmp_path: Path,
) -> None:
    masks = Masks("secret")
    asked = Asked(StandInDeployment(lists={"maize": ["a"]}), tmp_path, masks=masks)
    Lake(tmp_path / "lake").put(f"events/day={DAY}/b.parquet", [event("3", "u10", "a")])
    status, page = asked.get("/", f"customer={masks.name('u1')}")
    assert (status, page) == (303, "")
    assert asked.headers["location"] == f"/customers/{masks.name('u1')}"
    assert "The history knows nobody" in asked.get("/customers/customer-")[1]  # half a mask is nobody's


def test_the_same_secret_masks_alike_tomorrow(tmp_path: Path) -> None:
    assert Masks.kept_in(tmp_path).name("u1") == Masks.kept_in(tmp_path).name("u1")
    assert Masks("another").name("u1") != Masks.kept_in(tmp_path).name("u1")


def test_a_placement_that_needs_an_item_says_so_of_who_touched_nothing(tmp_path: Path) -> None:
    similar = Placement(name="similar-items", recipe="aws-similar-items")
    asked = Asked(StandInDeployment(placements=(similar,), lists={"maize": ["a"]}), tmp_path)
    _, page = asked.get("/customers/nobody")
    assert "nothing that it could be similar to" in page


def test_a_search_leads_to_the_one_it_finds_and_otherwise_says_how_to_search(tmp_path: Path) -> None:
    asked = Asked(StandInDeployment(), tmp_path)
    status, page = asked.get("/", "customer=zzz")
    assert status == 200
    assert "from its beginning" in page
    status, _ = asked.get("/", "customer=u1")
    assert (status, asked.headers["location"]) == (303, "/customers/u1")


def test_anybody_leads_to_a_customer_or_stays_where_nobody_has_a_history(tmp_path: Path) -> None:
    status, _ = Asked(StandInDeployment(), tmp_path).get("/", "random=1")
    assert status == 200


def test_the_control_room_shows_the_run_in_progress_phase_by_phase(tmp_path: Path) -> None:
    night, entered = a_night(1, hours=3)
    running = Run("r", "RUNNING", NOW - timedelta(seconds=5), None, "")
    states = [("plan: begin", NOW), ("open: event tracker active?", NOW), ("import: each dataset", NOW)]
    data = [(NOW - timedelta(minutes=2), 7.0), (NOW - timedelta(minutes=1), 9.0)]
    deployment = StandInDeployment(
        runs_=[running, night], states={"r": states, night.name: entered}, data=data
    )
    _, page = Asked(deployment, tmp_path).get("/watch")
    assert '<li class="done" >open' in page
    assert '<li class="now" aria-current="step">import' in page
    assert '<li class="tocome" >train' in page
    assert "Customers wait." in page
    assert "maize live" in page
    assert "Requests answered, in all" in page
    assert 'http-equiv="refresh" content="2"' in page
    _, still = Asked(deployment, tmp_path).get("/watch", "refresh=off")
    assert 'http-equiv="refresh"' not in still


def test_requests_are_named_for_what_their_metrics_count() -> None:
    (counted,) = (lines for title, _, lines in CHARTS if title.startswith("Requests answered"))
    by_name = {name: metric for name, _, metric in counted}
    # Who is in control or exempt counts under the live colour, but never waits for Personalize
    assert by_name["maize live"] == Metric("Recommendations", {"colour": "maize"})
    assert by_name["meant for Personalize"] == Metric("PersonalizeLatency", statistic="SampleCount")


def test_an_alarm_is_not_taken_for_a_claim(tmp_path: Path) -> None:
    _, page = Asked(StandInDeployment(), tmp_path).get("/watch")
    assert page.index("what is noticed when it rings") < page.index("Customers wait.")


def test_a_run_in_progress_has_passed_nothing_yet(tmp_path: Path) -> None:
    began = NOW - timedelta(minutes=9)
    runs = [began - timedelta(days=1), began + timedelta(seconds=2)]
    reports = {f"runs/{run_id_of(at)}/report.json": report(run_id_of(at), coverage=0.5) for at in runs}
    training = TrainingBucket(reports)
    deployment = StandInDeployment(training=training, runs_=[Run("r", "RUNNING", began, None, "")])
    asked = Asked(deployment, tmp_path)
    _, page = asked.get("/models")
    assert page.count(">in progress</td>") == page.count(">passed</td>") == 1
    assert page.index(">in progress</td>") < page.index(">passed</td>")
    deployment.runs_ = [Run("r", "SUCCEEDED", began, NOW, "done", "blue")]
    _, page = asked.get("/models")
    assert page.count(">passed</td>") == 2


def test_the_model_page_shows_past_nights_and_the_lists_of_now(tmp_path: Path) -> None:
    name = "recommended-for-you"
    kept = {
        "recipe": "aws-user-personalization",
        "colour": "blue",
        "lists": [["a", "b"]],
        "live": [["a", "c"]],
    }
    training = TrainingBucket(
        {
            "runs/20261123T030000/report.json": report("20261123T030000", coverage=0.25),
            "runs/20261124T030000/report.json": report("20261124T030000", coverage=0.5),
            f"runs/20261124T030000/lists/{name}.json": kept,
        }
    )
    deployment = StandInDeployment(training=training, lists={"maize": ["a"]})
    asked = Asked(deployment, tmp_path)
    _, page = asked.get("/models")
    assert "Products ever shown: user-personalization at last 0.5 coverage" in page
    assert "Kept from one night to the next: kept at last 0.5 share of the first ten" in page
    assert "23 Nov 03:00" in page
    reads = len(training.reads)
    asked.get("/models")
    assert len(training.reads) == reads  # what has not changed is read once


def test_nobody_is_asked_for_before_the_lake_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sample, kept for ten minutes, would be of those who happen to be known by then."""
    asked = Asked(StandInDeployment(lists={"maize": ["a"]}), tmp_path)
    with monkeypatch.context() as early:
        early.setattr(History, "refresh", lambda *_: False)
        _, page = asked.get("/models")
        assert "still being looked at" in page
        assert "<h2>Now" not in page
    assert "Nobody to ask for: no customer has 5 to 500 events" in asked.get("/models")[1]


def test_a_model_page_before_the_first_training_says_what_to_do(tmp_path: Path) -> None:
    status, page = Asked(StandInDeployment(live=None), tmp_path).get("/models")
    assert status == 200
    assert "make retrain" in page


@pytest.mark.parametrize("path", ["/watch", "/models", "/customers/u1"])
def test_a_back_end_that_fails_is_told_with_what_to_do(tmp_path: Path, path: str) -> None:
    deployment = StandInDeployment(trouble=NotDeployedError("run `make demo`"))
    status, page = Asked(deployment, tmp_path).get(path)
    assert status == 503
    assert "run `make demo`" in page


def test_an_item_has_its_own_page(tmp_path: Path) -> None:
    _, page = Asked(StandInDeployment(), tmp_path).get("/items/b")
    assert "Stride &amp; Co" in page
    assert "add one with the recipe aws-similar-items" in page
    similar = Placement(name="similar-items", recipe="aws-similar-items")
    deployment = StandInDeployment(placements=(similar,), lists={"maize": ["a"]})
    _, page = Asked(deployment, tmp_path).get("/items/b")
    assert "Tempo" in page
    assert "same brand" in page


def test_a_product_that_the_catalogue_lacks_is_said_to_be_unknown(tmp_path: Path) -> None:
    similar = Placement(name="similar-items", recipe="aws-similar-items")
    asked = Asked(StandInDeployment(placements=(similar,), lists={"maize": ["a"]}), tmp_path)
    _, page = asked.get("/items/zzz")
    assert "The catalogue has no product of this id." in page
    assert "Tempo" in page
    _, page = asked.get("/items/b")
    assert "The catalogue has no product" not in page


def test_a_customer_whom_the_history_lacks_is_said_to_be_unknown(tmp_path: Path) -> None:
    asked = Asked(StandInDeployment(lists={"maize": ["a"]}), tmp_path)
    _, page = asked.get("/customers/zzz")
    assert "The history knows nobody of this id" in page
    assert "Tempo" in page
    _, page = asked.get("/customers/u1")
    assert "The history knows nobody" not in page


def test_an_event_on_an_unknown_product_says_what_came_of_it(tmp_path: Path) -> None:
    asked = Asked(StandInDeployment(lists={"maize": ["a"]}), tmp_path)
    _, page = asked.get("/customers/u1", "sent=zzz&before=a")
    assert "the catalogue has no such product" in page
    assert "has not moved" in page
    assert 'http-equiv="refresh"' not in page
    _, page = asked.get("/customers/u1", "sent=b&before=a")
    assert "Waiting for the live list to move" in page
    assert 'http-equiv="refresh"' in page


def test_an_address_without_a_page_has_the_frame_and_its_menu(tmp_path: Path) -> None:
    asked = Asked(StandInDeployment(), tmp_path)
    status, page = asked.get("/nope/<b>")
    assert status == 404
    assert "There is no page at" in page
    assert 'href="/watch"' in page
    assert "<b>" not in page
    assert "default-src 'none'" in asked.headers["content-security-policy"]


def test_a_what_if_with_nothing_touched_has_one_column(tmp_path: Path) -> None:
    asked = Asked(StandInDeployment(lists={"maize": ["a"]}, dormant_is_there=True), tmp_path)
    _, page = asked.get("/try")
    assert page.count('class="column"') == 1
    assert "shared" not in page
    _, page = asked.get("/try", "was=b")
    assert page.count('class="column"') > 1


def test_a_what_if_moves_the_columns_by_a_session_of_its_own(tmp_path: Path) -> None:
    deployment = StandInDeployment(lists={"maize": ["a"]}, dormant_is_there=True)
    sandbox = Sandbox.of(site(deployment, None).deployment)  # type: ignore[arg-type]
    assert sandbox
    session = sandbox.session(["b"])
    deployment.lists[f"maize:{session}"] = ["b", "a"]
    deployment.events.calls.clear()
    asked = Asked(deployment, tmp_path, sandbox=Sandbox(sandbox.deployment, "http://127.0.0.1:1"))
    _, page = asked.press("/try", "touch=b")
    assert "Stride &amp; Co" in page
    assert "▼1" in page
    calls = deployment.events.calls
    assert [call["trackingId"] for call in calls] == ["t-maize", "t-blue"]
    assert {call["sessionId"] for call in calls} == {session}
    assert not any("userId" in call for call in calls)
    assert "has sent nothing" not in page
    asked.press("/try", "touch=b")
    assert len(calls) == 2  # the same what-if is the same session


def test_to_look_at_a_what_if_sends_nothing_and_the_page_offers_to(tmp_path: Path) -> None:
    deployment = StandInDeployment(lists={"maize": ["a"]}, dormant_is_there=True)
    sandbox = Sandbox.of(site(deployment, None).deployment)  # type: ignore[arg-type]
    asked = Asked(deployment, tmp_path, sandbox=sandbox)
    for query in ("touch=b", "touch=b&was=a", "from=u1"):
        status, page = asked.get("/try", query)
        assert (status, "Send these sessions" in page) == ((303, False) if "from" in query else (200, True))
    assert deployment.events.calls == []
    assert "Send these sessions" not in asked.get("/try")[1]
    status, _ = asked.post("/try", "", query="touch=b", headers=[(b"sec-fetch-site", b"cross-site")])
    assert (status, deployment.events.calls) == (403, [])
    asked.press("/try", "from=u1")
    assert [each["itemId"] for each in deployment.events.calls[0]["eventList"]] == ["a"]


def test_on_aws_nothing_is_written_and_the_page_says_so(tmp_path: Path) -> None:
    deployment = StandInDeployment(lists={"maize": ["a"]})
    asked = Asked(deployment, tmp_path)
    _, page = asked.get("/try", "touch=b")
    assert "in the local cloud only" in page
    assert deployment.events.calls == []
    _, customer = asked.get("/customers/u1")
    assert "Send a real event" not in customer
    asked.post("/customers/u1", "item_id=a&event_type=view", headers=[(b"sec-fetch-site", b"same-origin")])
    assert deployment.events.calls == []


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"sec-fetch-site", b"cross-site")],
        [(b"origin", b"https://elsewhere.example")],
    ],
)
def test_a_form_that_another_page_sends_is_refused(tmp_path: Path, headers: Headers) -> None:
    status, _ = Asked(StandInDeployment(), tmp_path).post("/customers/u1", "item_id=a", headers=headers)
    assert status == 403


def test_another_name_for_this_machine_is_not_answered(tmp_path: Path) -> None:
    status, _ = Asked(StandInDeployment(), tmp_path).get("/", headers=[(b"host", b"elsewhere.example")])
    assert status == 400


def test_pages_run_no_script_and_tell_no_other_server_whom_they_show(tmp_path: Path) -> None:
    asked = Asked(StandInDeployment(), tmp_path)
    _, page = asked.get("/")
    assert "<script" not in page
    assert "default-src 'none'" in asked.headers["content-security-policy"]
    assert asked.headers["referrer-policy"] == "same-origin"
