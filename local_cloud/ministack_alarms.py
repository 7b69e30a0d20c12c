"""Alarms that go off by their data, as on AWS: MiniStack evaluates whenever any datum is put, and looks at
neither dimensions, periods, M of N nor missing data. `alarm_evaluation` says what state an alarm is in; here
is when it is asked, and what follows.

Every minute all alarms are evaluated on what was put before. A minute can be made shorter than 60 seconds
(`alarm_control`), for tests. A state that was set by hand lasts for a minute. Composite alarms MiniStack
follows as on AWS, but does not know in templates, nor what suppresses their actions: that is looked at every
minute too (`action_suppression`).
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ministack.core import responses
from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from local_cloud.action_suppression import Suppression
from local_cloud.alarm_control import PATH
from local_cloud.alarm_evaluation import Rule, Sample, State, evaluate, series
from local_cloud.metric_math import calculate
from local_cloud.ministack_control import serve
from local_cloud.ministack_metrics import record_gauges

_LOG: Final = logging.getLogger(__name__)
_MINUTE: Final = 60.0
_A_MOMENT: Final = 1e-3
_OFTEN_ENOUGH: Final = 0.2
"""Real seconds: minutes that are made shorter than this are evaluated several at a time."""

Alarm = dict[str, Any]
"""MiniStack's record, with the names of DescribeAlarms."""

Act = Callable[[Alarm, State, State, str], None]
"""Takes the actions of an alarm that goes from a state to another, for a reason."""

_set_by_hand: Final[dict[str, float]] = {}
"""By the alarm's ARN, when, in unix seconds."""

_SUPPRESSOR: Final = ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")
_suppressions: Final[dict[str, Suppression]] = {}
"""By the composite alarm's ARN."""


def register() -> None:
    """From now on alarms are evaluated every minute."""
    cloudwatch._evaluate_alarm = lambda alarm: None
    act = _hold_actions_back()
    _keep_suppressors()
    _note_states_set_by_hand()
    _accept_metric_math()
    _provision_composites()
    clock = _Clock(act)
    _serve_control(clock)
    threading.Thread(target=clock.run, daemon=True, name="alarms").start()


@dataclass
class _Clock:
    """
    :param act: takes a composite alarm's actions.
    :param scale: real seconds that a second of a period takes.
    """

    act: Act
    scale: float = 1.0
    evaluated: int = 0

    def __post_init__(self) -> None:
        self._changed = threading.Event()

    def set(self, scale: float) -> None:
        if not (isinstance(scale, int | float) and 0 < scale <= 1):
            raise ValueError(f"scale must be more than 0 and at most 1, got {scale!r}")
        self.scale = scale
        self._changed.set()

    def run(self) -> None:
        while True:
            minute = max(_MINUTE * self.scale, _OFTEN_ENOUGH)
            end = (math.floor(time.time() / minute) + 1) * minute
            if self._changed.wait(max(0.0, end - time.time())):
                self._changed.clear()
                continue
            try:
                _evaluate_all(end, self.scale, self.act)
            except Exception:
                _LOG.exception("alarms could not be evaluated")
            self.evaluated += 1


def _evaluate_all(end: float, scale: float, act: Act) -> None:
    """
    :param end: unix seconds, of the minute that is over.
    """
    for account, region in {scoped[:2] for scoped in list(cloudwatch._alarms._data)}:
        with responses.request_scope(account, region):
            record_gauges(end - _A_MOMENT * scale, scale=scale)
            for alarm in list(cloudwatch._alarms.values()):
                if _set_by_hand.get(alarm["AlarmArn"], 0) <= end - _MINUTE * scale:
                    _evaluate(alarm, end, scale)
            for composite in list(cloudwatch._composite_alarms.values()):
                if composite.get("ActionsSuppressor"):
                    _act_when_due(composite, end, scale, act)


def _act_when_due(composite: Alarm, end: float, scale: float, act: Act) -> None:
    by = _suppressions.setdefault(composite["AlarmArn"], Suppression("OK"))
    told = by.told
    wait, extension = (int(composite[name]) * scale for name in _SUPPRESSOR[1:])
    suppressor = composite["ActionsSuppressor"].rpartition(":")[2]
    found = cloudwatch._alarms.get(suppressor) or cloudwatch._composite_alarms.get(suppressor) or {}
    suppressed = found.get("StateValue") == "ALARM"
    state = by.due(end, composite["StateValue"], suppressed=suppressed, wait=wait, extension=extension)
    if state is not None:
        act(composite, told, state, composite["StateReason"])


