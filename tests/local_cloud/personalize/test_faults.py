"""Faults on purpose, in process: what strikes, when, and what it leaves."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from local_cloud.personalize.control import PREFIX
from local_cloud.personalize.faults import Fault, Faults
from tests.local_cloud.personalize.harness import Cloud, Shop, error_of


def inject(cloud: Cloud, **fault: Any) -> str:
    return cloud.control_faults.inject(Fault(**fault)).id


def groups(cloud: Cloud) -> list[str]:
    return [group["name"] for group in cloud.control.list_dataset_groups()["datasetGroups"]]


def test_an_error_before_the_effect_leaves_nothing_behind(here: Cloud) -> None:
    inject(here, operation="CreateDatasetGroup", error="InternalServerException", count=4)
    error = error_of(lambda: here.once.create_dataset_group(name="g"))
    assert error["Code"] == "InternalServerException"
    assert groups(here) == []


def test_an_error_after_the_effect_hides_a_success(here: Cloud) -> None:
    inject(here, operation="CreateDatasetGroup", error="ServiceUnavailableException", when="after", count=1)
    assert error_of(lambda: here.once.create_dataset_group(name="g"))["Code"] == "ServiceUnavailableException"
    assert groups(here) == ["g"]
    # So the client that tries again is told of the first try
    again = error_of(lambda: here.once.create_dataset_group(name="g"))
    assert again["Code"] == "ResourceAlreadyExistsException"


def test_boto3_retries_throttling_by_itself(here: Cloud) -> None:
    fault = inject(here, operation="ListSchemas", error="ThrottlingException", count=1)
    here.control.list_schemas()
    assert [(f.id, f.met, f.struck) for f in here.control_faults.all()] == [(fault, 2, 1)]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("ThrottlingException", 400),
        ("AccessDeniedException", 400),
        ("LimitExceededException", 400),
        ("InternalFailure", 500),
        ("ServiceUnavailableException", 503),
    ],
)
def test_errors_come_as_they_come_from_aws(here: Cloud, error: str, status: int) -> None:
    inject(here, operation="*", error=error, message="on purpose")
    for call in (here.once.list_schemas, lambda: here.runtime_once.get_recommendations(campaignArn=ARN)):
        told = error_of(call)
        assert (told["Code"], told["Message"]) == (error, "on purpose")
    answer = here.service.answer(
        path="/recommendations", headers={}, body=json.dumps({"campaignArn": ARN}).encode()
    )
    assert answer.status == status


ARN = "arn:aws:personalize:us-east-1:123456789012:campaign/row"


def test_a_fault_is_of_some_names_only(here: Cloud) -> None:
    inject(here, operation="Create*", resource="*-blue", error="LimitExceededException")
    here.once.create_dataset_group(name="shop-maize")
    assert error_of(lambda: here.once.create_dataset_group(name="shop-blue"))["Code"] == (
        "LimitExceededException"
    )
    here.once.list_schemas()


def test_a_fault_skips_strikes_and_is_spent(here: Cloud) -> None:
    inject(here, operation="ListSchemas", error="InternalFailure", skip=1, count=2)

    def works() -> bool:
        try:
            here.once.list_schemas()
        except here.control.exceptions.ClientError:
            return False
        return True

    assert [works() for _ in range(5)] == [True, False, False, True, True]


def test_a_rate_strikes_about_so_often() -> None:
    faults = Faults(seed=1)
    faults.inject(Fault(operation="PutEvents", error="InternalFailure", rate=0.25))
    struck = sum(bool(faults.of_request("PutEvents", {})) for _ in range(2000))
    assert 400 < struck < 600


def test_latency_ends_when_the_fault_is_cleared(here: Cloud) -> None:
    inject(here, operation="ListSchemas", latency=600)
    call = threading.Thread(target=here.control.list_schemas)
    call.start()
    while not here.control_faults.all()[0].struck:
        call.join(0.001)
    assert here.control_faults.clear() == 1
    call.join(10)
    assert not call.is_alive()


@pytest.mark.parametrize("kind", ["import", "training", "campaign"])
def test_a_creation_fails_on_purpose_with_its_reason(here: Cloud, shop: Shop, kind: str) -> None:
    operation = {"import": "DatasetImportJob", "training": "SolutionVersion", "campaign": "Campaign"}[kind]
    inject(here, operation=f"Create{operation}", outcome="failed", message="the moon", count=1)
    describe: Callable[[], dict[str, Any]] = {
        "import": lambda: here.imported(shop.interactions, "USER_ID\n", "again"),
        "training": lambda: here.version(shop.solution),
        "campaign": lambda: here.settled("campaign", here.campaign(shop.version, "second")),
    }[kind]
    described = describe()
    assert (described["status"], described["failureReason"]) == ("CREATE FAILED", "the moon")
    # The one that is there serves on
    assert here.recommended(shop.campaign, "user-1")


def test_what_is_stuck_goes_on_when_the_fault_is_cleared(here: Cloud, shop: Shop) -> None:
    fault = inject(here, operation="CreateCampaign", resource="*/stuck", outcome="stuck")
    arn = here.control.create_campaign(name="stuck", solutionVersionArn=shop.version)["campaignArn"]
    statuses = {here.control.describe_campaign(campaignArn=arn)["campaign"]["status"] for _ in range(9)}
    assert statuses == {"CREATE PENDING"}
    here.control_faults.clear(fault)
    assert here.settled("campaign", arn)["status"] == "ACTIVE"


def test_a_deletion_can_be_stuck(here: Cloud) -> None:
    arn = here.group("g")
    fault = inject(here, operation="DeleteDatasetGroup", outcome="stuck")
    here.control.delete_dataset_group(datasetGroupArn=arn)
    for _ in range(5):
        here.control.describe_dataset_group(datasetGroupArn=arn)
    here.control_faults.clear(fault)
    here.gone("dataset_group", arn)


def test_a_failed_update_leaves_the_campaign_as_it_was(here: Cloud, shop: Shop) -> None:
    inject(here, operation="UpdateCampaign", outcome="failed", message="no room")
    here.control.update_campaign(campaignArn=shop.campaign, minProvisionedTPS=7)
    described = here.settled("campaign", shop.campaign)
    assert described["latestCampaignUpdate"]["failureReason"] == "no room"
    assert (described["status"], described["minProvisionedTPS"]) == ("ACTIVE", 1)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"operation": "CreateUniverse", "error": "InternalFailure"}, "operation must name one"),
        ({"operation": "ListSchemas", "error": "Nonsense"}, "error must be one of"),
        ({"operation": "ListSchemas"}, "one of error, latency and outcome"),
        ({"operation": "ListSchemas", "latency": -1}, "latency must be 0 to 600"),
        ({"operation": "ListSchemas", "error": "InternalFailure", "rate": 0}, "rate must be above 0"),
        ({"operation": "ListSchemas", "error": "InternalFailure", "count": 0}, "count must be at least 1"),
        ({"operation": "ListSchemas", "error": "InternalFailure", "skip": -1}, "skip must be at least 0"),
        ({"operation": "ListSchemas", "error": "InternalFailure", "when": "now"}, "when must be"),
        ({"operation": "CreateCampaign", "outcome": "lost"}, "outcome must be"),
        ({"operation": "CreateCampaign", "outcome": "stuck", "latency": 1}, "outcome stands alone"),
        ({"operation": "CreateCampaign", "outcome": "stuck", "colour": "blue"}, "unknown field 'colour'"),
        ({"operation": 7, "outcome": "stuck"}, "operation has the wrong type"),
        ({"error": "InternalFailure"}, "operation is required"),
    ],
)
def test_a_fault_that_could_not_be_meant_is_refused(fault: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Fault.of(fault)


def control(cloud: Cloud, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = cloud.shared.answer(
        method=method, path=PREFIX + path, headers={"content-type": "application/json"}, body=content
    )
    return answer.status, json.loads(answer.body)


def test_the_control_api_is_as_it_says(here: Cloud) -> None:
    fault = {"operation": "ListSchemas", "error": "InternalFailure"}
    assert control(here, "POST", "faults", fault) == (201, {"id": "fault-1"})
    (listed,) = control(here, "GET", "faults")[1]["faults"]
    assert fault.items() <= listed.items()
    assert control(here, "DELETE", "faults/fault-9")[0] == 404
    assert control(here, "DELETE", "faults/fault-1") == (200, {"cleared": 1})
    assert control(here, "DELETE", "faults") == (200, {"cleared": 0})
    before = control(here, "GET", "clock")[1]
    after = control(here, "POST", "clock", {"advance": 3600, "time": "60x"})[1]
    assert after["now"] - before["now"] >= 3600
    assert after["time"] == "60x"
    assert control(here, "POST", "settings", {"throttling": True})[1]["throttling"] is True


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "faults", b"not json", 400),
        ("POST", "faults", [], 400),
        ("POST", "faults", {}, 400),
        ("POST", "clock", {}, 400),
        ("POST", "clock", {"advance": -1}, 400),
        ("POST", "clock", {"advance": True}, 400),
        ("POST", "clock", {"time": "soon"}, 400),
        ("POST", "clock", {"time": "0x"}, 400),
        ("POST", "settings", {"throttling": "yes"}, 400),
        ("POST", "settings", {"colour": True}, 400),
        ("PUT", "faults", {}, 405),
        ("GET", "nothing", None, 404),
        ("GET", "clock/now", None, 404),
    ],
)
def test_the_control_api_says_what_is_wrong(
    here: Cloud, method: str, path: str, body: Any, status: int
) -> None:
    answered, told = control(here, method, path, body)
    assert answered == status
    assert told["message"]


def test_the_control_api_takes_no_form_that_a_web_page_could_send(here: Cloud) -> None:
    answer = here.shared.answer(
        method="POST", path=PREFIX + "faults", headers={"content-type": "text/plain"}, body=b"{}"
    )
    assert (answer.status, here.control_faults.all()) == (400, [])
