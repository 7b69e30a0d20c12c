"""The campaigns of Amazon Personalize, as serving sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError

from recommendations.recommender import Item, NoSuchCampaign, Ranking
from recommendations.request import Request
from vocabulary.colours import Colour


@dataclass(frozen=True)
class Campaigns:
    """Asks the campaign of a colour and placement.

    :param client: boto3's `personalize-runtime`, with timeouts and without retries of its own.
    :param arn_of: the campaign's ARN by colour and placement.
    """

    client: Any
    arn_of: Callable[[Colour, str], str]

    def rank(self, colour: Colour, request: Request) -> Ranking:
        """What the colour recommends.

        :raises NoSuchCampaign: when the colour is not there, or no longer.
        """
        question: dict[str, Any] = {
            "campaignArn": self.arn_of(colour, request.placement.name),
            "userId": request.user_id,
            "numResults": request.num_results,
        }
        if request.item_id is not None:
            question["itemId"] = request.item_id
        try:
            answer = self._ask(question)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
                raise NoSuchCampaign(question["campaignArn"]) from error
            raise
        return Ranking(
            items=[Item(each["itemId"], each.get("score")) for each in answer["itemList"]],
            recommendation_id=answer.get("recommendationId"),
        )

    def _ask(self, question: dict[str, Any]) -> Any:
        try:
            return self.client.get_recommendations(**question)
        except ConnectionClosedError:
            # Closed by the other side while this sandbox was frozen: says nothing about Personalize
            return self.client.get_recommendations(**question)
