"""When a person is woken because of recommendations, and when a flip is taken back."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from colorway.alarm import Alarm, metric
from colorway.guarded_api import GuardedApi
from vocabulary.colours import COLOURS, Colour

_TOLERATED_SHARE: Final = 0.05
_TOLERATED_OVERHEAD: Final = cdk.Duration.millis(500)


class RecommendationsAlarms(Construct):
    """Define the alarms of the recommendations service.

    Shares are averages: a request counts 1 in `Fallbacks` if it was one and 0 if
    it was not, and so on.

    `of_colours` watch each colour by itself; they decide about one that has just gone live.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        function: lambda_.IFunction,
        guarded_api: GuardedApi,
        time_budget: cdk.Duration,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._topic, self._environment = topic, environment
        self._define_for_callers(function, guarded_api, time_budget)
        self.of_colours: dict[Colour, list[cloudwatch.Alarm]] = {
            colour: self._define_for(colour) for colour in COLOURS
        }

    def _define_for_callers(
        self, function: lambda_.IFunction, guarded_api: GuardedApi, time_budget: cdk.Duration
    ) -> None:
        minute = cdk.Duration.minutes(1)
        api = guarded_api.api
        self._alarm(
            "Failing",
            metric=api.metric_server_error(statistic="Average", period=minute),
            notices="Clients get no recommendations, not even popular items.",
            runbook="recommendations-failing",
            threshold=0.01,
            periods=2,
        )
        self._alarm(
            "FallingBack",
            metric=metric("Fallbacks", environment=self._environment, statistic="Average"),
            notices="Customers see popular items in place of their own recommendations.",
            runbook="recommendations-falling-back",
            threshold=_TOLERATED_SHARE,
            periods=3,
        )
        self._alarm(
            "Slow",
            metric=api.metric_latency(statistic="p99", period=minute),
            notices="Customers wait for recommendations longer than the time budget allows.",
            runbook="recommendations-slow",
            threshold=time_budget.plus(_TOLERATED_OVERHEAD).to_milliseconds(),
            periods=5,
        )
        self._alarm(
            "Refused",
            metric=guarded_api.metric_throttled(period=minute),
            notices="Clients ask more often than the API lets through, and are told 429.",
            runbook="recommendations-refused",
            threshold=0,
            periods=3,
        )
        self._alarm(
            "Starved",
            metric=function.metric_throttles(period=minute),
            notices="Lambda has no room to run the serving function, and clients get errors.",
            runbook="recommendations-starved",
            threshold=0,
        )

    def _define_for(self, colour: Colour) -> list[cloudwatch.Alarm]:
        scope = Construct(self, colour.title())
        return [
            self._alarm(
                "Erring",
                scope=scope,
                metric=metric(
                    "PersonalizeErrors", environment=self._environment, colour=colour, statistic="Average"
                ),
                notices=f"Campaigns of {colour} fail, are too slow or are missing while it is live.",
                runbook="colour-erring",
                threshold=_TOLERATED_SHARE,
                periods=2,
            ),
            self._alarm(
                "FallingBack",
                scope=scope,
                metric=metric("Fallbacks", environment=self._environment, colour=colour, statistic="Average"),
                notices=f"Customers see popular items though {colour} is live.",
                runbook="colour-falling-back",
                threshold=_TOLERATED_SHARE,
                periods=2,
            ),
        ]

    def _alarm(
        self,
        construct_id: str,
        *,
        metric: cloudwatch.IMetric,
        notices: str,
        runbook: str,
        threshold: float,
        periods: int = 1,
        scope: Construct | None = None,
    ) -> cloudwatch.Alarm:
        return Alarm(
            scope or self,
            construct_id,
            metric=metric,
            notices=notices,
            runbook=runbook,
            topic=self._topic,
            threshold=threshold,
            periods=periods,
        )
