"""The one dashboard, as on-call asks: are customers served, is the model fresh, do events flow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from colorway.alarm import metric
from colorway.clickstream import Clickstream
from colorway.nightly_retraining import OLDEST_MODEL, NightlyRetraining
from colorway.recommendations_service import RecommendationsService
from vocabulary.colours import COLOURS, NO_COLOUR, Names

_WIDTH = 24
_MINUTE = cdk.Duration.minutes(1)
_HOUR = cdk.Duration.hours(1)

_OF_COLOUR = {"maize": "#e0a800", "blue": "#1f5fbf", NO_COLOUR: "#9a9a9a"}
_GOOD, _BAD, _INSTEAD, _WORST = "#2e8540", "#c0392b", "#b0762a", "#7b241c"


class Dashboard(Construct):
    """Define the dashboard of one deployment, a row for each question.

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
            self, "Dashboard", dashboard_name=names.prefix, default_interval=cdk.Duration.hours(24)
        )
        self._row(
            cloudwatch.TextWidget(
                width=_WIDTH,
                height=2,
                markdown=(
                    f"# {names.prefix}\nRecommendations, their freshness, and the clickstream behind them. "
                    "What to do about an alarm: docs/runbook.md. What is live and what runs: make status"
                ),
            )
        )
        self._row(
            cloudwatch.AlarmStatusWidget(
                title="What pages",
                width=_WIDTH,
                height=2,
                alarms=[*service.faults, *clickstream.faults, *retraining.pages, *clickstream.pages],
            )
        )
        self._row(self._requests(service), self._latency(service), self._sources(service))
        self._row(self._colours(), self._personalize(), self._personalize_errors())
        self._row(self._freshness(), self._nights(retraining), self._dormant())
        self._row(self._last_runs(retraining), self._gates(retraining))
        self._row(self._events(clickstream), self._forwarded(), self._behind(clickstream))
        self._row(self._experiment(service), self._trouble(service))

    def _row(self, *widgets: cloudwatch.IWidget) -> None:
        self.dashboard.add_widgets(*widgets)

    @staticmethod
    def _requests(service: RecommendationsService) -> cloudwatch.GraphWidget:
        api = service.guarded_api.api
        return _graph(
            "Requests a minute, and those that failed",
            left=[api.metric_count(period=_MINUTE, label="requests")],
            right=[
                api.metric_server_error(statistic="Sum", period=_MINUTE, label="5xx", color=_BAD),
                api.metric_client_error(statistic="Sum", period=_MINUTE, label="4xx", color=_INSTEAD),
                service.function.metric_throttles(
                    statistic="Sum", period=_MINUTE, label="no room", color=_WORST
                ),
            ],
        )

    @staticmethod
    def _latency(service: RecommendationsService) -> cloudwatch.GraphWidget:
        api = service.guarded_api.api
        return _graph(
            "What a request takes",
            unit="ms",
            left=[
                api.metric_latency(statistic=each, period=_MINUTE, label=each)
                for each in ("p50", "p90", "p99")
            ],
        )

    @staticmethod
    def _sources(service: RecommendationsService) -> cloudwatch.LogQueryWidget:
        sources = ("personalize", "popular", "control")
        return _query(
            "Answers by source, of five minutes",
            [service.function],
            f"filter source in {list(sources)}".replace("'", '"'),
            "stats "
            + ", ".join(f'sum(strcontains(source, "{each}")) as {each}' for each in sources)
            + " by bin(5m)",
            view=cloudwatch.LogQueryVisualizationType.STACKEDAREA,
            width=_WIDTH // 3,
        )

    def _colours(self) -> cloudwatch.GraphWidget:
        return _graph(
            "Which colour should answer; and popular items instead",
            stacked=True,
            left=[
                self._metric("Recommendations", colour=colour, label=colour, color=color)
                for colour, color in _OF_COLOUR.items()
            ],
            right=[self._metric("Fallbacks", label="popular items instead", color=_BAD)],
        )

    def _personalize(self) -> cloudwatch.GraphWidget:
        return _graph(
            "What Personalize takes",
            unit="ms",
            left=[
                self._metric("PersonalizeLatency", statistic=each, label=each)
                for each in ("p50", "p90", "p99")
            ],
        )

    def _personalize_errors(self) -> cloudwatch.GraphWidget:
        return _graph(
            "Personalize's errors by colour",
            left=[
                self._metric("PersonalizeErrors", colour=colour, label=colour, color=_OF_COLOUR[colour])
                for colour in COLOURS
            ],
        )

    def _freshness(self) -> cloudwatch.GraphWidget:
        return _graph(
            "Age of the live model, and what a retraining takes",
            unit="hours",
            right_unit="hours",
            left=[self._hours("ModelAge", "model")],
            right=[self._hours("RetrainingDuration", "a retraining took")],
            annotations=[
                cloudwatch.HorizontalAnnotation(
                    value=OLDEST_MODEL.to_hours(), label="pages", color=_BAD, fill=cloudwatch.Shading.ABOVE
                )
            ],
        )

    @staticmethod
    def _nights(retraining: NightlyRetraining) -> cloudwatch.GraphWidget:
        machine = retraining.state_machine
        return _graph(
            "Retrainings by how they end; an hourly look counts as one",
            left=[
                machine.metric_succeeded(period=_HOUR, statistic="Sum", label="succeeded", color=_GOOD),
                machine.metric_failed(period=_HOUR, statistic="Sum", label="failed", color=_BAD),
                machine.metric_aborted(period=_HOUR, statistic="Sum", label="stopped", color=_INSTEAD),
                machine.metric_timed_out(period=_HOUR, statistic="Sum", label="timed out", color=_WORST),
            ],
        )

    def _dormant(self) -> cloudwatch.GraphWidget:
        return _graph(
            "Age of a colour that serves nobody; checks that failed, files left out",
            unit="hours",
            left=[self._hours("DormantColourAge", "dormant colour")],
            right=[
                self._metric("GateFailures", period=_HOUR, label="checks that failed", color=_BAD),
                self._metric("FilesUnreadable", period=_HOUR, label="unreadable files", color=_INSTEAD),
                self._metric("FilesPutAside", period=_HOUR, label="files put aside"),
            ],
        )

    @staticmethod
    def _last_runs(retraining: NightlyRetraining) -> cloudwatch.LogQueryWidget:
        return _query(
            "The last runs",
            [retraining.functions.plan],
            "filter ispresent(run.outcome)",
            "sort @timestamp desc",
            "limit 10",
            "display @timestamp, run.outcome, run.colour, run.run_id, run.minutes, run.cost",
        )

    @staticmethod
    def _gates(retraining: NightlyRetraining) -> cloudwatch.LogQueryWidget:
        return _query(
            "What their gates refused",
            retraining.judges,
            "filter ispresent(gate)",
            "sort @timestamp desc",
            "limit 10",
            "display @timestamp, gate, run_id, refused.0, refused.1",
        )

    def _events(self, clickstream: Clickstream) -> cloudwatch.GraphWidget:
        api, stream = clickstream.guarded_api.api, clickstream.stream
        return _graph(
            "Events that come in, and requests that failed",
            left=[
                self._metric("EventsAccepted", label="accepted", color=_GOOD),
                self._metric("EventsRejected", label="rejected", color=_INSTEAD),
            ],
            right=[
                api.metric_server_error(statistic="Sum", period=_MINUTE, label="5xx", color=_BAD),
                stream.metric_write_provisioned_throughput_exceeded(
                    statistic="Sum", period=_MINUTE, label="throttled by the stream"
                ),
                self._metric("EventsQueued", label="set aside", color=_WORST),
            ],
        )

    def _forwarded(self) -> cloudwatch.GraphWidget:
        return _graph(
            "Events forwarded to each colour, and from click to Personalize (p99)",
            unit="events",
            right_unit="ms",
            left=[
                self._metric("EventsForwarded", colour=colour, label=colour, color=_OF_COLOUR[colour])
                for colour in COLOURS
            ],
            right=[
                self._metric("ForwardLag", colour=colour, statistic="p99", label=f"{colour}, ms")
                for colour in COLOURS
            ],
        )

    @staticmethod
    def _behind(clickstream: Clickstream) -> cloudwatch.GraphWidget:
        forwarder = clickstream.forwarder.metric("IteratorAge", statistic="Maximum", period=_MINUTE)
        lake = clickstream.lake_delivery.delivery.metric_age()
        return _graph(
            "Models and lake behind the stream, and events waiting for redrive",
            unit="minutes",
            right_unit="messages",
            left=[
                cloudwatch.MathExpression(
                    expression="forwarder / 60000",
                    using_metrics={"forwarder": forwarder},
                    label="models",
                    period=_MINUTE,
                ),
                cloudwatch.MathExpression(
                    expression="lake / 60", using_metrics={"lake": lake}, label="lake", period=lake.period
                ),
            ],
            right=[
                clickstream.failure_queue.metric_approximate_number_of_messages_visible(
                    statistic="Maximum", period=_MINUTE, label="messages", color=_BAD
                )
            ],
        )

    @staticmethod
    def _experiment(service: RecommendationsService) -> cloudwatch.LogQueryWidget:
        return _query(
            "Experiment: answers and customers by variant",
            [service.function],
            "filter ispresent(unit_id)",
            "stats count(*) as answers, count_distinct(unit_id) as customers by variant, placement",
        )

    @staticmethod
    def _trouble(service: RecommendationsService) -> cloudwatch.LogQueryWidget:
        return _query(
            "Why Personalize did not answer",
            [service.function],
            "filter ispresent(failures.0)",
            "stats count(*) as answers by failures.0, colour, placement",
        )

    def _metric(self, name: str, **options: Any) -> cloudwatch.Metric:
        return metric(name, environment=self._environment, **options)

    def _hours(self, name: str, label: str) -> cloudwatch.MathExpression:
        """A metric of milliseconds, the highest of each hour, in hours."""
        each = name[0].lower() + name[1:]
        highest = self._metric(name, statistic="Maximum", period=_HOUR)
        return cloudwatch.MathExpression(
            expression=f"{each} / 3600000", using_metrics={each: highest}, label=label, period=_HOUR
        )