def _evaluate(alarm: Alarm, end: float, scale: float) -> None:
    rule = _rule(alarm)
    data = _data(alarm, rule.looks_at, end, scale)
    old: State = alarm["StateValue"]
    new = evaluate(data, rule, old)
    if new == old:
        return
    told = [None if value is None else round(value, 3) for value in data[-rule.periods :]]
    reason = f"Threshold Crossed: the last data points are {told}, {rule.comparison} {rule.threshold} " + (
        f"in at least {rule.to_alarm} of {rule.periods}" if new == "ALARM" else "in too few"
    )
    alarm.update(StateValue=new, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _rule(alarm: Alarm) -> Rule:
    periods = int(alarm["EvaluationPeriods"])
    return Rule(
        comparison=alarm["ComparisonOperator"],
        threshold=float(alarm["Threshold"]),
        periods=periods,
        to_alarm=int(alarm.get("DatapointsToAlarm") or periods),
        missing=alarm.get("TreatMissingData") or "missing",
    )


def _data(alarm: Alarm, count: int, end: float, scale: float) -> list[float | None]:
    if not (queries := alarm.get("Metrics")):
        name = alarm.get("ExtendedStatistic") or alarm["Statistic"]
        return _series(alarm, name, int(alarm["Period"]), count, end, scale)
    of_metrics = {
        query["Id"]: _series(
            query["MetricStat"]["Metric"],
            query["MetricStat"]["Stat"],
            int(query["MetricStat"]["Period"]),
            count,
            end,
            scale,
        )
        for query in queries
        if "MetricStat" in query
    }
    for query in queries:
        if query.get("ReturnData", True) is not False and query.get("ReturnData") != "false":
            return (
                calculate(query["Expression"], of_metrics)
                if "Expression" in query
                else of_metrics[query["Id"]]
            )
    raise ValueError(f"{alarm['AlarmName']}: no query returns data")


def _series(
    metric: Mapping[str, Any], name: str, period: int, count: int, end: float, scale: float
) -> list[float | None]:
    dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions") or ()}
    key = (metric["Namespace"], metric["MetricName"], cloudwatch._dims_key(dimensions))
    begin = end - period * scale * count
    samples = [_sample(point) for point in _since(cloudwatch._metrics.get(key) or (), begin)]
    return series(samples, name=name, period=period * scale, count=count, end=end)


def _since(points: Sequence[Mapping[str, Any]], begin: float) -> Iterator[Mapping[str, Any]]:
    return (point for point in list(points) if point["Timestamp"] >= begin)


def _sample(point: Mapping[str, Any]) -> Sample:
    count, total, low, high = cloudwatch._point_stats(point)
    return Sample(point["Timestamp"], count, total, low, high)


def _hold_actions_back() -> Act:
    """Alarms with a suppressor no longer act when their state changes; answers what takes their actions."""
    act: Act = cloudwatch._dispatch_alarm_actions

    def act_unless_suppressible(alarm: Alarm, old: State, new: State, reason: str) -> None:
        if not alarm.get("ActionsSuppressor"):
            act(alarm, old, new, reason)

    cloudwatch._dispatch_alarm_actions = act_unless_suppressible
    return act


def _keep_suppressors() -> None:
    """MiniStack forgets what it is told of them."""
    put = cloudwatch._put_composite_alarm

    def put_and_keep(params: Any, data: Any, *protocol: Any) -> Any:
        response = put(params, data, *protocol)
        told = {name: data.get(name) or cloudwatch._p(params, name) for name in _SUPPRESSOR}
        name = data.get("AlarmName") or cloudwatch._p(params, "AlarmName")
        if response[0] < 400 and told["ActionsSuppressor"]:
            cloudwatch._composite_alarms[name].update({each: value or 0 for each, value in told.items()})
        return response

    cloudwatch._put_composite_alarm = put_and_keep


def _note_states_set_by_hand() -> None:
    set_state = cloudwatch._set_alarm_state

    def set_and_note(params: Any, data: Any, *protocol: Any) -> Any:
        name = data.get("AlarmName") or cloudwatch._p(params, "AlarmName")
        if alarm := cloudwatch._alarms.get(name):
            _set_by_hand[alarm["AlarmArn"]] = time.time()
        return set_state(params, data, *protocol)

    cloudwatch._set_alarm_state = set_and_note


def _accept_metric_math() -> None:
    """MiniStack's templates refuse alarms over several metrics."""
    make = provisioners._cw_metric_alarm_record

    def make_with_math(name: str, properties: dict[str, Any]) -> Alarm:
        queries = properties.get("Metrics")
        if not queries:
            made: Alarm = make(name, properties)
            return made
        plain = {key: value for key, value in properties.items() if key != "Metrics"}
        alarm: Alarm = make(name, {**plain, "MetricName": "-", "Namespace": "-"})
        return {**alarm, "MetricName": None, "Namespace": None, "Metrics": queries}

    provisioners._cw_metric_alarm_record = make_with_math


def _provision_composites() -> None:
    def put(name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        _done(cloudwatch._put_composite_alarm({}, {**properties, "AlarmName": name}, False, True))
        return name, {"Arn": cloudwatch._composite_alarms[name]["AlarmArn"]}

    def create(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        name = properties.get("AlarmName") or provisioners._physical_name(stack, logical_id, max_len=255)
        return put(name, properties)

    def update(
        physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str
    ) -> tuple[str, dict[str, Any]]:
        return put(physical_id, new)

    def delete(physical_id: str, properties: dict[str, Any]) -> None:
        _done(cloudwatch._delete_alarms({}, {"AlarmNames": [physical_id]}, False, True))

    provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::CompositeAlarm"] = {
        "create": create,
        "update": update,
        "delete": delete,
    }


def _done(response: tuple[int, dict[str, str], bytes]) -> None:
    status, _, body = response
    if status >= 400:
        raise ValueError(f"AWS::CloudWatch::CompositeAlarm: {body.decode()}")


def _serve_control(clock: _Clock) -> None:
    serve(
        PATH,
        change=lambda told: clock.set(told["scale"]),
        tell=lambda: {"scale": clock.scale, "evaluated": clock.evaluated},
    )
