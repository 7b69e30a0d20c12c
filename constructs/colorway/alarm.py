"""What every alarm of Colorway carries: what the customer notices, where it pages, what to do."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from vocabulary.metrics import NAMESPACE


class Alarm(cloudwatch.Alarm):
    """Define an alarm that pages on-call and names its heading in the runbook.

    :param notices: what a customer (or the business) notices while it is on, one sentence.
    :param runbook: heading in docs/runbook.md, as its anchor, e.g. `recommendations-failing`.
    :param topic: where it pages.
    :param threshold: the alarm is on above this value, unless `comparison` says otherwise.
    :param periods: how many periods of the metric must breach, of as many.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        metric: cloudwatch.IMetric,
        notices: str,
        runbook: str,
        topic: sns.ITopic,
        threshold: float,
        periods: int = 1,
        comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            metric=metric,
            alarm_description=f"{notices} Runbook: docs/runbook.md#{runbook}",
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=comparison,
            treat_missing_data=missing,
        )
        page = actions.SnsAction(topic)
        self.add_alarm_action(page)
        self.add_ok_action(page)


def metric(
    name: str,
    *,
    environment: str,
    placement: str | None = None,
    colour: str | None = None,
    statistic: str = "Sum",
    period: cdk.Duration = cdk.Duration.minutes(1),
    label: str | None = None,
) -> cloudwatch.Metric:
    """One of Colorway's own metrics, with the dimensions its functions emit (see docs/architecture.md)."""
    dimensions = {"environment": environment}
    if placement is not None:
        dimensions["placement"] = placement
    if colour is not None:
        dimensions["colour"] = colour
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=period,
        label=label,
    )