def _graph(
    title: str,
    *,
    left: Sequence[cloudwatch.IMetric],
    right: Sequence[cloudwatch.IMetric] = (),
    unit: str = "",
    right_unit: str = "",
    stacked: bool = False,
    annotations: Sequence[cloudwatch.HorizontalAnnotation] = (),
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=list(left),
        right=list(right),
        left_y_axis=cloudwatch.YAxisProps(min=0, label=unit or None, show_units=False),
        right_y_axis=cloudwatch.YAxisProps(min=0, label=right_unit or None, show_units=False)
        if right
        else None,
        left_annotations=list(annotations),
        stacked=stacked,
        width=_WIDTH // 3,
        height=6,
    )


def _query(
    title: str,
    functions: Sequence[lambda_.Function],
    *lines: str,
    view: cloudwatch.LogQueryVisualizationType = cloudwatch.LogQueryVisualizationType.TABLE,
    width: int = _WIDTH // 2,
) -> cloudwatch.LogQueryWidget:
    """What the functions' log lines say (Logs Insights, over the time that the dashboard shows)."""
    return cloudwatch.LogQueryWidget(
        title=title,
        log_group_names=[function.log_group.log_group_name for function in functions],
        query_lines=list(lines),
        view=view,
        width=width,
        height=6,
    )
