"""The campaigns of Amazon Personalize, as serving sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from recommendations import items
from recommendations.recommender import NoSuchCampaign, NoSuchFilter, Ranking
from recommendations.request import Request
from recommendations.service import Service, ServiceError
from vocabulary.colours import Colour

_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode


class Garbled(Exception):
    """Personalize answered with success, and with something else than a list of items."""


class Campaigns:
    """Asks the campaign of a colour and placement.

    :param personalize: Personalize's runtime.
    :param arn_of: a resource's ARN by kind (`campaign`, `filter`), colour and the rest of its name.
    """

    def __init__(self, personalize: Service, arn_of: Callable[[str, Colour, str], str]) -> None:
        self._personalize, self._arn_of = personalize, cache(arn_of)

    def rank(self, colour: Colour, request: Request, *, deadline: float) -> Ranking:
        """What the colour recommends, or how it ranks the request's own items.

        :raises NoSuchCampaign: when the colour is not there, or no longer.
        :raises NoSuchFilter: when it is there, for all that is known, and its filter is not.
        :raises Garbled: for an answer that is none.
        :raises Exception: whatever `Service.ask` raises.
        """
        placement = request.placement
        question: dict[str, Any] = {
            "campaignArn": self._arn_of("campaign", colour, placement.name),
        }
        if request.user_id is not None:
            question["userId"] = request.user_id
        if request.item_ids is None:
            path, answered = "/recommendations", "itemList"
            question["numResults"] = request.num_results
            if request.item_id is not None:
                question["itemId"] = request.item_id
        else:
            path, answered = "/personalize-ranking", "personalizedRanking"
            question["inputList"] = request.item_ids
        if request.filter is not None:
            question["filterArn"] = self._arn_of("filter", colour, f"{placement.name}-{request.filter}")
            if request.filter_values:
                question["filterValues"] = request.filter_values
        if request.context:
            question["context"] = request.context
        if placement.metadata:
            question["metadataColumns"] = {"ITEMS": placement.metadata}
        try:
            answer = self._personalize.ask("POST", path, _ENCODE(question).encode(), deadline=deadline)
        except ServiceError as error:
            if error.code == "ResourceNotFoundException":
                if question.get("filterArn", "no filter") in str(error):
                    raise NoSuchFilter(question["filterArn"]) from error
                raise NoSuchCampaign(question["campaignArn"]) from error
            raise
        try:
            told = items.read(answer.body.decode())
            ids, written = items.of_predictions(told[answered])
            recommendation_id = told.get("recommendationId")
        except Exception as error:
            raise Garbled(f"{type(error).__name__}: {error}") from error
        return Ranking(ids, written, recommendation_id if isinstance(recommendation_id, str) else None)
