from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from retraining.heartbeat import HeartbeatFailed
from retraining.live_colour import ChangedMeanwhile, LiveColour, ServingStackBusy
from retraining.run_lock import NoLongerAtWork
from tests.lambdas.retraining.fakes import CloudFormation, Lambda, Ssm

REQUEST = {"placement": "recommended-for-you", "user_ids": ["u1", "u2"]}


class Cloud:
    """The serving function, the pointer and the stack of one deployment."""

    def __init__(self, colour: str) -> None:
        self.lambda_, self.ssm, self.stack = Lambda(colour), Ssm(colour), CloudFormation()
        services: dict[str, Any] = {"lambda": self.lambda_, "ssm": self.ssm, "cloudformation": self.stack}
        self.live = LiveColour(
            aws=services.__getitem__, function="f", alias="live", pointer="/p", stack="serving"
        )


def test_a_prepared_colour_takes_no_traffic() -> None:
    cloud = Cloud("maize")
    cloud.live.prepare("blue")
    assert (cloud.live.pointed(), cloud.live.served()) == ("maize", "maize")


def test_a_deploy_of_other_code_while_a_colour_is_on_trial_publishes_the_live_one() -> None:
    cloud = Cloud("maize")
    cloud.live.share(cloud.live.prepare("blue"), 0.1)
    # CloudFormation leaves the environment alone when only the code has changed
    cloud.lambda_.alias = cloud.lambda_.publish_version(FunctionName="f")["Version"]
    assert (cloud.live.pointed(), cloud.live.served()) == ("maize", "maize")


def test_a_change_whose_answer_was_lost_is_known_for_its_own() -> None:
    cloud = Cloud("maize")
    cloud.lambda_.answers_get_lost = True
    version = cloud.live.prepare("blue")
    assert cloud.lambda_.versions[version]["LIVE_COLOUR"] == "blue"
    assert cloud.lambda_.latest["LIVE_COLOUR"] == "maize"


def test_a_change_of_somebody_elses_in_between_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud("maize")
    update = cloud.lambda_.update_function_configuration

    def quicker(*, FunctionName: str, Environment: Any, RevisionId: str) -> None:
        cloud.lambda_.latest["TIME_BUDGET_MS"] = "90"
        cloud.lambda_.revision += 1
        update(FunctionName=FunctionName, Environment=Environment, RevisionId=RevisionId)

    monkeypatch.setattr(cloud.lambda_, "update_function_configuration", quicker)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        cloud.live.prepare("blue")
    assert cloud.lambda_.latest == {"LIVE_COLOUR": "maize", "APP": "colorway", "TIME_BUDGET_MS": "90"}


def test_a_flip_moves_pointer_alias_and_what_a_deploy_would_publish() -> None:
    cloud = Cloud("maize")
    cloud.live.move("blue", cloud.live.prepare("blue"))
    assert (cloud.live.pointed(), cloud.live.served()) == ("blue", "blue")
    assert cloud.lambda_.latest["LIVE_COLOUR"] == "blue"


def test_the_flip_keeps_every_other_variable_of_the_function() -> None:
    cloud = Cloud("maize")
    cloud.live.prepare("blue")
    assert cloud.lambda_.latest["APP"] == "colorway"


def test_taking_a_flip_back_restores_alias_pointer_and_variable() -> None:
    cloud = Cloud("maize")
    before = cloud.live.version()
    cloud.live.move("blue", cloud.live.prepare("blue"))
    cloud.live.restore("maize", before)
    assert (cloud.live.pointed(), cloud.live.served()) == ("maize", "maize")
    assert cloud.lambda_.latest["LIVE_COLOUR"] == "maize"


def test_both_colours_are_in_use_while_alias_and_pointer_differ() -> None:
    cloud = Cloud("maize")
    cloud.ssm.value = "blue"
    assert cloud.live.in_use() == {"maize", "blue"}


def test_a_canary_takes_its_share_and_counts_as_in_use_though_the_pointer_stays() -> None:
    cloud = Cloud("maize")
    before, version = cloud.live.version(), cloud.live.prepare("blue")
    cloud.live.share(version, 0.1)
    assert (cloud.lambda_.alias, cloud.lambda_.weights) == (before, {version: 0.1})
    assert (cloud.live.pointed(), cloud.live.in_use()) == ("maize", {"maize", "blue"})


@pytest.mark.parametrize("end", ["move", "restore", "reconcile"])
def test_a_canary_ends_with_all_the_traffic_in_one_place(end: str) -> None:
    cloud = Cloud("maize")
    before, version = cloud.live.version(), cloud.live.prepare("blue")
    cloud.live.share(version, 0.1)
    match end:
        case "move":
            cloud.live.move("blue", version)
        case "restore":
            cloud.live.restore("maize", before)
        case "reconcile":  # the run was stopped
            cloud.live.reconcile()
    colour = "blue" if end == "move" else "maize"
    assert cloud.lambda_.weights == {}
    assert (cloud.live.served(), cloud.live.in_use()) == (colour, {colour})
    assert cloud.lambda_.latest["LIVE_COLOUR"] == colour


