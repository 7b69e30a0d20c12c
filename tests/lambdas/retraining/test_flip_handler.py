"""A flip that could not be taken back, and a pointer that a deploy has reset: the good colour stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from retraining import flip_handler
from tests.lambdas.retraining.fakes import S3, Campaigns, Table
from tests.lambdas.retraining.test_live_colour import Cloud
from tests.lambdas.retraining.test_retiring_by_hand import ENVIRONMENT
from vocabulary.colours import Colour
from vocabulary.coordination import OpenColour
from vocabulary.lake import LAST_GOOD_REPORT_KEY, dataset_folder, report_key
from vocabulary.placements import Placement, to_json


class CloudWatch:
    """Alarms, some of which are on."""

    def __init__(self) -> None:
        self.on: set[str] = set()

    def describe_alarms(self, *, AlarmNames: list[str], StateValue: str) -> dict[str, Any]:
        assert StateValue == "ALARM"
        return {"MetricAlarms": [{"AlarmName": name} for name in AlarmNames if name in self.on]}


class Deployment:
    """Blue has just gone live; maize, of the last good run, is still there, and both take events."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        alarms = {"BAKE_ALARMS_MAIZE": "maize-errs,maize-falls", "BAKE_ALARMS_BLUE": "blue-errs,blue-falls"}
        for name, value in {**ENVIRONMENT, **alarms}.items():
            monkeypatch.setenv(name, value)
        self.cloud, self.alarms, self.table = Cloud("blue"), CloudWatch(), Table()
        self.s3 = S3({LAST_GOOD_REPORT_KEY: json.dumps({"run_id": "run-of-maize"})})
        self.open("maize", run_id="run-of-maize")
        self.open("blue", run_id="run-of-blue")
        self.clients: dict[str, Any] = {
            "lambda": self.cloud.lambda_, "ssm": self.cloud.ssm, "s3": self.s3, "cloudwatch": self.alarms,
        }  # fmt: skip
        monkeypatch.setattr(flip_handler, "_client", self.clients.__getitem__)
        monkeypatch.setattr(flip_handler, "_table", lambda _: self.table)

    def open(self, colour: Colour, *, run_id: str) -> None:
        self.table.put_item(Item=OpenColour(colour, f"tracker-{colour}", "group", 0, run_id).to_item())

    def spare(self, colour: Colour = "maize") -> None:
        flip_handler.handle({"action": "spare", "colour": colour}, None)


def test_the_last_good_colour_is_not_cleared_away_while_the_live_one_is_in_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deployment = Deployment(monkeypatch)
    deployment.alarms.on = {"blue-falls", "maize-errs"}
    with pytest.raises(flip_handler.WayBackNeeded, match=r"^blue-falls rings for blue, and maize is the way"):
        deployment.spare()
    deployment.alarms.on = {"maize-errs"}
    deployment.spare()


@pytest.mark.parametrize("why", ["it is another run's", "its retirement has begun", "no run was good yet"])
def test_what_is_no_way_back_is_cleared_away_whatever_rings(
    monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    deployment = Deployment(monkeypatch)
    deployment.alarms.on = {"blue-errs"}
    match why:
        case "it is another run's":
            deployment.open("maize", run_id="a run that failed")
        case "its retirement has begun":
            deployment.table.items.clear()
        case "no run was good yet":
            deployment.s3.objects.clear()
    deployment.spare()


def test_the_new_colour_is_cleared_away_once_its_flip_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = Deployment(monkeypatch)
    deployment.cloud.ssm.value = "maize"
    deployment.alarms.on = {"maize-errs", "blue-errs"}
    deployment.spare("blue")


@pytest.mark.parametrize("action", ["recover", "reconcile"])
def test_a_pointer_that_a_deploy_has_reset_names_the_colour_that_is_served_again(
    monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    deployment = Deployment(monkeypatch)
    deployment.cloud.ssm.value = "none"
    said = flip_handler.handle({"action": action}, None)["repaired"]
    assert said == "the pointer said none, alias live serves blue: pointed at it"
    assert (deployment.cloud.live.pointed(), deployment.cloud.live.served()) == ("blue", "blue")
    assert flip_handler.handle({"action": action}, None) == {"repaired": None}


@pytest.mark.parametrize(
    ("expected", "served"), [("blue", "blue"), ("maize", "maize")], ids=["in the bake", "during a canary"]
)
def test_a_pointer_that_is_reset_during_a_trial_is_not_taken_for_going_back(
    monkeypatch: pytest.MonkeyPatch, expected: Colour, served: Colour
) -> None:
    deployment = Deployment(monkeypatch)
    deployment.cloud = Cloud(served)
    deployment.clients |= {"lambda": deployment.cloud.lambda_, "ssm": deployment.cloud.ssm}
    deployment.cloud.ssm.value = "none"
    look = {"action": "watch", "colour": "blue", "previous": "maize", "expected": expected}
    assert flip_handler.handle(look, None) == {"quiet": True}
    assert deployment.cloud.live.pointed() == expected
    deployment.cloud.ssm.value = "maize"
    with pytest.raises(flip_handler.FlipTakenBack):
        flip_handler.handle({**look, "expected": "blue"}, None)


def test_a_pointer_does_not_go_back_to_a_colour_that_is_being_torn_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deployment = Deployment(monkeypatch)
    deployment.cloud.ssm.value = "none"
    deployment.table.items.clear()
    assert "moved" in flip_handler.handle({"action": "reconcile"}, None)["repaired"]
    assert (deployment.cloud.live.pointed(), deployment.cloud.live.served()) == (None, None)


def test_before_the_first_training_there_is_nothing_to_point_at(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = Deployment(monkeypatch)
    deployment.cloud.ssm.value = "none"
    deployment.cloud.live.reconcile()
    assert flip_handler.handle({"action": "recover"}, None) == {"repaired": None}


def test_a_placement_that_was_deployed_while_a_run_was_at_work_does_not_cost_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deployment, asked = Deployment(monkeypatch), Campaigns()
    deployment.clients["personalize-runtime"] = asked
    monkeypatch.setenv("PLACEMENTS", to_json([Placement(name="row"), Placement(name="brought-since")]))
    report = {"run_id": "r", "metrics": {"row": {}, "taken-out-since": {}}}
    deployment.s3.objects[report_key("r")] = json.dumps(report).encode()
    deployment.s3.objects[f"{dataset_folder('r', 'interactions')}1.csv"] = b"USER_ID,ITEM_ID\nu,i\nv,j\n"
    flip_handler.handle({"action": "ask", "colour": "blue", "run_id": "r"}, None)
    assert {each["campaignArn"].rpartition("/")[2] for each in asked.calls} == {"colorway-dev-blue-row"}


def test_a_run_that_has_trained_nothing_that_is_asked_for_proves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deployment, asked = Deployment(monkeypatch), Campaigns()
    asked.answers = 0
    deployment.clients["personalize-runtime"] = asked
    monkeypatch.setenv("PLACEMENTS", to_json([Placement(name="brought-since")]))
    deployment.s3.objects[report_key("r")] = json.dumps({"run_id": "r", "metrics": {"row": {}}}).encode()
    deployment.s3.objects[f"{dataset_folder('r', 'interactions')}1.csv"] = b"USER_ID,ITEM_ID\nu,i\nv,j\n"
    with pytest.raises(ClientError):
        flip_handler.handle({"action": "ask", "colour": "blue", "run_id": "r"}, None)
