from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from retraining.flip_handler import FlipTakenBack, prove, require_pointer
from retraining.heartbeat import HeartbeatFailed, Sample, check_answers, check_campaign
from retraining.proving import Proof
from retraining.reports import Reports
from retraining.rollback import NoWayBack, roll_back
from retraining.sampling import NothingToSample, sample, sample_of_strangers
from tests.lambdas.retraining.fakes import S3, Campaigns
from tests.lambdas.retraining.test_live_colour import Cloud
from tests.lambdas.retraining.test_plan import SETTINGS
from vocabulary.gates import HeartbeatGate, failed
from vocabulary.placements import Placement

ROW = Placement(name="row")
SIMILAR = Placement(name="similar", recipe="aws-similar-items")
POPULAR = Placement(name="popular", recipe="aws-popularity-count")
GATE = HeartbeatGate()
FAVOURITES = [f"p{place}" for place in range(50)]


def list_of(name: str) -> list[str]:
    return [f"{name}{place}" for place in range(25)]


def failing(
    lists: list[list[str]], *, placement: Placement = ROW, live: Any = None, known: int = 2
) -> list[str]:
    return failed(check_answers(placement, lists, known=known, popular=FAVOURITES, live=live, gate=GATE))


def test_lists_of_ones_own_pass() -> None:
    lists = [list_of("a"), FAVOURITES[:25], FAVOURITES[:25]]  # a stranger gets what is popular
    assert failing(lists, live=[list_of("a"), list_of("b"), list_of("c")]) == []


@pytest.mark.parametrize(
    ("lists", "live", "message"),
    [
        ([list_of("a"), list_of("b"), []], None, "empty answers is 1, at most 0 is allowed"),
        ([list_of("a")] * 3, None, "different lists is 1, at least 2 is needed"),
        (
            [FAVOURITES[:25], FAVOURITES[:24], list_of("a")],
            None,
            "share of known users who get just the most popular items is 1.0, at most 0.5 is allowed",
        ),
        (
            [list_of("a"), list_of("b"), list_of("c")],
            [list_of("d"), list_of("e"), list_of("f")],
            "overlap with the live colour is 0.0, at least 0.05 is needed",
        ),
    ],
    ids=["nothing", "one for all", "the popular ones", "nothing of yesterday's"],
)
def test_a_colour_gets_no_traffic_when_it_answers_with(
    lists: list[list[str]], live: Any, message: str
) -> None:
    assert failing(lists, live=live) == [message]


def test_everybody_may_see_the_same_where_popularity_is_the_point() -> None:
    assert failing([FAVOURITES[:25]] * 3, placement=POPULAR) == []


def test_a_campaign_may_be_slow_once_in_ten_answers_and_never_empty() -> None:
    lists = [list_of("a")] * 10
    assert failed(check_campaign(lists, [5.0] * 9 + [900.0], GATE)) == []
    assert failed(check_campaign([*lists[1:], []], [5.0] * 8 + [301.0, 900.0], GATE)) == [
        "empty answers is 1, at most 0 is allowed",
        "milliseconds within which 9 of 10 answers came is 301, at most 300 is allowed",
    ]


def csv_of(users: int) -> str:
    lines = [f"user-{n % users},item-{n % 7},1795489200,view," for n in range(20_000)]
    return "\n".join(["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE", *lines]) + "\n"


def test_the_sample_is_drawn_from_all_over_the_data_and_the_same_for_the_same_run() -> None:
    rows = csv_of(20_000)
    s3 = S3({"runs/r/interactions/interactions.csv": rows})
    drawn = sample(s3, "b", "r", users=20)
    assert drawn == sample(s3, "b", "r", users=20)
    places = sorted(int(user.removeprefix("user-")) for user in drawn.known)
    assert len(drawn.known) == 20
    assert places[0] < 10_000 < places[-1]
    assert set(drawn.items) == {f"item-{n}" for n in range(7)}
    assert not {f"{user},item" for user in drawn.strangers} & set(rows.split())


