from __future__ import annotations

from typing import Any

import pytest

from retraining.live_colour import HeartbeatFailed, LiveColour, ServingStackBusy
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


def test_a_heartbeat_passes_when_the_colour_itself_answers() -> None:
    cloud = Cloud("maize")
    cloud.live.beat(cloud.live.prepare("blue"), "blue", REQUEST)


@pytest.mark.parametrize(
    "answer",
    [
        {"source": "popular", "colour": "blue", "items": [{"item_id": "a"}]},
        {"source": "personalize", "colour": "maize", "items": [{"item_id": "a"}]},
        {"source": "personalize", "colour": "blue", "items": []},
    ],
    ids=["a fallback", "the other colour", "nothing"],
)
def test_a_heartbeat_fails_on(answer: dict[str, Any]) -> None:
    cloud = Cloud("maize")
    cloud.lambda_.answer = lambda version, request: {"answers": [answer]}
    with pytest.raises(HeartbeatFailed, match="recommended-for-you"):
        cloud.live.beat(cloud.live.prepare("blue"), "blue", REQUEST)
