"""What every alarm of Colorway carries: what the customer notices, why there, whom it tells, what to do."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

from colorway.on_call import OnCall, Severity
from vocabulary.metrics import NAMESPACE


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
    :param unless: a worse fault, which sets some of the alarms off too and has paged for them.
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
    ) -> None:
        state = cloudwatch.AlarmState.ALARM
        rule: cloudwatch.IAlarmRule = cloudwatch.AlarmRule.any_of(
            *(cloudwatch.AlarmRule.from_alarm(alarm, state) for alarm in alarms)
        )
        if unless is not None:
            rule = cloudwatch.AlarmRule.all_of(
                rule, cloudwatch.AlarmRule.not_(cloudwatch.AlarmRule.from_alarm(unless, state))
            )
        super().__init__(
            scope,
            construct_id,
            alarm_rule=rule,
            alarm_description=f"{notices} Runbook: docs/runbook.md#{runbook}",
        )
        tell = actions.SnsAction(on_call.pages)
        self.add_alarm_action(tell)
        self.add_ok_action(tell)


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
