"""What may befall a new colour, beside what test_story tells: no way back, one by hand, a stuck model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local_cloud import on_call
from local_cloud.personalize.control_client import ControlClient
from local_cloud.personalize.faults import Fault
from local_cloud.retraining_progress import RetrainingFailedError, await_idle
from tests.story.deployment import Story, until

pytestmark = [pytest.mark.story, pytest.mark.prove]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Blue is live, after two runs: the first has no colour before it."""
    with Story(tmp_path_factory.mktemp("on-trial")) as story:
        story.load_history()
        assert [story.retrain()["colour"] for _ in range(2)] == ["maize", "blue"]
        yield story


def test_on_call_goes_back_by_hand_during_the_bake_and_the_run_gives_way(story: Story) -> None:
    with story.endless_bake(), story.steady_traffic() as traffic:
        execution = story.start()
        until(lambda: story.pointer() == "maize", "maize is on trial")
        on_call.roll_back(story.connection, apply=True)
        assert story.pointer() == "blue"
        with pytest.raises(RetrainingFailedError, match="FlipTakenBack: the pointer says blue"):
            story.follow(execution)
        until(lambda: story.groups() == ["blue"], "the colour that on-call left is cleared away")
    assert traffic.failures == []
    assert set(traffic.sources) == {"personalize"}


def test_a_model_that_hangs_is_stopped_and_the_run_fails_with_its_name(story: Story) -> None:
    hangs = Fault(operation="CreateSolutionVersion", resource="*similar-items*", outcome="stuck")
    _await_clearing(story)
    with story.impatience_with("similar-items"), ControlClient(story.connection.endpoint).injected(hangs):
        with pytest.raises(
            RetrainingFailedError, match="TrainingTookTooLong: similar-items: not trained within 10 minutes"
        ):
            story.retrain()
        until(lambda: story.groups() == ["blue"], "what hung is stopped, and cleared away")


def test_on_call_tears_down_by_hand_what_a_clearing_has_left(story: Story) -> None:
    personalize = story.connection.client("personalize")
    _await_clearing(story)
    personalize.create_dataset_group(name="colorway-local-maize")
    assert "colorway-local-maize" in str(on_call.retire(story.connection, "maize", apply=False))
    assert story.groups() == ["blue", "maize"]
    assert on_call.retire(story.connection, "maize", apply=True) == ["  maize is gone."]
    assert story.groups() == ["blue"]


def test_a_flip_that_cannot_be_taken_back_leaves_the_good_colour_there_and_pages(story: Story) -> None:
    cloudwatch, pages = story.connection.client("cloudwatch"), story.listen_to_pages()
    alarm = story.bake_alarms("maize")[0]
    _await_clearing(story)
    with story.endless_bake():
        execution = story.start()
        until(lambda: story.pointer() == "maize", "maize is on trial")
        with _alias_held(story):
            cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="trial")
            with pytest.raises(RetrainingFailedError, match="UpdateAlias"):
                story.follow(execution)
            until(lambda: "WayBackNeeded" in str(pages()), "on-call hears of it")
    assert (story.pointer(), story.groups()) == ("maize", ["blue", "maize"])
    on_call.roll_back(story.connection, apply=True)
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="trial over")
    on_call.retire(story.connection, "maize", apply=True)
    assert (story.pointer(), story.groups()) == ("blue", ["blue"])


@contextmanager
def _alias_held(story: Story) -> Iterator[None]:
    """While it lasts, the flip function may not move the live alias."""
    function, iam = story.output("FlipFunctionName"), story.connection.client("iam")
    configuration = story.connection.client("lambda").get_function_configuration(FunctionName=function)
    role = configuration["Role"].rpartition("/")[2]
    deny = {"Effect": "Deny", "Action": "lambda:UpdateAlias", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName=role, PolicyName="held", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="held")


def _await_clearing(story: Story) -> None:
    """Until no clearing is at work: what it tears down may be gone while it still holds the lock."""
    await_idle(story.connection, story.output("ClearingArn"))
