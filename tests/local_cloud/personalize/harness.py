"""Personalize in this process, behind real botocore clients: only the network is left out."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from local_cloud.personalize.control import Control
from local_cloud.personalize.faults import Faults
from local_cloud.personalize.region import AccessRefused
from local_cloud.personalize.service import Personalize
from vocabulary.schemas import INTERACTIONS_SCHEMA

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/import"


class Bucket:
    """Amazon S3 as an import job sees it, under one role that may read."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def read(
        self, location: str, *, role_arn: str, job_arn: str, recursive: bool = False
    ) -> Sequence[tuple[str, BinaryIO]]:
        if role_arn != ROLE:
            raise AccessRefused(role_arn)
        key = location.removeprefix("s3://bucket/")
        if not key.endswith("/"):
            names = [key] if key in self.objects else []
        else:
            within = [name for name in self.objects if name.startswith(key)]
            names = [name for name in within if recursive or "/" not in name[len(key) :]]
        return [(name, io.BytesIO(self.objects[name])) for name in names]

    def write(self, location: str, content: bytes, *, role_arn: str, job_arn: str) -> None:
        if role_arn != ROLE:
            raise AccessRefused(role_arn)
        self.objects[location.removeprefix("s3://bucket/")] = content


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


@dataclass(kw_only=True)
class Cloud:
    """One account's Personalize, and what tests ask of it again and again."""

    service: Personalize
    shared: Control
    bucket: Bucket = field(default_factory=Bucket)

    def __post_init__(self) -> None:
        self.control = self._client("personalize")
        self.runtime = self._client("personalize-runtime")
        self.events = self._client("personalize-events")

    @property
    def control_faults(self) -> Faults:
        return self.shared.faults

    @property
    def once(self) -> Any:
        """A client of the control plane that does not try again."""
        return self._client("personalize", attempts=1)

    @property
    def runtime_once(self) -> Any:
        return self._client("personalize-runtime", attempts=1)

    def _client(self, service: str, attempts: int = 3) -> Any:
        client = boto3.client(
            service,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": attempts}),
        )
        client.meta.events.register("before-send.*", self._send)
        return client

    def _send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        headers = {
            name.lower(): v.decode() if isinstance(v, bytes) else v for name, v in request.headers.items()
        }
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        answer = self.service.answer(path=urlsplit(request.url).path, headers=headers, body=body)
        return AWSResponse(request.url, answer.status, answer.headers, _Raw(answer.body))

    def settled(self, kind: str, arn: str) -> dict[str, Any]:
        """Describe until nothing is under way any more."""
        describe = getattr(self.control, f"describe_{kind}")
        camel = "".join(part.capitalize() for part in kind.split("_"))
        camel = camel[0].lower() + camel[1:]
        deadline = time.monotonic() + 30
        while True:
            described: dict[str, Any] = describe(**{f"{camel}Arn": arn})[camel]
            updates = (
                "latestCampaignUpdate",
                "latestSolutionUpdate",
                "latestDatasetUpdate",
                "latestRecommenderUpdate",
            )
            told = [described, *(described[name] for name in updates if name in described)]
            ends = ("PENDING", "IN_PROGRESS", "IN PROGRESS", "STOPPING")
            if not (under_way := [each["status"] for each in told if each["status"].endswith(ends)]):
                return described
            assert time.monotonic() < deadline, f"{arn} is still {under_way[0]}"
            time.sleep(0.002)  # asked without a pause, the service's lock may never come to its worker

    def gone(self, kind: str, arn: str) -> None:
        with pytest.raises(self.control.exceptions.ResourceNotFoundException):
            for _ in range(5):
                self.settled(kind, arn)

    def schema(self, text: str = INTERACTIONS_SCHEMA, name: str = "interactions", **options: Any) -> str:
        return str(self.control.create_schema(name=name, schema=text, **options)["schemaArn"])

    def group(self, name: str = "shop", **options: Any) -> str:
        arn = self.control.create_dataset_group(name=name, **options)["datasetGroupArn"]
        self.settled("dataset_group", arn)
        return str(arn)

    def dataset(self, group: str, schema: str, kind: str = "Interactions") -> str:
        arn = self.control.create_dataset(
            name=f"{group.rpartition('/')[2]}-{kind.lower()}",
            datasetGroupArn=group,
            schemaArn=schema,
            datasetType=kind,
        )["datasetArn"]
        self.settled("dataset", arn)
        return str(arn)

    def imported(self, dataset: str, csv: str, job: str, **options: Any) -> dict[str, Any]:
        self.bucket.objects[f"{job}/data.csv"] = csv.encode()
        arn = self.control.create_dataset_import_job(
            jobName=job,
            datasetArn=dataset,
            dataSource={"dataLocation": f"s3://bucket/{job}/"},
            roleArn=options.pop("role", ROLE),
            **options,
        )["datasetImportJobArn"]
        return self.settled("dataset_import_job", arn)

    def solution(self, group: str, name: str = "row", **options: Any) -> str:
        arn = self.control.create_solution(
            name=name,
            datasetGroupArn=group,
            performAutoTraining=False,
            **{"recipeArn": "arn:aws:personalize:::recipe/aws-user-personalization", **options},
        )["solutionArn"]
        self.settled("solution", arn)
        return str(arn)

    def version(self, solution: str) -> dict[str, Any]:
        arn = self.control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
        return self.settled("solution_version", arn)

    def campaign(self, version: str, name: str = "row") -> str:
        arn = self.control.create_campaign(name=name, solutionVersionArn=version)["campaignArn"]
        self.settled("campaign", arn)
        return str(arn)

    def tracker(self, group: str) -> tuple[str, str]:
        created = self.control.create_event_tracker(name="events", datasetGroupArn=group)
        self.settled("event_tracker", created["eventTrackerArn"])
        return created["eventTrackerArn"], created["trackingId"]

    def sends(self, tracking_id: str, session: str, items: Sequence[str], **options: Any) -> None:
        self.events.put_events(
            trackingId=tracking_id,
            sessionId=session,
            eventList=[
                {"eventType": "view", "itemId": item, "sentAt": 2_000_000_000 + i}
                for i, item in enumerate(items)
            ],
            **options,
        )

    def recommended(self, campaign: str, user: str, **options: Any) -> list[str]:
        answer = self.runtime.get_recommendations(campaignArn=campaign, userId=user, **options)
        return [item["itemId"] for item in answer["itemList"]]


