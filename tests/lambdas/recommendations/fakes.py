"""In-memory stand-ins for what the serving function talks to."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError

from recommendations.popular import PopularLists, read_from
from recommendations.settings import Settings
from vocabulary.lake import popular_key
from vocabulary.placements import Placement, to_json

Behaviour = Callable[[dict[str, Any]], Any]
"""What a campaign does with the arguments of GetRecommendations."""

PLACEMENTS = (
    Placement(name="recommended-for-you"),
    Placement(name="similar-items", recipe="aws-similar-items"),
)


def recommends(*items: str) -> Behaviour:
    def answer(question: dict[str, Any]) -> Any:
        ranked = [{"itemId": item, "score": 1 / (2 + place)} for place, item in enumerate(items)]
        return {"itemList": ranked[: question["numResults"]], "recommendationId": "RID-1"}

    return answer


def fails(code: str) -> Behaviour:
    def answer(question: dict[str, Any]) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "GetRecommendations")

    return answer


def answers(response: Any) -> Behaviour:
    return lambda question: response


class Personalize:
    """A `personalize-runtime` client; a colour without a behaviour has no campaigns."""

    def __init__(self, **colours: Behaviour) -> None:
        self.colours = colours
        self.questions: list[dict[str, Any]] = []
        self.dropped_connections = 0

    def get_recommendations(self, **question: Any) -> Any:
        self.questions.append(question)
        if self.dropped_connections:
            self.dropped_connections -= 1
            raise ConnectionClosedError(endpoint_url="https://personalize-runtime")
        colour = question["campaignArn"].split("/")[1].split("-")[2]
        return self.colours.get(colour, fails("ResourceNotFoundException"))(question)


class Bucket:
    """An S3 client of one bucket."""

    def __init__(self, **popular: list[str]) -> None:
        self.objects: dict[str, bytes] = {}
        self.away = False
        for placement, items in popular.items():
            self.put_popular(placement.replace("_", "-"), items)

    def put_popular(self, placement: str, items: list[str]) -> None:
        listed = [{"item_id": item, "count": 9} for item in items]
        content = {"placement": placement, "run_id": "20260101T000000", "items": listed}
        self.objects[popular_key(placement)] = json.dumps(content).encode()

    def get_object(self, **request: str) -> dict[str, Any]:
        key = request["Key"]
        if self.away or key not in self.objects:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[key])}


class Clock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def at_once(work: Callable[[], None]) -> None:
    """Background work that is done before anybody looks."""
    work()


def popular_lists(bucket: Bucket) -> PopularLists:
    return PopularLists(read_from(bucket, "training"), [each.name for each in PLACEMENTS], begin=at_once)


def settings(live_colour: str) -> Settings:
    return Settings.from_environ(
        {
            "APP": "colorway",
            "ENVIRONMENT": "test",
            "PARTITION": "aws",
            "AWS_REGION": "eu-west-1",
            "ACCOUNT": "123456789012",
            "LIVE_COLOUR": live_colour,
            "PLACEMENTS": to_json(PLACEMENTS),
            "TRAINING_BUCKET": "training",
            "TIME_BUDGET_MS": "300",
        }
    )
