"""The serving function: `GET /recommendations/{user_id}`, and the heartbeat that proves a new version."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import Any, Final

import boto3
from botocore.config import Config

from recommendations import api, heartbeat
from recommendations.bulkhead import Bulkhead
from recommendations.campaigns import Campaigns
from recommendations.popular import PopularLists, read_from
from recommendations.recommender import Recommender
from recommendations.settings import Settings

_HANGING_AT_MOST: Final = 20


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway REST proxy event, or `{heartbeat: {placement, user_ids, item_ids?}}`."""
    began = time.monotonic()
    settings, recommender = _service()
    if "heartbeat" in event:
        return heartbeat.answers(event["heartbeat"], recommender, settings.placements)
    return api.respond(event, recommender, settings, began=began)


@cache
def _service() -> tuple[Settings, Recommender]:
    settings = Settings.from_environ(os.environ)
    # A second attempt comes after a pause that is longer than the whole budget
    personalize = _client("personalize-runtime", settings.time_budget, attempts=1)
    popular = PopularLists(
        read_from(_client("s3", 2.0, attempts=2), settings.training_bucket), settings.placements
    )
    popular.refresh()
    return settings, Recommender(
        live_colour=settings.live_colour,
        ranker=Campaigns(personalize, settings.campaign_arn),
        popular=popular,
        bulkhead=Bulkhead(at_most=_HANGING_AT_MOST),
        budget=settings.time_budget,
    )


def _client(service: str, seconds: float, *, attempts: int) -> Any:
    timeouts = Config(
        connect_timeout=seconds, read_timeout=seconds, retries={"total_max_attempts": attempts},
        max_pool_connections=_HANGING_AT_MOST,
    )  # fmt: skip
    return boto3.client(service, config=timeouts)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # While Lambda initialises the sandbox it lends a whole processor, and nobody waits yet
    _service()
