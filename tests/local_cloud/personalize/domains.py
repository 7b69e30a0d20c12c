"""A shop and a video service in domain dataset groups, and what tests ask of their recommenders."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.local_cloud.personalize.harness import Cloud

DAY = 24 * 60 * 60
HOUR = 60 * 60
START = 1_700_000_000
NOW = START + 20 * DAY

KEYS = [{"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"}]
INTERACTIONS = [*KEYS, {"name": "TIMESTAMP", "type": "long"}, {"name": "EVENT_TYPE", "type": "string"}]
PRODUCTS = [
    KEYS[1],
    {"name": "PRICE", "type": "float"},
    {"name": "CATEGORY_L1", "type": ["string"], "categorical": True},
    {"name": "GENDER", "type": ["null", "string"], "categorical": True},
]
VIDEOS = [
    KEYS[1],
    {"name": "GENRES", "type": ["string"], "categorical": True},
    {"name": "CREATION_TIMESTAMP", "type": "long"},
]
USERS = [KEYS[0], {"name": "COUNTRY", "type": "string", "categorical": True}]


def avro(name: str, fields: Sequence[Any], **more: Any) -> str:
    namespace = "com.amazonaws.personalize.schema"
    document = {"type": "record", "name": name, "namespace": namespace, "fields": fields, "version": "1.0"}
    return json.dumps({**document, **more})


def csv(fields: Sequence[Any], rows: Sequence[tuple[object, ...]]) -> str:
    lines = [[str(each["name"]) for each in fields], *[[str(cell) for cell in row] for row in rows]]
    return "".join(",".join(line) + "\n" for line in lines)


Row = tuple[object, ...]


def shopping() -> Iterator[Row]:
    """60 users on 20 days.

    Who is even views camera and lens together, and buys camera and card in one basket, a tripod the day
    after; who is odd views mugs. A few look into the window again and again; everybody buys socks.
    """
    for user in range(60):
        for day in range(20):
            at = START + day * DAY + user * 60
            views = ("camera", "lens") if user % 2 == 0 else (f"mug-{day % 5}", f"mug-{(day + 1) % 5}")
            yield from ((f"user-{user}", item, at + 5 * i, "View") for i, item in enumerate(views))
            if user < 6:
                yield from ((f"user-{user}", "window", at + 2 * HOUR + i, "View") for i in range(120 // 6))
            if day % 2 == 0:
                yield f"user-{user}", "socks", at + 4 * HOUR, "Purchase"
            if user % 2 == 0:
                basket = ("camera", "card") if day % 2 == 0 else ("tripod",)
                yield from (
                    (f"user-{user}", item, at + 8 * HOUR + i, "purchase") for i, item in enumerate(basket)
                )


def watching() -> Iterator[Row]:
    """60 users on 20 days: odd ones watch horror, even ones comedy, all of them a hit, once; five a loop,
    over and over. Everybody clicks on the trailer. In the last two hours a few discover something fresh.
    """
    for user in range(60):
        kind = "horror" if user % 2 else "comedy"
        for day in range(20):
            at = START + day * DAY + user * 60
            yield f"user-{user}", f"{kind}-{(user + day) % 10}", at, "Watch"
            yield f"user-{user}", "trailer", at + 5, "Click"
            if user < 5:
                yield from ((f"user-{user}", "loop", at + 3 * HOUR + i, "Watch") for i in range(20))
        yield f"user-{user}", "hit", START + (user % 19) * DAY + 6 * HOUR, "Watch"
        if user < 12:
            yield f"user-{user}", "fresh", NOW - 60 * user, "Watch"


def products() -> list[Row]:
    names = ["camera", "lens", "card", "tripod", "socks", "window", *(f"mug-{i}" for i in range(5))]
    return [(name, 10 + i, "photo" if i < 4 else "home", "") for i, name in enumerate(names)]


def videos() -> list[Row]:
    """A new one, which nobody has watched, is a horror film like the others."""
    named = [(f"{kind}-{i}", kind, START) for kind in ("horror", "comedy") for i in range(10)]
    others = [("loop", "music", START), ("hit", "action", START), ("trailer", "advert", START)]
    return [*named, *others, ("fresh", "news", NOW - DAY), ("horror-new", "horror", NOW)]


ECOMMERCE = ("ECOMMERCE", PRODUCTS, products, shopping)
VIDEO_ON_DEMAND = ("VIDEO_ON_DEMAND", VIDEOS, videos, watching)


@dataclass(kw_only=True)
class DomainShop:
    """A domain dataset group with data, and its recommenders by the last part of their recipe's name."""

    cloud: Cloud
    group: str
    interactions: str
    items: str
    tracking_id: str
    made: dict[str, str] = field(default_factory=dict)

    def creates(self, use_case: str, name: str = "", **options: Any) -> str:
        """A recommender; `options` are its configuration."""
        prefix = "vod" if "video" in self.group else "ecomm"
        config = {"recommenderConfig": options} if options else {}
        return str(
            self.cloud.control.create_recommender(
                name=name or use_case,
                datasetGroupArn=self.group,
                recipeArn=f"arn:aws:personalize:::recipe/aws-{prefix}-{use_case}",
                **config,
            )["recommenderArn"]
        )

    def has(self, use_case: str, name: str = "", **options: Any) -> str:
        """An ACTIVE one."""
        arn = self.creates(use_case, name, **options)
        described = self.cloud.settled("recommender", arn)
        assert described["status"] == "ACTIVE", described
        return arn

    def described(self, arn: str) -> dict[str, Any]:
        recommender: dict[str, Any] = self.cloud.control.describe_recommender(recommenderArn=arn)
        return dict(recommender["recommender"])

    def answers(self, arn: str, **request: Any) -> list[str]:
        answer = self.cloud.runtime.get_recommendations(recommenderArn=arn, **request)
        return [item["itemId"] for item in answer["itemList"]]

    def sends(self, user: str, item: str, event_type: str, at: float = NOW) -> None:
        event = {"eventType": event_type, "itemId": item, "sentAt": at}
        self.cloud.events.put_events(
            trackingId=self.tracking_id, sessionId=user, userId=user, eventList=[event]
        )


def domain_shop(cloud: Cloud, kind: tuple[Any, ...]) -> DomainShop:
    domain, item_fields, items, interactions = kind
    name = "video" if domain == "VIDEO_ON_DEMAND" else "webshop"
    group = cloud.group(name, domain=domain)

    def dataset(kind: str, fields: Sequence[Any], rows: Sequence[Row]) -> str:
        schema = cloud.schema(avro(kind, fields), f"{name}-{kind}", domain=domain)
        arn = cloud.dataset(group, schema, kind)
        job = cloud.imported(arn, csv(fields, rows), f"{name}-{kind}")
        assert job["status"] == "ACTIVE", job
        return arn

    shop = DomainShop(
        cloud=cloud,
        group=group,
        interactions=dataset("Interactions", INTERACTIONS, list(interactions())),
        items=dataset("Items", item_fields, items()),
        tracking_id="",
    )
    tracker = cloud.control.create_event_tracker(name=name, datasetGroupArn=group)
    cloud.settled("event_tracker", tracker["eventTrackerArn"])
    shop.tracking_id = tracker["trackingId"]
    return shop
