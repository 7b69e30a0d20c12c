"""When a person is woken because of recommendations, and when a flip is taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from colorway.alarm import Alarm, Fault, metric
from colorway.guarded_api import GuardedApi
from colorway.on_call import OnCall
from vocabulary.colours import COLOURS, Colour
from vocabulary.placements import Placement

_TOLERATED_SHARE: Final = 0.05
_LEAST_USE: Final = 0.1
_TOLERATED_OVERHEAD: Final = cdk.Duration.millis(500)


class RecommendationsAlarms(Construct):
    """Define the alarms of the recommendations service.

    Shares are averages: a request counts 1 in `Fallbacks` if it was one and 0 if
    it was not, and so on.

    `of_colours` watch each colour by itself; they decide about one that has just gone live.
    `of_answers` watch what callers are answered; they take back a change of the experiment.
    `faults` page: one while there are no answers, the other while they are worse than they should be.
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
        placements: Sequence[Placement],
        on_call: OnCall,
    ) -> None:
        super().__init__(scope, construct_id)
        self._on_call, self._environment = on_call, environment
        self.of_answers = self._define_for_answers(guarded_api, time_budget)
        starved = self._define_for_refusals(function, guarded_api)
        self.of_colours: dict[Colour, list[cloudwatch.Alarm]] = {
            colour: self._define_for(colour) for colour in COLOURS
        }
        for placement in placements:
            self._define_for_cost(placement)
        failing, falling_back, slow, _ = self.of_answers
        out = Fault(
            self,
            "Out",
            alarms=[failing, starved],
            notices="Clients get no recommendations.",
            runbook="recommendations-out",
            on_call=on_call,
        )
        worse = [falling_back, slow, *(alarm for own in self.of_colours.values() for alarm in own)]
        degraded = Fault(
            self,
            "Degraded",
            alarms=worse,
            notices="Customers wait for recommendations, or see popular items instead.",
            runbook="recommendations-degraded",
            on_call=on_call,
            unless=out,
        )
        self.faults: list[cloudwatch.IAlarm] = [out, degraded]

    def _define_for_answers(
        self, guarded_api: GuardedApi, time_budget: cdk.Duration
    ) -> list[cloudwatch.Alarm]:
        minute = cdk.Duration.minutes(1)
        api = guarded_api.api
        failing = self._alarm(
            "Failing",
            metric=api.metric_server_error(statistic="Average", period=minute),
            notices="Clients get no recommendations, not even popular items.",
            because="1 in 100 is more than restarts and retries explain, two minutes more than a deploy.",
            runbook="recommendations-failing",
            threshold=0.01,
            periods=2,
        )
        falling_back = self._alarm(
            "FallingBack",
            metric=metric("Fallbacks", environment=self._environment, statistic="Average"),
            notices="Customers see popular items in place of their own recommendations.",
            because="1 in 20 for three minutes: Personalize's own retries and scaling stay below it.",
            runbook="recommendations-falling-back",
            threshold=_TOLERATED_SHARE,
            periods=3,
        )
        slow = self._alarm(
            "Slow",
            metric=api.metric_latency(statistic="p99", period=minute),
            notices="Customers wait for recommendations longer than the time budget allows.",
            because="the time budget and half a second, as a cold start takes; five minutes outlast a spike.",
            runbook="recommendations-slow",
            threshold=time_budget.plus(_TOLERATED_OVERHEAD).to_milliseconds(),
            periods=5,
        )
        unknown = self._alarm(
            "ExperimentUnknown",
            metric=metric("ExperimentUnknown", environment=self._environment, statistic="Average"),
            notices="Customers are served the default whatever the experiment says.",
            because="1 in 20 for five minutes: a new sandbox reads its configuration once, and soon.",
            runbook="experiment-unknown",
            threshold=_TOLERATED_SHARE,
            periods=5,
        )
        return [failing, falling_back, slow, unknown]

    def _define_for_refusals(self, function: lambda_.IFunction, guarded_api: GuardedApi) -> cloudwatch.Alarm:
        minute = cdk.Duration.minutes(1)
        self._alarm(
            "Refused",
            metric=guarded_api.metric_throttled(period=minute),
            notices="Clients ask more often than the API lets through, and are told 429.",
            because="any, three minutes running: shorter bursts are what the limit is for.",
            runbook="recommendations-refused",
            threshold=0,
            periods=3,
        )
        return self._alarm(
            "Starved",
            metric=function.metric_throttles(period=minute),
            notices="Lambda has no room to run the serving function, and clients get errors.",
            because="any: each one is a customer without an answer.",
            runbook="recommendations-starved",
            threshold=0,
        )

    def _define_for_cost(self, placement: Placement) -> None:
        """A campaign is billed for what it provides; at 1 TPS, the least there is, nothing can be saved."""
        if placement.min_provisioned_tps == 1:
            return
        day = cdk.Duration.days(1)
        self._alarm(
            f"Idle-{placement.name}",
            metric=cloudwatch.MathExpression(
                # A colour that never answered has no data for FILL to begin with
                expression="FILL(SUM(METRICS()), 0)",
                using_metrics={
                    colour: metric(
                        "Recommendations",
                        environment=self._environment,
                        placement=placement.name,
                        colour=colour,
                        period=day,
                    )
                    for colour in COLOURS
                },
                period=day,
                label=f"answers a day, {placement.name}",
            ),
            notices=f"Nobody notices: campaigns of {placement.name} are paid for, and hardly used.",
            because=f"a tenth of what {placement.min_provisioned_tps} TPS could answer, three days running.",
            runbook="campaign-idle",
            threshold=_LEAST_USE * placement.min_provisioned_tps * day.to_seconds(),
            periods=3,
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            missing=cloudwatch.TreatMissingData.IGNORE,  # before the first answer, and after the last
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
                because="1 failure in 20 answers, two minutes running; a bake has to notice before it ends.",
                runbook="colour-erring",
                threshold=_TOLERATED_SHARE,
                periods=2,
            ),
            self._alarm(
                "FallingBack",
                scope=scope,
                metric=metric("Fallbacks", environment=self._environment, colour=colour, statistic="Average"),
                notices=f"Customers see popular items though {colour} is live.",
                because="1 in 20, two minutes running; a bake has to notice before it ends.",
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
        because: str,
        runbook: str,
        threshold: float,
        periods: int = 1,
        comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
        scope: Construct | None = None,
    ) -> cloudwatch.Alarm:
        return Alarm(
            scope or self,
            construct_id,
            metric=metric,
            notices=notices,
            because=because,
            runbook=runbook,
            on_call=self._on_call,
            severity="notice",  # the faults page
            threshold=threshold,
            periods=periods,
            comparison=comparison,
            missing=missing,
        )
