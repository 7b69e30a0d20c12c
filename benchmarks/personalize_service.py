"""How much the local Personalize carries, from the CSV in its storage to the answer.

    python -m benchmarks.personalize_service --items 100000 --interactions 20000000

Everything goes through the API: datasets are imported, solutions trained, campaigns asked. Requests are
handed to the service in this process, as bytes and answered with bytes: what is left out is HTTP. Generated
events are written by a process of their own; memory is the most that the service's process has held.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.recommenders import DAYS, START, Size, chunks, describe, latency, peak_mib
from local_cloud.personalize import wire
from local_cloud.personalize.control import Control
from local_cloud.personalize.lifecycle import Clock
from local_cloud.personalize.service import Personalize
from local_cloud.personalize.storage import FolderStorage
from vocabulary.schemas import INTERACTIONS_SCHEMA

_ACCOUNT: Final = "000000000000"
_ROLE: Final = f"arn:aws:iam::{_ACCOUNT}:role/personalize"
_NOW: Final = START + DAYS * 86_400
_ITEMS_SCHEMA: Final = json.dumps(
    {
        "type": "record",
        "name": "Items",
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [
            {"name": "ITEM_ID", "type": "string"},
            {"name": "BRAND", "type": "string", "categorical": True},
            {"name": "COLOUR", "type": "string", "categorical": True},
            {"name": "TITLE", "type": "string", "textual": True},
            {"name": "CREATION_TIMESTAMP", "type": "long"},
        ],
        "version": "1.0",
    }
)


def write(folder: Path, size: Size) -> None:
    """Both datasets as CSV."""
    folder.mkdir(parents=True)
    with (folder / "interactions.csv").open("w") as file:
        file.write("USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\n")
        for users, items, moments in chunks(size, seed=0):
            kinds = np.where(moments % 10 == 0, "buy", "view").tolist()
            rows = zip(users.tolist(), items.tolist(), moments.tolist(), kinds, strict=True)
            file.writelines(f"u{user},i{item:06},{at},{kind},\n" for user, item, at, kind in rows)
    with (folder / "items.csv").open("w") as file:
        file.write("ITEM_ID,BRAND,COLOUR,TITLE,CREATION_TIMESTAMP\n")
        for item_id, values in describe(size).items():
            cells = [str(values[name]) for name in ("BRAND", "COLOUR", "TITLE")]
            file.write(f"{item_id},{','.join(cells)},{int(float(str(values['CREATION_TIMESTAMP'])))}\n")


class Client:
    """Requests of one account, straight to the service."""

    def __init__(self, service: Personalize) -> None:
        self._service = service

    def control(self, operation: str, **request: Any) -> dict[str, Any]:
        headers = {"x-amz-target": f"{wire.TARGET_PREFIX}.{operation}"}
        return self._answered("/", headers, request)

    def runtime(self, path: str, request: Mapping[str, Any]) -> dict[str, Any]:
        return self._answered(path, {"content-type": "application/json"}, request)

    def _answered(self, path: str, headers: Mapping[str, str], request: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._service.answer(path=path, headers=headers, body=json.dumps(request).encode())
        if answer.status != 200:
            raise RuntimeError(f"{path} {headers}: {answer.status} {answer.body.decode()}")
        read: dict[str, Any] = json.loads(answer.body or b"{}")
        return read

    def made(self, kind: str, **request: Any) -> dict[str, Any]:
        """Create, and look until it is ACTIVE."""
        created = self.control(f"Create{kind}", **request)
        member = kind[0].lower() + kind[1:]
        arn = created[f"{member}Arn"]
        if kind == "Schema":
            return created
        while True:
            described: dict[str, Any] = self.control(f"Describe{kind}", **{f"{member}Arn": arn})[member]
            if described["status"] == "ACTIVE":
                return {**described, **created}
            if described["status"] == "CREATE FAILED":
                raise RuntimeError(f"{arn}: {described['failureReason']}")
            time.sleep(0.05)


def timed(what: str, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    began = time.perf_counter()
    made = act()
    print(f"{what}: {time.perf_counter() - began:.1f} s, {peak_mib()} MiB at most", flush=True)
    return made


def build(client: Client, size: Size) -> tuple[dict[str, str], str, dict[str, str]]:
    """:returns: campaigns by recipe, the tracking id, filters by name."""
    group = client.made("DatasetGroup", name="shop")["datasetGroupArn"]
    for kind, schema in (("Interactions", INTERACTIONS_SCHEMA), ("Items", _ITEMS_SCHEMA)):
        schema_arn = client.made("Schema", name=kind, schema=schema)["schemaArn"]
        dataset = client.made(
            "Dataset", name=kind, datasetType=kind, datasetGroupArn=group, schemaArn=schema_arn
        )
        source = {"dataLocation": f"s3://data/{kind.lower()}.csv"}
        job = {"jobName": kind, "datasetArn": dataset["datasetArn"], "dataSource": source, "roleArn": _ROLE}
        timed(f"import of {kind}", lambda job=job: client.made("DatasetImportJob", **job))  # type: ignore[misc]
    campaigns = {}
    for recipe in ("aws-user-personalization", "aws-similar-items"):
        solution = client.made(
            "Solution",
            name=recipe,
            datasetGroupArn=group,
            recipeArn=f"arn:aws:personalize:::recipe/{recipe}",
            performAutoTraining=False,
        )["solutionArn"]
        version = timed(
            f"training and measuring of {recipe}",
            lambda solution=solution: client.made("SolutionVersion", solutionArn=solution),  # type: ignore[misc]
        )["solutionVersionArn"]
        campaigns[recipe] = client.made("Campaign", name=recipe, solutionVersionArn=version)["campaignArn"]
    tracking_id = client.made("EventTracker", name="events", datasetGroupArn=group)["trackingId"]
    expressions = {
        "bought": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")',
        "colour": 'INCLUDE ItemID WHERE Items.COLOUR IN ("pink")',
        "brand": "INCLUDE ItemID WHERE Items.BRAND IN ($BRAND)",
        "age": "INCLUDE ItemID WHERE Items.CREATION_TIMESTAMP > $SINCE",
    }
    filters = {
        name: client.made("Filter", name=name, datasetGroupArn=group, filterExpression=expression)[
            "filterArn"
        ]
        for name, expression in expressions.items()
    }
    return campaigns, tracking_id, filters


def ask(
    client: Client, size: Size, campaigns: Mapping[str, str], filters: Mapping[str, str], requests: int
) -> None:
    def user(number: int) -> str:
        return f"u{number * 7919 % size.users}"

    def recommends(**request: Any) -> dict[str, Any]:
        request.setdefault("campaignArn", campaigns["aws-user-personalization"])
        return client.runtime("/recommendations", request)

    def filtered(number: int, name: str, **values: str) -> dict[str, Any]:
        return recommends(userId=user(number), filterArn=filters[name], filterValues=values)

    for name in ("bought", "colour"):
        began = time.perf_counter()
        filtered(1, name)
        print(
            f"  first use of the filter {name!r}: {(time.perf_counter() - began) * 1000:.1f} ms", flush=True
        )
    similar, several = campaigns["aws-similar-items"], max(1, size.items // 500)
    kinds: dict[str, Callable[[int], object]] = {
        "user-personalization, 25 items": lambda n: recommends(userId=user(n)),
        "user-personalization, 500 items": lambda n: recommends(userId=user(n), numResults=500),
        "an unknown user": lambda n: recommends(userId=f"nobody {n}"),
        "similar-items": lambda n: recommends(campaignArn=similar, itemId=f"i{n * 31 % size.items:06}"),
        "without what was bought": lambda n: filtered(n, "bought"),
        "one colour of eight": lambda n: filtered(n, "colour"),
        "a brand, another each time": lambda n: filtered(
            n, "brand", BRAND=f'"brand {n % min(200, several)}"'
        ),
        "newer than, another each time": lambda n: filtered(n, "age", SINCE=str(_NOW - 40 * 86_400 + n)),
    }
    for kind, act in kinds.items():
        print(f"  {kind}: {latency(act, requests=requests)}", flush=True)


def send(client: Client, size: Size, campaigns: Mapping[str, str], tracking_id: str, requests: int) -> None:
    """Each event is of a newcomer, whose next answer must differ from the one before."""
    seen = 0
    campaign = campaigns["aws-user-personalization"]

    def recommended(user: str) -> list[str]:
        answer = client.runtime("/recommendations", {"campaignArn": campaign, "userId": user})
        return [item["itemId"] for item in answer["itemList"]]

    def put(number: int) -> None:
        event = {"eventType": "view", "itemId": f"i{number * 17 % size.items:06}", "sentAt": _NOW + number}
        client.runtime(
            "/events",
            {
                "trackingId": tracking_id,
                "sessionId": f"new {number}",
                "userId": f"new {number}",
                "eventList": [event],
            },
        )

    users = range(10_000, 10_000 + requests)
    before = {number: recommended(f"new {number}") for number in users}
    took = []
    for number in users:
        began = time.perf_counter()
        put(number)
        after = recommended(f"new {number}")
        took.append((time.perf_counter() - began) * 1000)
        seen += after != before[number]
    p50, p99 = np.percentile(took, [50, 99])
    print(f"  an event: {latency(put, requests=requests)}")
    print(f"  an event and the next answer: p50 {p50:.2f} ms, p99 {p99:.2f} ms; seen in {seen} of {requests}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--users", type=int, default=0, help="default: one per 50 interactions")
    parser.add_argument("--interactions", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=2000)
    arguments = parser.parse_args()
    size = Size(
        items=arguments.items,
        users=arguments.users or max(1, arguments.interactions // 50),
        interactions=arguments.interactions,
    )
    with tempfile.TemporaryDirectory(prefix="personalize-") as folder:
        writer = multiprocessing.get_context("spawn").Process(
            target=write, args=(Path(folder) / "data", size)
        )
        writer.start()
        writer.join()
        if writer.exitcode:
            raise SystemExit("the data could not be written")
        print(f"{size.interactions} interactions, {size.items} items, {size.users} users", flush=True)
        service = Personalize(
            account=_ACCOUNT,
            region="us-east-1",
            control=Control(clock=Clock()),
            storage=FolderStorage(Path(folder)),
        )
        client = Client(service)
        campaigns, tracking_id, filters = build(client, size)
        ask(client, size, campaigns, filters, arguments.requests)
        send(client, size, campaigns, tracking_id, arguments.requests)
        print(f"  {peak_mib()} MiB at most")
        service.close()


if __name__ == "__main__":
    main()
