"""In-memory stand-ins for what the serving function talks to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from recommendations.configuration import Configuration
from recommendations.connection import Answer, TimedOut
from recommendations.popular import PopularLists, read_from
from recommendations.service import ServiceError
from recommendations.settings import Settings
from vocabulary.lake import popular_key
from vocabulary.placements import Placement, to_json

Behaviour = Callable[[dict[str, Any]], Any]
"""What a campaign does with a question: answers an object, or the bytes of a body, or raises."""

PLACEMENTS = (
    Placement(
        name="recommended-for-you",
        filters={
            "not-bought": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")',
            "of-brands": "INCLUDE ItemID WHERE Items.BRAND IN ($BRANDS)",
        },
        context=("DEVICE",),
    ),
    Placement(name="similar-items", recipe="aws-similar-items", metadata=("BRAND",)),
    Placement(name="ranked", recipe="aws-personalized-ranking"),
)


class Clock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def recommends(*items: str) -> Behaviour:
    def answer(question: dict[str, Any]) -> Any:
        if "inputList" in question:
            ranked = [{"itemId": item, "score": 0.5} for item in reversed(question["inputList"])]
            return {"personalizedRanking": ranked, "recommendationId": "RID-1"}
        ranked = [{"itemId": item, "score": 1 / (2 + place)} for place, item in enumerate(items)]
        return {"itemList": ranked[: question["numResults"]], "recommendationId": "RID-1"}

    return answer


def fails(code: str, status: int = 400) -> Behaviour:
    def answer(question: dict[str, Any]) -> Any:
        raise ServiceError(code, status, "no")

    return answer


def answers(response: Any) -> Behaviour:
    return lambda question: response


class Personalize:
    """Personalize's runtime; a colour without a behaviour has no campaigns.

    :param takes: seconds that each call takes, by the clock; one that takes too long times out.
    """

    def __init__(self, *, clock: Clock | None = None, takes: float = 0.0, **colours: Behaviour) -> None:
        self.colours = colours
        self.clock, self.takes = clock or Clock(), takes
        self.questions: list[dict[str, Any]] = []
        self.paths: list[str] = []

    def ask(self, method: str, path: str, body: bytes = b"", *, query: str = "", deadline: float) -> Answer:
        question = json.loads(body)
        self.questions.append(question)
        self.paths.append(f"{method} {path}")
        if self.clock.now + self.takes >= deadline:
            self.clock.now = max(self.clock.now, deadline)
            raise TimedOut
        self.clock.now += self.takes
        colour = question["campaignArn"].split("/")[1].split("-")[2]
        told = self.colours.get(colour, fails("ResourceNotFoundException", 404))(question)
        return Answer(200, {}, told if isinstance(told, bytes) else json.dumps(told).encode())


class Bucket:
    """S3 as one bucket has it."""

    def __init__(self, **popular: list[str]) -> None:
        self.objects: dict[str, bytes] = {}
        self.away = False
        for placement, items in popular.items():
            self.put_popular(placement.replace("_", "-"), items)

    def put_popular(self, placement: str, items: list[str]) -> None:
        listed = [{"item_id": item, "count": 9} for item in items]
        content = {"placement": placement, "run_id": "20260101T000000", "items": listed}
        self.objects["/" + popular_key(placement)] = json.dumps(content).encode()

    def ask(self, method: str, path: str, body: bytes = b"", *, query: str = "", deadline: float) -> Answer:
        if self.away or path not in self.objects:
            raise ServiceError("AccessDenied", 403, "no")
        return Answer(200, {}, self.objects[path])


class AppConfig:
    """AppConfig's data plane: sessions, tokens good for one call, and nothing where nothing is new."""

    def __init__(self, configuration: object = None) -> None:
        self.away = False
        self.calls: list[str] = []
        self._text = b""
        self._tokens: dict[str, bytes] = {}
        if configuration is not None:
            self.deploy(configuration)

    def deploy(self, configuration: object) -> None:
        self._text = configuration if isinstance(configuration, bytes) else json.dumps(configuration).encode()

    def forget_sessions(self) -> None:
        self._tokens.clear()

    def ask(self, method: str, path: str, body: bytes = b"", *, query: str = "", deadline: float) -> Answer:
        self.calls.append(f"{method} {path}")
        if self.away:
            raise TimedOut
        if path == "/configurationsessions":
            return Answer(201, {}, json.dumps({"InitialConfigurationToken": self._token(b"")}).encode())
        token = query.removeprefix("configuration_token=")
        if token not in self._tokens:
            raise ServiceError("BadRequestException", 400)
        seen = self._tokens.pop(token)
        following = {"next-poll-configuration-token": self._token(self._text)}
        return Answer(200, following, b"" if seen == self._text else self._text)

    def _token(self, seen: bytes) -> str:
        token = f"token-{len(self.calls)}"
        self._tokens[token] = seen
        return token


def at_once(work: Callable[[], None]) -> None:
    """Background work that is done before anybody looks."""
    work()


def popular_lists(bucket: Bucket, now: Clock | None = None) -> PopularLists:
    return PopularLists(
        read_from(lambda: bucket), [each.name for each in PLACEMENTS], now=now or Clock(), begin=at_once
    )


def configuration(appconfig: AppConfig | None, now: Clock | None = None) -> Configuration:
    """What the function knows of an experiment; of none at all without AppConfig."""
    known = Configuration(
        lambda: appconfig or AppConfig(),
        ("a", "e", "p") if appconfig else None,
        now=now or Clock(),
        begin=at_once,
    )
    known.refresh()
    return known


def settings(live_colour: str, **more: str) -> Settings:
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
            **more,
        }
    )
