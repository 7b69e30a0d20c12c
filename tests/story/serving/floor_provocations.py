"""What sets off the alarms of campaign floors: over campaigns, and where there are drops."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Final

from tests.story.provoking import Provocation
from tests.story.serving.app import ENVIRONMENT
from tests.story.serving.served import Served
from tests.story.watch import Watch

FIVE_MINUTES: Final = 0.004
"""Real seconds per second: five minutes are 1.2 seconds."""
_MORE_THAN_DUE: Final = 9


class Floors(Watch):
    """The deployment of the APIs under watch, and the function that brings floors about.

    Its schedule calls it every five minutes; here `called` does, as often as those pass.
    """

    def __init__(self, served: Served) -> None:
        super().__init__(served.cloud, pages=served.pages, notices=served.notices)
        self._lambda, self._personalize = served.cloud.client("lambda"), served.cloud.client("personalize")
        (self._function,) = (
            each
            for page in self._lambda.get_paginator("list_functions").paginate()
            for each in page["Functions"]
            if "CampaignFloors" in each["FunctionName"]
        )

    def called(self) -> AbstractContextManager[None]:
        return self.again_and_again(
            lambda: self._lambda.invoke(FunctionName=self._function["FunctionName"]), pause=0.2
        )

    @contextmanager
    def failing(self) -> Iterator[None]:
        """The function fails whenever it is called."""
        name, handler = self._function["FunctionName"], self._function["Handler"]
        self._lambda.update_function_configuration(FunctionName=name, Handler="nothing.handle")
        try:
            yield
        finally:
            self._lambda.update_function_configuration(FunctionName=name, Handler=handler)

    @contextmanager
    def refused(self) -> Iterator[None]:
        """The function may not change a campaign."""
        iam, role = self.connection.client("iam"), self._function["Role"].rpartition("/")[2]
        deny = {"Statement": {"Effect": "Deny", "Action": "personalize:UpdateCampaign", "Resource": "*"}}
        iam.put_role_policy(RoleName=role, PolicyName="trial", PolicyDocument=json.dumps(deny))
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName="trial")

    def raise_by_hand(self, placement: str) -> None:
        names = (each for each in self._personalize.list_campaigns()["campaigns"])
        (arn,) = (
            each["campaignArn"]
            for each in names
            if each["name"] == ENVIRONMENT.names.campaign("maize", placement)
        )
        self._personalize.update_campaign(campaignArn=arn, minProvisionedTPS=_MORE_THAN_DUE)


@contextmanager
def _not_called(floors: Floors) -> Iterator[None]:
    yield


@contextmanager
def _failing(floors: Floors) -> Iterator[None]:
    with floors.failing(), floors.called():
        yield


@contextmanager
def _raised_and_not_taken_back(floors: Floors, placement: str) -> Iterator[None]:
    with floors.refused():
        floors.raise_by_hand(placement)
        with floors.called():
            yield


def _called(floors: Floors) -> AbstractContextManager[None]:
    return floors.called()


NOT_MET: Final = "campaign-floors-not-met"


def _of_cost(placement: str) -> Provocation:
    return Provocation(
        "campaign-floor-lingering",
        partial(_raised_and_not_taken_back, placement=placement),
        NOT_MET,
        scale=FIVE_MINUTES,
        placement=placement,
        after=_called,
    )


def _of_need(how: str, condition: Any) -> Provocation:
    return Provocation(NOT_MET, condition, NOT_MET, after=_called, how=how)


PROVOCATIONS: Final = (
    _of_need("where nobody calls it", _not_called),
    _of_need("where it fails", _failing),
    _of_need(
        "where an update is refused", partial(_raised_and_not_taken_back, placement="recommended-for-you")
    ),
    _of_cost("recommended-for-you"),
    _of_cost("similar-items"),
)
