from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_cloud.personalize.control import Control
from local_cloud.personalize.lifecycle import Clock
from local_cloud.personalize.models import SERVICES, model_of
from local_cloud.personalize.service import Personalize
from local_cloud.personalize.wire import Response
from tests.local_cloud.personalize.domains import avro
from tests.local_cloud.personalize.harness import ACCOUNT, Bucket, Cloud, error_of
from vocabulary.schemas import INTERACTIONS_SCHEMA

GROUP = f"arn:aws:personalize:us-east-1:{ACCOUNT}:dataset-group/shop"


def send(service: Personalize, operation: str, body: Any) -> Response:
    """A request that botocore would not let through."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    if operation.startswith("/"):
        return service.answer(path=operation, headers={}, body=content)
    headers = {"x-amz-target": f"AmazonPersonalize.{operation}"}
    return service.answer(path="/", headers=headers, body=content)


@pytest.mark.parametrize(
    ("operation", "body", "said"),
    [
        ("CreateDatasetGroup", {"name": "bad name!"}, "regular expression pattern"),
        ("CreateDatasetGroup", {"name": "-begins-with-a-dash"}, "regular expression pattern"),
        ("CreateDatasetGroup", {"name": "n" * 64}, "length less than or equal to 63"),
        ("CreateDatasetGroup", {"name": "ok\n"}, "regular expression pattern"),
        ("CreateDatasetGroup", {"name": ""}, "length greater than or equal to 1"),
        ("CreateDatasetGroup", {"name": 5}, "must be of type string, got int"),
        ("CreateDatasetGroup", {"name": "ok", "domain": "GARDENING"}, "enum value set: [ECOMMERCE"),
        ("CreateDatasetGroup", {"name": "ok", "colour": "blue"}, "Unknown member 'colour'"),
        (
            "CreateDatasetGroup",
            {"name": None},
            "'name' failed to satisfy constraint: Member must not be null",
        ),
        ("CreateDatasetGroup", {"name": "ok", "tags": [{"tagKey": "k"}]}, "'tags.1.tagValue'"),
        ("CreateDatasetGroup", [], "must be of type structure"),
        ("DescribeDatasetGroup", {"datasetGroupArn": "shop"}, "regular expression pattern"),
        ("DescribeDatasetGroup", {"datasetGroupArn": GROUP + "x" * 256}, "less than or equal to 256"),
        ("ListSchemas", {"maxResults": 101}, "value less than or equal to 100"),
        ("ListSchemas", {"maxResults": True}, "must be of type integer, got bool"),
        ("CreateDataset", {"datasetGroupArn": GROUP}, "3 validation errors detected"),
        ("/events", {"trackingId": "t", "sessionId": "s", "eventList": []}, "greater than or equal to 1"),
        (
            "/events",
            {"trackingId": "t", "sessionId": "s", "eventList": [{"eventType": "v", "sentAt": "now"}]},
            "'eventList.1.sentAt' must be of type timestamp",
        ),
        ("/recommendations", {"campaignArn": GROUP, "numResults": 2.5}, "must be of type integer"),
        ("/recommendations", {"context": {"no spaces!": "x"}}, "'context.key'"),
    ],
)
def test_what_the_model_forbids_is_refused_and_named(
    here: Cloud, operation: str, body: Any, said: str
) -> None:
    answer = send(here.service, operation, body)
    told = json.loads(answer.body)
    assert answer.status == 400
    assert answer.headers.get("x-amzn-errortype", told.get("__type")) == "InvalidInputException"
    assert said in told["message"]


_OPERATIONS = [
    *model_of("personalize").operation_names,
    *(
        model_of(service).operation_model(name).http["requestUri"]
        for service in SERVICES[1:]
        for name in model_of(service).operation_names
    ),
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "eventList", "tags", "campaignArn", "maxResults"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)


@pytest.mark.parametrize("operation", _OPERATIONS)
@settings(max_examples=15, deadline=None)
@given(body=_JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=20))
def test_no_request_whatever_ends_in_a_fault(operation: str, body: bytes) -> None:
    answer = send(_SHARED, operation, body)
    assert answer.status in (200, 400, 404, 409)
    assert answer.status == 200 or json.loads(answer.body)["message"]


_SHARED = Personalize(account=ACCOUNT, region="us-east-1", control=Control(clock=Clock()), storage=Bucket())


def test_json_as_deep_as_a_well_is_refused(here: Cloud) -> None:
    answer = send(here.service, "CreateSchema", b"[" * 100_000)
    assert (answer.status, json.loads(answer.body)["__type"]) == (400, "SerializationException")


def test_errors_reach_boto3_with_their_types(here: Cloud) -> None:
    """The service models: JSON 1.1 by body, REST by header, 404 of the runtime."""
    control, runtime, events = here.control, here.runtime, here.events
    here.group("shop")
    with pytest.raises(control.exceptions.ResourceAlreadyExistsException, match="already exists"):
        control.create_dataset_group(name="shop")
    with pytest.raises(control.exceptions.InvalidNextTokenException):
        control.list_schemas(nextToken="made-up")
    with pytest.raises(runtime.exceptions.ResourceNotFoundException) as missing:
        runtime.get_recommendations(campaignArn=GROUP.replace("dataset-group", "campaign"), userId="u")
    assert missing.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    with pytest.raises(events.exceptions.InvalidInputException):
        here.sends("unknown", "s", ["i"])
    with pytest.raises(events.exceptions.ResourceNotFoundException):
        events.put_items(datasetArn=GROUP.replace("-group", ""), items=[{"itemId": "i"}])


def test_an_operation_answers_only_the_errors_of_its_model(here: Cloud) -> None:
    """CreateFilter has no ResourceInUseException, so a group that is not ACTIVE yet is an invalid input."""
    group = here.control.create_dataset_group(name="shop")["datasetGroupArn"]
    expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")'
    error = error_of(
        lambda: here.control.create_filter(name="f", datasetGroupArn=group, filterExpression=expression)
    )
    assert error["Code"] == "InvalidInputException"
    assert "must be ACTIVE" in error["Message"]


def test_an_operation_that_is_not_built_says_so(here: Cloud) -> None:
    arn = GROUP.replace("dataset-group", "campaign")
    error = error_of(lambda: here.runtime.get_action_recommendations(campaignArn=arn))
    assert error["Code"] == "InvalidInputException"
    assert error["Message"] == "GetActionRecommendations is not in the local cloud"


def test_an_operation_that_does_not_exist_is_unknown(here: Cloud) -> None:
    answer = send(here.service, "CreateUniverse", {})
    assert json.loads(answer.body)["__type"] == "UnknownOperationException"


def test_dates_are_numbers_of_seconds(here: Cloud) -> None:
    """The service model `personalize`, JSON 1.1."""
    arn = here.group()
    described = json.loads(send(here.service, "DescribeDatasetGroup", {"datasetGroupArn": arn}).body)
    assert isinstance(described["datasetGroup"]["creationDateTime"], float)


def test_lists_come_in_pages_and_filters_with_a_capital_f(here: Cloud) -> None:
    """The service model `personalize`, `ListFiltersResponse`."""
    group = here.group()
    for i in range(5):
        here.control.create_filter(
            name=f"f{i}",
            datasetGroupArn=group,
            filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")',
        )
    pages = list(
        here.control.get_paginator("list_filters").paginate(
            datasetGroupArn=group, PaginationConfig={"PageSize": 2}
        )
    )
    assert [[f["name"] for f in page["Filters"]] for page in pages] == [["f0", "f1"], ["f2", "f3"], ["f4"]]


def test_tags_are_kept_and_removed(here: Cloud) -> None:
    arn = here.control.create_dataset_group(name="g", tags=[{"tagKey": "app", "tagValue": "c"}])[
        "datasetGroupArn"
    ]
    here.control.tag_resource(resourceArn=arn, tags=[{"tagKey": "run", "tagValue": "1"}])
    here.control.untag_resource(resourceArn=arn, tagKeys=["app"])
    assert here.control.list_tags_for_resource(resourceArn=arn)["tags"] == [
        {"tagKey": "run", "tagValue": "1"}
    ]


ITEM = [{"name": "ITEM_ID", "type": "string"}]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("not json", "not valid JSON"),
        (INTERACTIONS_SCHEMA.replace("USER_ID", "USER"), "USER_ID"),
        (INTERACTIONS_SCHEMA.replace('"long"', '"int"'), "TIMESTAMP of type long"),
        (INTERACTIONS_SCHEMA.replace('"Interactions"', '"Clicks"'), "Clicks"),
        (INTERACTIONS_SCHEMA.replace('["float","null"]', '"money"'), "EVENT_VALUE"),
        # The same, "Custom datasets and schemas": a plain text, a truth or a reserved field is not enough
        (avro("Items", [{"name": "ITEM_ID", "type": "string"}]), "at least one metadata field"),
        (avro("Items", [*ITEM, {"name": "TITLE", "type": "string"}]), "or a categorical or textual string"),
        (
            avro("Items", [*ITEM, {"name": "CREATION_TIMESTAMP", "type": "long"}]),
            "at least one metadata field",
        ),
        (
            avro("Users", [{"name": "USER_ID", "type": "string"}, {"name": "VIP", "type": "boolean"}]),
            "USERS must",
        ),
    ],
)
def test_a_schema_that_no_dataset_could_have_is_refused(here: Cloud, wrong: str, said: str) -> None:
    """Developer guide, "Creating schema JSON files for Amazon Personalize schemas"."""
    error = error_of(lambda: here.schema(wrong))
    assert error["Code"] == "InvalidInputException"
    assert said in error["Message"]
