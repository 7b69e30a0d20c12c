"""The one dashboard, as on-call asks: are customers served, is the model fresh, do events flow."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from colorway.alarm import metric
from colorway.clickstream import Clickstream
from colorway.nightly_retraining import NightlyRetraining
from colorway.recommendations_service import RecommendationsService
from vocabulary.colours import COLOURS, Names

_WIDTH = 24


class Dashboard(Construct):
    """Define the dashboard of one deployment.

    :param service: what customers see.
    :param clickstream: what flows in.
    :param retraining: what happens at night.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        service: RecommendationsService,
        clickstream: Clickstream,
        retraining: NightlyRetraining,
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = names.environment
        self.dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=names.prefix, default_interval=cdk.Duration.hours(6)
        )
        self.dashboard.add_widgets(
            cloudwatch.TextWidget(
                width=_WIDTH,
                height=2,
                markdown=(
                    f"# {names.prefix}\nRecommendations, their freshness, and the clickstream behind them. "
                    "What to do about an alarm: docs/runbook.md"
                ),
            )
        )
        self.dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(
                title="What pages",
                width=_WIDTH,
                height=2,
                alarms=[*service.faults, *clickstream.faults, *retraining.pages, *clickstream.pages],
            )
        )
        self._row(self._served(service), self._who_answers(), self._personalize())
        self._row(self._nights(retraining), self._freshness(), self._gates())
        self._row(self._events(), self._behind(clickstream), self._lag())
        self._row(self._experiment(service), self._trouble(service))

    def _row(self, *widgets: cloudwatch.IWidget) -> None:
        self.dashboard.add_widgets(*widgets)

    def _served(self, service: RecommendationsService) -> cloudwatch.GraphWidget:
        api = service.guarded_api.api
        minute = cdk.Duration.minutes(1)
        return _graph(
            "Requests, and those that failed",
            left=[api.metric_count(period=minute), api.metric_server_error(statistic="Sum", period=minute)],
            right=[api.metric_latency(statistic="p99", period=minute)],
        )

    def _who_answers(self) -> cloudwatch.GraphWidget:
        return _graph(
            "Which colour is live, by what it answers; and popular items instead",
            stacked=True,
            left=[
                metric("Recommendations", environment=self._environment, colour=colour, label=colour)
                for colour in COLOURS
            ],
            right=[metric("Fallbacks", environment=self._environment, label="popular items instead")],
        )

    def _personalize(self) -> cloudwatch.GraphWidget:
        return _graph(
            "Personalize: milliseconds, and errors by colour",
            left=[
                metric(
                    "PersonalizeLatency",
                    environment=self._environment,
                    statistic=statistic,
                    label=statistic,
                )
                for statistic in ("p50", "p99")
            ],
            right=[
                metric("PersonalizeErrors", environment=self._environment, colour=colour, label=colour)
                for colour in COLOURS
            ],
        )

    @staticmethod
    def _nights(retraining: NightlyRetraining) -> cloudwatch.GraphWidget:
        machine = retraining.state_machine
        hour = cdk.Duration.hours(1)
        return _graph(
            "Retrainings",
            left=[
                machine.metric_started(period=hour, statistic="Sum"),
                machine.metric_succeeded(period=hour, statistic="Sum"),
                machine.metric_failed(period=hour, statistic="Sum"),
                machine.metric_aborted(period=hour, statistic="Sum"),
                machine.metric_timed_out(period=hour, statistic="Sum"),
            ],
        )

    def _freshness(self) -> cloudwatch.GraphWidget:
        hour = cdk.Duration.hours(1)
        return _graph(
            "Age of the live model, and what a retraining takes (milliseconds)",
            left=[metric("ModelAge", environment=self._environment, statistic="Maximum", period=hour)],
            right=[
                metric("RetrainingDuration", environment=self._environment, statistic="Maximum", period=hour)
            ],
        )

    def _gates(self) -> cloudwatch.GraphWidget:
        hour = cdk.Duration.hours(1)
        return _graph(
            "Refused by the gates, and colours that serve nobody (age in milliseconds)",
            left=[metric("GateFailures", environment=self._environment, period=hour)],
            right=[
                metric("DormantColourAge", environment=self._environment, statistic="Maximum", period=hour)
            ],
        )

    @staticmethod
    def _experiment(service: RecommendationsService) -> cloudwatch.LogQueryWidget:
        return _query(
            "Experiment: answers by variant",
            service,
            "filter ispresent(exposure.variant)",
            "stats count(*) as answers by exposure.variant, placement",
        )

    @staticmethod
    def _trouble(service: RecommendationsService) -> cloudwatch.LogQueryWidget:
        return _query(
            "Why Personalize did not answer",
            service,
            "filter ispresent(failures.0)",
            "stats count(*) as answers by failures.0, colour, placement",
        )

    def _events(self) -> cloudwatch.GraphWidget:
        return _graph(
            "Events accepted, rejected, set aside, and forwarded to each colour",
            left=[
                metric(name, environment=self._environment)
                for name in ("EventsAccepted", "EventsRejected", "EventsQueued")
            ],
            right=[
                metric("EventsForwarded", environment=self._environment, colour=colour, label=colour)
                for colour in COLOURS
            ],
        )

    @staticmethod
    def _behind(clickstream: Clickstream) -> cloudwatch.GraphWidget:
        minute = cdk.Duration.minutes(1)
        return _graph(
            "Forwarder behind the stream (milliseconds), and waiting for redrive",
            left=[clickstream.forwarder.metric("IteratorAge", statistic="Maximum", period=minute)],
            right=[
                clickstream.failure_queue.metric_approximate_number_of_messages_visible(
                    statistic="Maximum", period=minute
                )
            ],
        )

    def _lag(self) -> cloudwatch.GraphWidget:
        return _graph(
            "From click to Personalize (milliseconds, p99)",
            left=[
                metric(
                    "ForwardLag",
                    environment=self._environment,
                    colour=colour,
                    statistic="p99",
                    label=colour,
                )
                for colour in COLOURS
            ],
        )


def _graph(
    title: str,
    *,
    left: Sequence[cloudwatch.IMetric],
    right: Sequence[cloudwatch.IMetric] = (),
    stacked: bool = False,
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title, left=list(left), right=list(right), stacked=stacked, width=_WIDTH // 3, height=6
    )


def _query(title: str, service: RecommendationsService, *lines: str) -> cloudwatch.LogQueryWidget:
    """What the serving function's log lines say (Logs Insights, over the time that the dashboard shows)."""
    return cloudwatch.LogQueryWidget(
        title=title,
        log_group_names=[service.function.log_group.log_group_name],
        query_lines=list(lines),
        view=cloudwatch.LogQueryVisualizationType.TABLE,
        width=_WIDTH // 2,
        height=6,
    )