def interactions_csv(rows: int = 1200) -> str:
    """60 users of two tastes: even ones touch shoes only, odd ones hats only, shoe-0 and hat-0 most."""
    lines = ["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE"]
    for i in range(rows):
        user, turn = i % 60, i // 60
        kind = "shoe" if user % 2 == 0 else "hat"
        item = 0 if turn % 4 == 0 else (user * 7 + turn * 3) % 20
        lines.append(f"user-{user},{kind}-{item},{1_700_000_000 + i},{'buy' if turn % 5 == 0 else 'view'},")
    return "\n".join(lines) + "\n"


def items_csv() -> str:
    lines = ["ITEM_ID,BRAND,CATEGORY,PRICE,CREATION_TIMESTAMP"]
    lines += [f"{kind}-{i},acme,{kind}s,{10 * i}," for kind in ("shoe", "hat") for i in range(20)]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A dataset group from import to campaign."""

    group: str
    schema: str
    interactions: str
    items: str
    tracker: str
    tracking_id: str
    solution: str
    version: str
    campaign: str


def error_of(call: Callable[[], Any]) -> Mapping[str, str]:
    """Code and message of the error that a call must raise."""
    with pytest.raises(ClientError) as caught:
        call()
    error: Mapping[str, str] = caught.value.response["Error"]
    return error