def test_the_sample_is_drawn_from_all_the_files_that_spark_writes() -> None:
    header, *lines = csv_of(20_000).splitlines()
    parts = {
        f"runs/r/interactions/part-{n:05}.csv": "\n".join([header, *lines[n * 2500 : (n + 1) * 2500]]) + "\n"
        for n in range(8)
    }
    drawn = sample(S3(parts), "b", "r", users=200)
    quarters = {int(user.removeprefix("user-")) // 5000 for user in drawn.known}
    assert (len(drawn.known), quarters) == (200, {0, 1, 2, 3})
    assert set(drawn.items) == {f"item-{n}" for n in range(7)}
    few = {
        f"runs/r/interactions/part-{n:05}.csv": f"{header}\nu{n},i{n},1795489200,view,\n" for n in range(9)
    }
    assert len(sample(S3(few), "b", "r", users=200).known) == 8  # not read whole: a line of each place


def test_where_an_erasure_has_deleted_the_data_strangers_are_asked_for() -> None:
    s3 = S3({"runs/r/report.json": "{}"})
    with pytest.raises(NothingToSample, match="runs/r/interactions"):
        sample(s3, "b", "r", users=20)
    heart = Heart()
    proof = replace(heart.proof, sample=sample_of_strangers("r", ["i1"]))
    told = roll_back(
        heart.cloud.live, lambda _: proof, heart.reports, takes_events=heart.takes_events, apply=True
    )
    assert told == {"from": "maize", "to": "blue", "moved": True}
    assert {call["userId"] for call in heart.campaigns.calls} == {"colorway-newcomer-r", "colorway-session-r"}


class Heart:
    """A deployment with two placements, maize live, and blue trained."""

    def __init__(self) -> None:
        self.cloud = Cloud("maize")
        self.s3 = S3(
            {
                "runs/r/report.json": json.dumps({"run_id": "r"}),
                "last-good/report.json": json.dumps(
                    {"run_id": "r", "metrics": {"row": {"recipe": ROW.recipe}}}
                ),
                **{
                    f"runs/r/popular/{each.name}.json": json.dumps(
                        {"items": [{"item_id": item} for item in FAVOURITES]}
                    )
                    for each in (ROW, SIMILAR)
                },
            }
        )
        self.reports = Reports(self.s3, "b")
        self.campaigns = Campaigns()
        self.cloud.lambda_.answer = self.answer
        self.lists: Callable[[str, str], list[str]] = lambda colour, user: list_of(user)
        self.takes_events: Callable[[str], bool] = lambda colour: True

    def answer(self, version: str, request: dict[str, Any]) -> Any:
        colour = self.cloud.lambda_.versions[version]["LIVE_COLOUR"]
        return {
            "answers": [
                {"source": "personalize", "colour": colour, "items": self.lists(colour, user)}
                for user in request["user_ids"]
            ]
        }

    @property
    def proof(self) -> Proof:
        return Proof(
            replace(SETTINGS, placements=(ROW, SIMILAR)),
            {"personalize-runtime": self.campaigns}.__getitem__,
            self.reports,
            "r",
            Sample(known=("u1", "u2"), strangers=("new", "session"), items=("i1", "i2")),
        )

    def roll_back(self, *, apply: bool) -> Any:
        return roll_back(
            self.cloud.live, lambda _: self.proof, self.reports, takes_events=self.takes_events, apply=apply
        )


def test_a_colour_that_answers_well_is_proved_and_the_report_says_how() -> None:
    heart = Heart()
    heart.proof.ask_campaigns("blue")
    proved = prove(heart.cloud.live, heart.proof, "blue")
    assert heart.cloud.lambda_.versions[proved["version"]]["LIVE_COLOUR"] == "blue"
    assert heart.cloud.live.served() == "maize"
    told = heart.s3.read_json("runs/r/report.json")
    assert {gate: set(told[gate]) for gate in ("campaigns", "heartbeat")} == {
        "campaigns": {"row", "similar"},
        "heartbeat": {"row", "similar"},
    }
    names = {
        name: [check["name"] for check in told["heartbeat"][name]["checks"]] for name in ("row", "similar")
    }
    assert "overlap with the live colour" in names["row"]
    assert "overlap with the live colour" not in names["similar"]  # no such placement was live
    asked = {(call["userId"], call.get("itemId")) for call in heart.campaigns.calls}
    assert {("u1", None), ("new", None), ("session", None), ("u1", "i1"), ("u2", "i2")} <= asked


def test_what_both_colours_recommended_to_the_same_customers_is_kept_but_not_to_whom() -> None:
    heart = Heart()
    heart.lists = lambda colour, user: [colour, *list_of(user)]
    prove(heart.cloud.live, heart.proof, "blue")
    kept = heart.s3.read_json("runs/r/lists/row.json")
    assert (kept["run_id"], kept["colour"], kept["recipe"]) == ("r", "blue", ROW.recipe)
    assert kept["lists"] == [["blue", *list_of(user)][:25] for user in ("u1", "u2")]
    assert kept["live"] == [["maize", *list_of(user)][:25] for user in ("u1", "u2")]
    assert heart.s3.read_json("runs/r/lists/similar.json")["live"] is None
    assert set(kept) == {"run_id", "placement", "recipe", "colour", "lists", "live"}


def test_a_placement_that_ranks_is_given_items_to_rank() -> None:
    heart = Heart()
    ranks = Placement(name="ranks", recipe="aws-personalized-ranking")
    proof = replace(heart.proof, settings=replace(SETTINGS, placements=(ranks,)))
    assert proof.sample.request(ranks)["item_ids"] == ["i1", "i2"]
    proof.ask_campaigns("blue")
    assert [call["inputList"] for call in heart.campaigns.calls] == ["i1,i2"] * 4


def test_a_colour_that_answers_everybody_alike_is_refused_and_a_deploy_would_publish_the_live_one() -> None:
    heart = Heart()
    heart.lists = lambda colour, user: list_of("x")
    with pytest.raises(HeartbeatFailed, match=r"^row: different lists is 1, at least 2 is needed$"):
        prove(heart.cloud.live, heart.proof, "blue")
    assert heart.cloud.lambda_.latest["LIVE_COLOUR"] == "maize"
    assert heart.s3.read_json("runs/r/report.json")["heartbeat"]["row"]["passed"] is False


def test_going_back_by_hand_is_only_said_until_it_is_applied() -> None:
    heart = Heart()
    assert heart.roll_back(apply=False) == {"from": "maize", "to": "blue", "moved": False}
    assert (heart.cloud.live.pointed(), heart.cloud.live.served()) == ("maize", "maize")
    assert heart.roll_back(apply=True) == {"from": "maize", "to": "blue", "moved": True}
    assert (heart.cloud.live.pointed(), heart.cloud.live.served()) == ("blue", "blue")
    with pytest.raises(FlipTakenBack, match="the pointer says blue, not maize"):
        require_pointer(heart.cloud.live, "maize")


@pytest.mark.parametrize("gone", ["already", "meanwhile"])
def test_there_is_no_going_back_to_a_colour_that_is_gone(gone: str) -> None:
    heart = Heart()
    heart.campaigns.answers = 0 if gone == "already" else 8  # all of the first asking, none of the second
    with pytest.raises(NoWayBack, match="blue does not answer"):
        heart.roll_back(apply=True)
    assert (heart.cloud.live.pointed(), heart.cloud.live.served()) == ("maize", "maize")


@pytest.mark.parametrize("closed", ["already", "meanwhile"])
def test_there_is_no_going_back_to_a_colour_that_still_answers_and_is_being_torn_down(closed: str) -> None:
    heart = Heart()
    # The first thing that a retirement does; what it deletes next may answer for a while
    heart.takes_events = lambda colour: closed == "meanwhile" and heart.cloud.live.pointed() == "maize"
    with pytest.raises(NoWayBack, match="blue is being torn down"):
        heart.roll_back(apply=True)
    assert (heart.cloud.live.pointed(), heart.cloud.live.served()) == ("maize", "maize")


def test_there_is_no_going_back_from_the_first_colour_nor_during_a_canary() -> None:
    heart = Heart()
    heart.cloud.live.share(heart.cloud.live.prepare("blue"), 0.1)
    with pytest.raises(NoWayBack, match="a canary of blue"):
        heart.roll_back(apply=True)
    heart.cloud.live.reconcile()
    del heart.s3.objects["last-good/report.json"]
    with pytest.raises(NoWayBack, match="maize is the first colour"):
        heart.roll_back(apply=True)


def test_while_a_flip_waits_for_its_containers_whoever_goes_back_is_told_to_wait() -> None:
    heart = Heart()
    # As Lambda has it where an alias has provisioned concurrency: not a canary, which could be stopped
    heart.cloud.live.share(heart.cloud.live.prepare("blue"), 1.0)
    with pytest.raises(NoWayBack, match="until its containers are ready: try again"):
        heart.roll_back(apply=True)
    assert heart.cloud.live.pointed() == "maize"


def test_the_lists_of_a_placement_that_is_no_more_go_when_a_run_is_kept() -> None:
    heart = Heart()
    heart.s3.objects |= {f"popular/{name}.json": b"{}" for name in ("row", "gone")}
    heart.reports.keep("r")
    heart.reports.forget_popular_except(["row"])
    assert [key for key in heart.s3.objects if key.startswith("popular/")] == ["popular/row.json"]
    assert heart.s3.read_json("last-good/report.json") == {"run_id": "r"}
