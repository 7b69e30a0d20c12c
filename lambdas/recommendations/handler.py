"""The serving function: recommendations, rankings, and the heartbeat that proves a new version."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from recommendations import api, heartbeat
from recommendations.campaigns import Campaigns
from recommendations.configuration import Configuration
from recommendations.connection import Connection
from recommendations.credentials import credentials_of
from recommendations.popular import PopularLists, read_from
from recommendations.recommender import Recommender
from recommendations.service import SignedService, endpoint_of
from recommendations.settings import Settings
from recommendations.signing import Signer

_WAIT_AT_START: Final = 0.5


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway REST proxy event, or `{heartbeat: {placement, user_ids, item_ids?}}`."""
    began = time.monotonic()
    settings, recommender, _ = _service()
    if "heartbeat" in event:
        return heartbeat.answers(event["heartbeat"], recommender, settings.placements)
    return api.respond(event, recommender, settings, began=began)


@cache
def _service() -> tuple[Settings, Recommender, Configuration]:
    settings = Settings.from_environ(os.environ)
    ask = _services(os.environ, settings)
    personalize = ask("PERSONALIZE_RUNTIME", "personalize-runtime", "personalize")
    personalize.dial()
    bucket, path = settings.training_bucket, "/"
    if endpoint_of(os.environ, "S3", "") != "https://":
        bucket, path = "", f"/{settings.training_bucket}/"  # a stand-in for S3 has no name for each bucket
    popular = PopularLists(
        read_from(lambda: ask("S3", f"{bucket}.s3" if bucket else "s3", "s3"), path), settings.placements
    )
    configuration = Configuration(
        lambda: ask("APPCONFIGDATA", "appconfigdata", "appconfig"), settings.experiment
    )
    popular.refresh()
    configuration.refresh()
    recommender = Recommender(
        live_colour=settings.live_colour,
        ranker=Campaigns(personalize, settings.arn_of),
        popular=popular,
        configuration=configuration,
        budget=settings.time_budget,
    )
    return settings, recommender, configuration


def _services(environ: Mapping[str, str], settings: Settings) -> Callable[[str, str, str], SignedService]:
    credentials = credentials_of(environ)
    ca_bundle = environ.get("AWS_CA_BUNDLE")

    def ask(variable: str, host: str, signs_as: str) -> SignedService:
        url = endpoint_of(environ, variable, f"{host}.{settings.region}.{settings.domain}")
        return SignedService(
            Connection(url, ca_bundle=ca_bundle), Signer(signs_as, settings.region, credentials)
        )

    return ask


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # While Lambda initialises the sandbox it lends a whole processor. A sandbox that does not know of
    # the experiment would show its first users what is not theirs to see: so here, and only here, it is
    # waited for, a moment at most
    _service()[2].read_within(_WAIT_AT_START)
