"""Many clients at once, over HTTP: every answer is one that the client's own calls explain."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local_cloud.personalize.groups import MOST_DATASET_GROUPS
from local_cloud.personalize.server import PersonalizeServer
from local_cloud.personalize.storage import FolderStorage
from tests.local_cloud.personalize.domains import INTERACTIONS, avro, csv, shopping
from tests.local_cloud.personalize.harness import interactions_csv
from tests.local_cloud.personalize.test_server import ROLE, Project, settled

CLIENTS = 16
LEAST_ACTIONS = 5
"""Of each client, however busy the machine is."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PersonalizeServer]:
    (tmp_path / "bucket" / "in").mkdir(parents=True)
    (tmp_path / "bucket" / "in" / "data.csv").write_text(interactions_csv())
    (tmp_path / "bucket" / "shopping").mkdir()
    (tmp_path / "bucket" / "shopping" / "data.csv").write_text(csv(INTERACTIONS, list(shopping())))
    with PersonalizeServer(storage=FolderStorage(tmp_path)) as running:
        yield running


class Shopper:
    """One client, which does one thing after the other and checks each answer."""

    def __init__(self, number: int, server: PersonalizeServer, shared: dict[str, Any]) -> None:
        self.number = number
        self.shared = shared
        self.chance = random.Random(number)
        self.turn = itertools.count()
        with shared["making"]:  # boto3 makes clients on one thread at a time
            self.control, self.runtime, self.events = (
                boto3.client(
                    service,
                    endpoint_url=server.endpoint,
                    region_name="eu-west-1",
                    aws_access_key_id="test",
                    aws_secret_access_key="test",
                    config=Config(retries={"total_max_attempts": 1}),
                )
                for service in ("personalize", "personalize-runtime", "personalize-events")
            )

    def acts(self) -> None:
        rare = [self.makes_a_filter, self.trains, self.opens_a_group, self.rests_a_recommender]
        actions = [self.asks] * 6 + [self.touches] * 4 + [self.purchases] * 2 + rare
        self.chance.choice(actions)()

    def asks(self) -> None:
        user = f"user-{self.chance.randrange(60)}"
        items = self.recommended(user)
        assert len(items) == len(set(items)) == 25

    def touches(self) -> None:
        """An event counts in the very next answer."""
        user, item = f"client-{self.number}-{next(self.turn)}", f"hat-{self.chance.randrange(20)}"
        event = {"eventType": "buy", "itemId": item, "sentAt": 2e9, "eventId": f"{user}-{item}"}
        for _ in range(2):
            self.events.put_events(
                trackingId=self.shared["tracking_id"], sessionId=user, userId=user, eventList=[event]
            )
        left = self.recommended(user, filterArn=self.shared["filter"], numResults=100)
        assert item not in left
        assert len(left) == 39
        with self.shared["counting"]:
            self.shared["events"] += 1

    def recommended(self, user: str, **options: Any) -> list[str]:
        answer = self.runtime.get_recommendations(campaignArn=self.shared["campaign"], userId=user, **options)
        return [item["itemId"] for item in answer["itemList"]]

    def purchases(self) -> None:
        """What a user has bought is kept back from the very next answer of a recommender."""
        user, item = f"client-{self.number}-{next(self.turn)}", self.chance.choice(("lens", "card", "mug-1"))
        ask = partial(
            self.runtime.get_recommendations, recommenderArn=self.shared["personal"], numResults=100
        )
        event = {"eventType": "Purchase", "itemId": item, "sentAt": 2e9}
        self.events.put_events(
            trackingId=self.shared["shop_tracking_id"], sessionId=user, userId=user, eventList=[event]
        )
        left = [each["itemId"] for each in ask(userId=user)["itemList"]]
        assert item not in left
        assert len(left) == 10

    def rests_a_recommender(self) -> None:
        """One at a time: nobody is answered by a recommender that rests."""
        if not self.shared["resting"].acquire(blocking=False):
            return
        try:
            arn = self.shared["popular"]
            describe = partial(self.control.describe_recommender, recommenderArn=arn)
            ask = partial(self.runtime.get_recommendations, recommenderArn=arn, userId="user-1")
            assert ask(numResults=1)["itemList"][0]["itemId"] == "window"
            self.control.stop_recommender(recommenderArn=arn)
            assert settled(lambda: describe()["recommender"])["status"] == "INACTIVE"
            with pytest.raises(self.runtime.exceptions.ResourceNotFoundException):
                ask()
            self.control.start_recommender(recommenderArn=arn)
            assert settled(lambda: describe()["recommender"])["status"] == "ACTIVE"
        finally:
            self.shared["resting"].release()

    def makes_a_filter(self) -> None:
        name = f"f-{self.number}-{next(self.turn)}"
        arn = self.control.create_filter(
            name=name,
            datasetGroupArn=self.shared["group"],
            filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")',
        )["filterArn"]
        made = settled(lambda: self.control.describe_filter(filterArn=arn)["filter"])
        assert (made["status"], made["name"]) == ("ACTIVE", name)
        listed = self.control.list_filters(datasetGroupArn=self.shared["group"])["Filters"]
        assert name in [each["name"] for each in listed]
        self.control.delete_filter(filterArn=arn)
        self.is_gone(lambda: self.control.describe_filter(filterArn=arn))

    def opens_a_group(self) -> None:
        """There are five: two are there for good, so some clients are refused, and say so."""
        name = f"g-{self.number}-{next(self.turn)}"
        try:
            arn = self.control.create_dataset_group(name=name)["datasetGroupArn"]
        except self.control.exceptions.LimitExceededException:
            assert MOST_DATASET_GROUPS == 5
            return
        settled(lambda: self.control.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"])
        self.control.delete_dataset_group(datasetGroupArn=arn)
        self.is_gone(lambda: self.control.describe_dataset_group(datasetGroupArn=arn))

    def trains(self) -> None:
        """One at a time, and the campaign moves to what it has learnt while all others ask it."""
        if not self.shared["training"].acquire(blocking=False):
            return
        try:
            solution, campaign = self.shared["solution"], self.shared["campaign"]
            arn = self.control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
            made = settled(
                lambda: self.control.describe_solution_version(solutionVersionArn=arn)["solutionVersion"]
            )
            assert made["status"] == "ACTIVE", made
            self.control.update_campaign(campaignArn=campaign, solutionVersionArn=arn)
            settled(
                lambda: self.control.describe_campaign(campaignArn=campaign)["campaign"][
                    "latestCampaignUpdate"
                ]
            )
        finally:
            self.shared["training"].release()

    def is_gone(self, describe: Any) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                describe()
            except self.control.exceptions.ResourceNotFoundException:
                return
        raise AssertionError("still there")


def opened_shop(control: Any) -> dict[str, str]:
    """A domain dataset group with two recommenders."""
    group = control.create_dataset_group(name="shop", domain="ECOMMERCE")["datasetGroupArn"]
    settled(lambda: control.describe_dataset_group(datasetGroupArn=group)["datasetGroup"])
    schema = control.create_schema(
        name="shop", schema=avro("Interactions", INTERACTIONS), domain="ECOMMERCE"
    )["schemaArn"]
    data = control.create_dataset(
        name="d", datasetGroupArn=group, schemaArn=schema, datasetType="Interactions"
    )["datasetArn"]
    settled(lambda: control.describe_dataset(datasetArn=data)["dataset"])
    source = {"dataLocation": "s3://bucket/shopping/"}
    job = control.create_dataset_import_job(
        jobName="shopping", datasetArn=data, dataSource=source, roleArn=ROLE
    )["datasetImportJobArn"]
    settled(lambda: control.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"])
    tracker = control.create_event_tracker(name="shop", datasetGroupArn=group)
    tracker_arn = tracker["eventTrackerArn"]
    settled(lambda: control.describe_event_tracker(eventTrackerArn=tracker_arn)["eventTracker"])
    made = {"shop_tracking_id": tracker["trackingId"]}
    for name, use_case in (("personal", "recommended-for-you"), ("popular", "popular-items-by-views")):
        recipe = f"arn:aws:personalize:::recipe/aws-ecomm-{use_case}"
        made[name] = arn = control.create_recommender(name=name, datasetGroupArn=group, recipeArn=recipe)[
            "recommenderArn"
        ]
        described = settled(lambda arn=arn: control.describe_recommender(recommenderArn=arn)["recommender"])  # type: ignore[misc]
        assert described["status"] == "ACTIVE", described
    return made


def soak(server: PersonalizeServer, seconds: float) -> None:
    project = Project(server.endpoint)
    campaign, tracking_id = project.builds()
    group = project.control.list_dataset_groups()["datasetGroups"][0]["datasetGroupArn"]
    solution = project.control.list_solutions()["solutions"][0]["solutionArn"]
    bought = project.control.create_filter(
        name="bought",
        datasetGroupArn=group,
        filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")',
    )["filterArn"]
    settled(lambda: project.control.describe_filter(filterArn=bought)["filter"])
    shared = {"campaign": campaign, "tracking_id": tracking_id, "group": group, "solution": solution}
    locks = {name: threading.Lock() for name in ("making", "training", "counting", "resting")}
    recommenders = opened_shop(project.control)
    known: dict[str, Any] = {**shared, **recommenders, **locks, "filter": bought, "events": 0}
    deadline = time.monotonic() + seconds

    def lives(number: int) -> None:
        shopper = Shopper(number, server, known)
        for turn in itertools.count():
            if turn >= LEAST_ACTIONS and time.monotonic() >= deadline:
                break
            shopper.acts()

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(lives, range(CLIENTS)))
    # Nothing was lost and nothing counted twice
    region = next(iter(server._services.values())).region
    dataset = region.dataset(group, "INTERACTIONS")
    assert dataset is not None
    assert len(dataset.events) == known["events"] == len(dataset.events.accepted)
    assert [each["name"] for each in project.control.list_dataset_groups()["datasetGroups"]] == ["g", "shop"]


def test_sixteen_clients_get_answers_that_fit_what_they_did(server: PersonalizeServer) -> None:
    soak(server, seconds=2)


@pytest.mark.prove
def test_sixteen_clients_for_a_minute_get_answers_that_fit_what_they_did(server: PersonalizeServer) -> None:
    soak(server, seconds=60)
