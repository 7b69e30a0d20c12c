"""The promises of docs/architecture.md, told in order on one deployment, from nothing to nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from local_cloud import on_call
from local_cloud.live_api import ApiError
from local_cloud.on_call import RefusedError
from local_cloud.retraining_progress import RetrainingFailedError
from local_cloud.smoke.command import smoke
from local_cloud.status import status
from tests.story.crashes import OF_FIRST_RUN, OF_SLOW_TRAINING, WAYS, Crashes, describe
from tests.story.deployment import Story, until
from tests.story.exactly_once import Scene, check_colour, check_lake
from tests.story.proof import Proof

pytestmark = pytest.mark.story


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with Story(tmp_path_factory.mktemp("story")) as story:
        yield story


def shared(one: list[str], other: list[str]) -> float:
    return len(set(one) & set(other)) / len(one)


def test_01_before_there_is_data_the_first_training_waits_and_pages_nobody(story: Story) -> None:
    states = story.connection.client("stepfunctions")
    arn = story.output("RetrainingArn")

    def first() -> dict[str, str]:
        (run,) = states.list_executions(stateMachineArn=arn)["executions"]
        return dict(states.describe_execution(executionArn=run["executionArn"]))

    until(lambda: first()["status"] != "RUNNING", "the first training ends")
    assert (first()["status"], '"waiting"' in first()["output"]) == ("SUCCEEDED", True)
    assert (story.pointer(), story.groups()) == ("none", [])


def test_02_before_a_colour_is_live_requests_are_answered_all_the_same(story: Story) -> None:
    answer = story.api.recommendations("anybody", placement="recommended-for-you")
    assert (answer["source"], answer["colour"], answer["items"]) == ("popular", None, [])


def test_03_the_first_training_makes_maize_live(story: Story) -> None:
    story.load_history()
    assert story.retrain()["outcome"] == "done"
    assert (story.pointer(), story.groups()) == ("maize", ["maize"])


def test_04_recommendations_differ_between_customers_of_different_taste(story: Story) -> None:
    market = story.market
    # Fifteen of each, since what a few have in common depends on the hour that their history ends in
    lists = {
        persona: [story.recommended(user) for user in market.customers_of(persona)[:15]]
        for persona in sorted(set(market.customers["persona"]))
    }
    within = [
        shared(one, other) for own in lists.values() for one in own for other in own if one is not other
    ]
    between = [
        shared(one, other)
        for persona, own in lists.items()
        for stranger, others in lists.items()
        if persona < stranger
        for one in own
        for other in others
    ]
    assert all(len(each) == 10 for own in lists.values() for each in own)
    assert sum(between) / len(between) < 0.5 * sum(within) / len(within)


def test_05_three_events_of_another_taste_move_a_customers_recommendations(story: Story) -> None:
    customer = story.market.customers_of("runner")[0]
    others = story.market.another_taste(customer, 3)
    kind = others[0].category

    def of_that_taste() -> int:
        return sum(story.market.item(each).category == kind for each in story.recommended(customer))

    before = of_that_taste()
    sent = story.api.send(customer, [{"event_type": "view", "item_id": each.item_id} for each in others])
    assert len(sent["event_ids"]) == 3
    until(lambda: of_that_taste() >= before + 2, "the recommendations move to the other taste")


def test_06_who_has_no_key_or_asks_for_nonsense_is_refused_and_told_why(story: Story) -> None:
    url = story.api.url_for("u1", placement="recommended-for-you")
    with pytest.raises(HTTPError, match="403") as refused:
        urlopen(Request(url), timeout=30)
    refused.value.close()
    with pytest.raises(ApiError, match=r"400.*placement.*sidebar.*recommended-for-you"):
        story.api.recommendations("u1", placement="sidebar")
    with pytest.raises(ApiError, match=r"400.*\"index\": ?1.*item_id"):
        story.api.send("u1", [{"event_type": "view", "item_id": "a"}, {"event_type": "view"}])


def test_07_a_retraining_flips_the_colour_and_no_request_fails(story: Story) -> None:
    with story.steady_traffic() as traffic:
        until(lambda: traffic.colours["maize"] > 20, "maize answers")
        assert story.retrain()["colour"] == "blue"
        answered = traffic.colours["blue"]
        until(lambda: traffic.colours["blue"] > answered + 20, "blue answers")
    assert traffic.failures == []
    assert set(traffic.sources) == {"personalize"}
    assert (story.pointer(), story.groups()) == ("blue", ["blue"])


def test_08_what_a_customer_did_before_the_flip_is_in_the_new_colour(story: Story) -> None:
    customer = story.market.customers_of("runner")[0]
    others = [each.item_id for each in story.market.another_taste(customer, 3)]
    api = story.api
    answer = api.recommendations(customer, placement="recommended-for-you", num_results="100")
    assert answer["colour"] == "blue"
    kind = {story.market.item(each).category for each in others}
    top = [story.market.item(item["item_id"]).category for item in answer["items"][:10]]
    assert any(each in kind for each in top)


def test_09_on_call_sees_what_is_live_and_cannot_tear_it_down_nor_go_back_to_nothing(story: Story) -> None:
    told = "\n".join(status(story.connection))
    assert re.search(r"live +blue since", told)
    assert re.search(r"trained on events received before .* UTC", told)
    for placement in ("recommended-for-you", "similar-items", "popular"):
        assert re.search(rf"{placement} +NDCG@25 0\.\d+, MRR@25 0\.\d+, coverage \d\.\d+", told)
    assert re.search(
        r"cost of the run: \d+\.\d\d USD .*; on AWS such a night is about [1-9]\d*\.\d\d USD", told
    )
    assert re.search(r"dormant +maize: does not exist", told)
    assert told.count("SUCCEEDED") == 3
    with pytest.raises(RefusedError, match="ColourInUse: blue is in use"):
        on_call.retire(story.connection, "blue", apply=True)
    with pytest.raises(RefusedError, match="NoWayBack: maize does not answer"):
        on_call.roll_back(story.connection, apply=True)
    assert on_call.retire(story.connection, "maize", apply=True) == ["  maize does not exist."]
    assert (story.pointer(), story.groups()) == ("blue", ["blue"])


def test_09_and_make_smoke_finds_nothing_wrong(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    fine, said = smoke(story.connection, "colorway-local", "recommended-for-you"), capsys.readouterr().out
    assert fine, said
    # Nobody is subscribed to pages; what else is not asked would be a check that never looks
    assert [line for line in said.splitlines() if "not asked  " in line] == [
        "  not asked  pages arrive: nobody is subscribed to the on-call topic"
    ]


def test_10_a_retraining_with_too_little_data_fails_with_the_reason_and_changes_nothing(story: Story) -> None:
    pages = story.listen_to_pages()
    with story.hardly_any_history(), story.steady_traffic() as traffic:
        with pytest.raises(RetrainingFailedError, match=r"DataGateRefused.*interactions.*1000"):
            story.retrain()
        until(lambda: story.groups() == ["blue"], "the colour that failed is cleared away")
        until(lambda: len(pages()) > 0, "on-call hears of it")
    assert traffic.failures == []
    assert set(traffic.colours) == {"blue"}
    assert story.pointer() == "blue"
    assert "retraining-failed" in pages()[0]["says"]
    assert "DataGateRefused" in str(pages()[0])


def test_11_an_alarm_during_the_bake_takes_the_flip_back_and_no_request_fails(story: Story) -> None:
    cloudwatch, pages = story.connection.client("cloudwatch"), story.listen_to_pages()
    alarm = story.bake_alarms("maize")[0]
    with story.endless_bake(), story.steady_traffic() as traffic:
        execution = story.start()
        until(lambda: story.pointer() == "maize", "maize is on trial")
        seen = traffic.colours["maize"]
        until(lambda: traffic.colours["maize"] > seen + 20, "maize answers")
        with pytest.raises(RefusedError, match="is at work"):
            on_call.retire(story.connection, "blue", apply=True)
        assert "blue is there and answers" in on_call.roll_back(story.connection, apply=False)[0]
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="trial")
        with pytest.raises(
            RetrainingFailedError, match=rf"bake: .*AlarmDuringBake.*{alarm} rang; blue is live"
        ):
            story.follow(execution)
        assert story.pointer() == "blue"
        until(lambda: story.groups() == ["blue"], "the colour that rang is cleared away")
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="trial over")
    assert traffic.failures == []
    assert set(traffic.sources) == {"personalize"}
    until(lambda: "AlarmDuringBake" in str(pages()), "on-call hears of it")


def test_12_a_deploy_of_changed_function_code_keeps_the_live_colour(story: Story) -> None:
    handler = story.root / "lambdas" / "recommendations" / "handler.py"
    handler.write_text(handler.read_text() + "\n_DEPLOYED_AGAIN = True\n")
    function = story.output("ServingFunctionName")
    lambda_ = story.connection.client("lambda")
    before = lambda_.get_alias(FunctionName=function, Name="live")["FunctionVersion"]
    with story.steady_traffic() as traffic:
        story.deployment.deploy()
    assert lambda_.get_alias(FunctionName=function, Name="live")["FunctionVersion"] != before
    assert traffic.failures == []
    assert set(traffic.colours) == {"blue"}
    assert story.pointer() == "blue"


def test_13_the_night_after_a_failure_and_a_deploy_succeeds_among_events_that_count_once_each(
    story: Story,
) -> None:
    scene = Scene(story, clients=2)
    assert scene.retrain_in_trouble(seed=14, events=500) == "maize"
    assert (story.pointer(), story.groups()) == ("maize", ["maize"])
    scene.drain()
    found, _ = check_colour(scene, check_lake(scene), "maize")
    assert found.bulk
    assert found.streamed


def test_14_a_run_that_goes_wrong_at_any_step_hurts_nothing_and_the_next_goes_through(story: Story) -> None:
    crashes = Crashes(story)
    proof = Proof(crashes)  # of a sample; all of them are tried by test_crash.py
    states = crashes.tasks("retraining").keys() - {*OF_FIRST_RUN, *OF_SLOW_TRAINING}
    for state, way in Random(14).sample([(state, way) for state in sorted(states) for way in WAYS], 2):
        proof.fails(f"{state}, {describe(way)}", crashes.fault("retraining", state, **way))
    proof.succeeds("the next")
    proof.is_given()


def test_15_destroying_the_stacks_leaves_nothing_in_personalize(story: Story) -> None:
    story.deployment.destroy()
    personalize = story.connection.client("personalize")
    assert personalize.list_dataset_groups()["datasetGroups"] == []
    assert personalize.list_schemas()["schemas"] == []
    assert personalize.list_campaigns()["campaigns"] == []
