"""What every alarm of Colorway carries: what the customer notices, why there, whom it tells, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

from colorway.on_call import OnCall, Severity
from vocabulary.metrics import NAMESPACE

_UNTIL_THE_WORSE_IS_ON: Final = cdk.Duration.minutes(1)
"""Alarms of one fault are evaluated once a minute each, in no order: the worse may come second."""


class Alarm(cloudwatch.Alarm):
    """Define an alarm that tells on-call and names its heading in the runbook.

    :param notices: what a customer (or the business) notices while it is on, one sentence.
    :param because: why the threshold lies where it does, one sentence.
    :param runbook: heading in docs/runbook.md, as its anchor, e.g. `recommendations-failing`.
    :param severity: `page` only for what pages by itself; what rings together with others is a notice, and
        their `Fault` pages.
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
        because: str,
        runbook: str,
        on_call: OnCall,
        severity: Severity,
        threshold: float,
        periods: int = 1,
        comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            metric=metric,
            alarm_description=f"{notices} Threshold: {because} Runbook: docs/runbook.md#{runbook}",
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=comparison,
            treat_missing_data=missing,
        )
        tell = actions.SnsAction(on_call.topic(severity))
        self.add_alarm_action(tell)
        self.add_ok_action(tell)


class Fault(cloudwatch.CompositeAlarm):
    """Define one page for alarms that ring together: it is on while any of them is, and pages once.

    :param alarms: those that one fault sets off.
    :param notices: what a customer notices, one sentence.
    :param runbook: heading in docs/runbook.md, as its anchor.
    :param unless: on while something worse is, which sets some of the alarms off too and has paged for them:
        nobody is told meanwhile.
    :param aftermath: how long after that the alarms may still be on before somebody is told.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alarms: Sequence[cloudwatch.IAlarm],
        notices: str,
        runbook: str,
        on_call: OnCall,
        unless: cloudwatch.IAlarm | None = None,
        aftermath: cdk.Duration = cdk.Duration.minutes(2),
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            alarm_rule=any_on(alarms),
            alarm_description=f"{notices} Runbook: docs/runbook.md#{runbook}",
            actions_suppressor=unless,
            actions_suppressor_wait_period=None if unless is None else _UNTIL_THE_WORSE_IS_ON,
            actions_suppressor_extension_period=None if unless is None else aftermath,
        )
        tell = actions.SnsAction(on_call.pages)
        self.add_alarm_action(tell)
        self.add_ok_action(tell)


def any_on(alarms: Sequence[cloudwatch.IAlarm]) -> cloudwatch.IAlarmRule:
    """That one of them is in ALARM."""
    state = cloudwatch.AlarmState.ALARM
    return cloudwatch.AlarmRule.any_of(*(cloudwatch.AlarmRule.from_alarm(alarm, state) for alarm in alarms))


def rollback_alarms(faults: Sequence[cloudwatch.IAlarm]) -> str:
    """ARNs of what CloudFormation is to roll a deployment back for; it takes five in all."""
    return cdk.Fn.join(",", [fault.alarm_arn for fault in faults])


def metric(
    name: str,
    *,
    environment: str,
    placement: str | None = None,
    colour: str | None = None,
    statistic: str = "Sum",
    period: cdk.Duration = cdk.Duration.minutes(1),
    label: str | None = None,
    color: str | None = None,
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
        color=color,
    )
