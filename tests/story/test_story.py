"""The promises of docs/architecture.md, told in order on one deployment, from nothing to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from local_cloud.live_api import ApiError
from local_cloud.retraining_progress import RetrainingFailedError
from tests.story.deployment import Story, until

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
    lists = {
        persona: [story.recommended(user) for user in market.customers_of(persona)[:5]]
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
    before = story.recommended(customer)
    sent = story.api.send(customer, [{"event_type": "view", "item_id": each.item_id} for each in others])
    assert len(sent["event_ids"]) == 3
    until(lambda: shared(before, story.recommended(customer)) < 0.7, "the recommendations move")


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


def test_09_a_retraining_with_too_little_data_fails_with_the_reason_and_changes_nothing(story: Story) -> None:
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


def test_10_a_deploy_of_changed_function_code_keeps_the_live_colour(story: Story) -> None:
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


def test_11_the_night_after_a_failure_and_a_deploy_succeeds_without_help(story: Story) -> None:
    assert story.retrain()["colour"] == "maize"
    assert (story.pointer(), story.groups()) == ("maize", ["maize"])


def test_12_destroying_the_stacks_leaves_nothing_in_personalize(story: Story) -> None:
    story.deployment.destroy()
    personalize = story.connection.client("personalize")
    assert personalize.list_dataset_groups()["datasetGroups"] == []
    assert personalize.list_schemas()["schemas"] == []
    assert personalize.list_campaigns()["campaigns"] == []
