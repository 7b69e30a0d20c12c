"""Requests of every operation, made up from its model: an answer or a modelled error, whatever they say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local_cloud.personalize.control import Control
from local_cloud.personalize.lifecycle import Clock
from local_cloud.personalize.models import SERVICES, Service, error_statuses, model_of, operation_model
from local_cloud.personalize.service import Personalize
from tests.local_cloud.personalize.domains import ECOMMERCE, domain_shop
from tests.local_cloud.personalize.harness import ACCOUNT, Bucket, Cloud, interactions_csv
from tests.local_cloud.personalize.requests import requests_of
from vocabulary.schemas import ITEMS_SCHEMA

ALWAYS = {"AccessDeniedException", "SerializationException", "InvalidInputException"}
"""The last one is not in the models of ListSchemas and ListDatasetGroups, which have none for maxResults."""
OPERATIONS: list[tuple[Service, str]] = [
    (service, operation) for service in SERVICES for operation in model_of(service).operation_names
]


@pytest.fixture(scope="module")
def inhabited() -> Iterator[tuple[Cloud, list[str]]]:
    """A cloud in which there is one of most things, and their ARNs and ids."""
    control, bucket = Control(clock=Clock()), Bucket()
    service = Personalize(account=ACCOUNT, region="us-east-1", control=control, storage=bucket)
    cloud = Cloud(service=service, shared=control, bucket=bucket)
    schema, group = cloud.schema(), cloud.group()
    interactions = cloud.dataset(group, schema)
    items = cloud.dataset(group, cloud.schema(ITEMS_SCHEMA, "items"), "Items")
    cloud.imported(interactions, interactions_csv(), "first")
    _, tracking_id = cloud.tracker(group)
    solution = cloud.solution(group)
    version = cloud.version(solution)["solutionVersionArn"]
    campaign = cloud.campaign(version)
    expression = "INCLUDE ItemID WHERE Items.PRICE > $P"
    filter_ = cloud.control.create_filter(name="f", datasetGroupArn=group, filterExpression=expression)
    recipe = "arn:aws:personalize:::recipe/aws-user-personalization"
    shop = domain_shop(cloud, ECOMMERCE)
    recommenders = [shop.has("recommended-for-you"), shop.has("popular-items-by-views")]
    known = [
        *(schema, group, interactions, items, solution, version, campaign, filter_["filterArn"], recipe),
        *(tracking_id, f"{solution}/$LATEST", ITEMS_SCHEMA),
        *(shop.group, *recommenders, "arn:aws:personalize:::recipe/aws-ecomm-recommended-for-you"),
    ]
    yield cloud, known
    service.close()


def check(cloud: Cloud, service: Service, operation: str, request: Any) -> None:
    model = operation_model(service, operation)
    headers = {"x-amz-target": f"AmazonPersonalize.{operation}"} if service == "personalize" else {}
    answer = cloud.service.answer(
        path=model.http["requestUri"], headers=headers, body=json.dumps(request).encode()
    )
    if answer.status != 200:
        told = json.loads(answer.body)
        code = answer.headers.get("x-amzn-errortype", told.get("__type"))
        assert answer.status < 500, told
        assert code in ALWAYS | set(error_statuses(service, operation)), told
        assert told["message"]


@pytest.mark.parametrize(("service", "operation"), OPERATIONS, ids=[name for _, name in OPERATIONS])
def test_any_request_gets_an_answer_or_a_modelled_error(
    inhabited: tuple[Cloud, list[str]], service: Service, operation: str
) -> None:
    cloud, known = inhabited

    @settings(max_examples=12, deadline=None, derandomize=True, database=None)
    @given(request=requests_of(operation_model(service, operation).input_shape, known))
    def tried(request: Any) -> None:
        check(cloud, service, operation, request)

    tried()


@pytest.mark.prove
@pytest.mark.parametrize(("service", "operation"), OPERATIONS, ids=[name for _, name in OPERATIONS])
def test_very_many_requests_get_an_answer_or_a_modelled_error(
    inhabited: tuple[Cloud, list[str]], service: Service, operation: str
) -> None:
    cloud, known = inhabited
    shape = operation_model(service, operation).input_shape

    @settings(max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(request=requests_of(shape, known) | st.dictionaries(st.text(), st.text()))
    def tried(request: Any) -> None:
        check(cloud, service, operation, request)

    tried()