@pytest.mark.parametrize("way", ["forward", "back"])
def test_a_flip_keeps_what_was_deployed_since_the_version_was_published(way: str) -> None:
    cloud = Cloud("maize")
    before, version = cloud.live.version(), cloud.live.prepare("blue")
    if way == "back":
        cloud.live.move("blue", version)
    cloud.lambda_.latest = {"LIVE_COLOUR": str(cloud.live.pointed()), "APP": "colorway", "NEW": "setting"}
    cloud.lambda_.alias = cloud.lambda_.publish_version(FunctionName="f")["Version"]
    if way == "forward":
        cloud.live.move("blue", version)
    else:
        cloud.live.restore("maize", before)
    colour = "blue" if way == "forward" else "maize"
    assert cloud.lambda_.versions[cloud.lambda_.alias] == {
        "LIVE_COLOUR": colour,
        "APP": "colorway",
        "NEW": "setting",
    }


@pytest.mark.parametrize("step", ["prepare", "move"])
def test_nothing_moves_while_cloudformation_is_at_work_on_the_serving_stack(step: str) -> None:
    cloud = Cloud("maize")
    cloud.stack.status = "UPDATE_IN_PROGRESS"
    with pytest.raises(ServingStackBusy, match="UPDATE_IN_PROGRESS"):
        if step == "prepare":
            cloud.live.prepare("blue")
        else:
            cloud.live.move("blue", "1")
    assert (cloud.live.pointed(), cloud.live.served()) == ("maize", "maize")


def test_a_deploy_that_published_the_old_colour_is_put_right() -> None:
    cloud = Cloud("maize")
    cloud.live.move("blue", cloud.live.prepare("blue"))
    cloud.lambda_.latest["LIVE_COLOUR"] = "maize"
    cloud.lambda_.alias = cloud.lambda_.publish_version(FunctionName="f")["Version"]
    assert "moved" in str(cloud.live.reconcile())
    assert (cloud.live.pointed(), cloud.live.served()) == ("blue", "blue")
    assert cloud.live.reconcile() is None


@pytest.mark.parametrize("step", ["prepare", "move"])
def test_a_version_that_a_reconciliation_has_given_the_other_colour_is_not_taken_for_the_new_one(
    step: str,
) -> None:
    cloud = Cloud("maize")
    version = cloud.live.prepare("blue")
    cloud.lambda_.latest["NEW"] = "setting"  # so that a move publishes too
    cloud.lambda_.before_publish = [cloud.live.reconcile]  # a deploy has just ended
    with pytest.raises(ChangedMeanwhile, match="expected blue, got maize"):
        if step == "prepare":
            cloud.live.prepare("blue")
        else:
            cloud.live.move("blue", version)
    assert (cloud.live.pointed(), cloud.live.served()) == ("maize", "maize")
    cloud.live.move("blue", cloud.live.prepare("blue"))
    assert (cloud.live.pointed(), cloud.live.served()) == ("blue", "blue")


def guard(*answers: bool) -> Callable[[], None]:
    """Whether the run is still at work, each time it is asked; after that as at the last."""
    left = list(answers)

    def require() -> None:
        if not (left.pop(0) if len(left) > 1 else left[0]):
            raise NoLongerAtWork

    return require


@pytest.mark.parametrize("at_work", [(False,), (True, False), (True, True, False)])
@pytest.mark.parametrize("step", ["share", "move", "restore"])
def test_a_run_that_was_stopped_and_cleared_meanwhile_leaves_live_what_was(
    step: str, at_work: tuple[bool, ...]
) -> None:
    cloud = Cloud("maize")
    version = cloud.live.prepare("blue")
    with suppress(NoLongerAtWork):
        match step:
            case "share":
                cloud.live.share(version, 0.1, guard=guard(*at_work))
            case "move":
                cloud.live.move("blue", version, guard=guard(*at_work))
            case "restore":
                cloud.live.restore("blue", version, guard=guard(*at_work))
    asked = {"share": 2, "move": 2, "restore": 3}[step]
    if len(at_work) <= asked:
        assert (cloud.live.pointed(), cloud.live.served(), cloud.lambda_.weights) == ("maize", "maize", {})
    else:  # it was at work whenever that mattered
        assert cloud.live.in_use() >= {"blue"}


def test_a_heartbeat_passes_when_the_colour_itself_answers() -> None:
    cloud = Cloud("maize")
    assert cloud.live.beat(cloud.live.prepare("blue"), "blue", REQUEST) == [["a"], ["a"]]


@pytest.mark.parametrize(
    "answer",
    [
        {"source": "popular", "colour": "blue", "items": ["a"]},
        {"source": "personalize", "colour": "maize", "items": ["a"]},
        {"source": "personalize", "colour": "blue", "items": []},
    ],
    ids=["a fallback", "the other colour", "nothing"],
)
def test_a_heartbeat_fails_on(answer: dict[str, Any]) -> None:
    cloud = Cloud("maize")
    cloud.lambda_.answer = lambda version, request: {"answers": [answer]}
    with pytest.raises(HeartbeatFailed, match="recommended-for-you"):
        cloud.live.beat(cloud.live.prepare("blue"), "blue", REQUEST)
