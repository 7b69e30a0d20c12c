"""Metrics that CloudWatch has of its own accord on AWS and MiniStack lacks: of log lines, and of services.

What is put by API call MiniStack keeps already. Here are the metrics that Colorway's alarms and dashboard
read: embedded metric format in functions' log lines, Lambda, Step Functions, Kinesis, Firehose and SQS.
API Gateway's are in `ministack_metrics_of_apis`.
"""

from __future__ import annotations

import time
from typing import Any, Final

from ministack.services import firehose, lambda_svc, sqs, stepfunctions

from local_cloud import ministack_firehose
from local_cloud.embedded_metrics import Datum, data_of
from local_cloud.ministack_metric_store import record

_OF_EXECUTIONS: Final = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "ABORTED": "ExecutionsAborted",
    "TIMED_OUT": "ExecutionsTimedOut",
}


def register() -> None:
    """From now on functions and state machines are measured; to be called where the server runs."""
    _measure_functions()
    _measure_executions()


def record_gauges(now: float, *, scale: float = 1) -> None:
    """Put what services report of a state, rather than of something that happens, at the moment `now`.

    :param scale: real seconds that a second takes by the clock of the alarms; it is told how old things are
        by that clock.
    """
    for queue in list(sqs._queues.values()):
        sqs._refresh_counts(queue)
        visible = float(queue["attributes"]["ApproximateNumberOfMessages"])
        name = {"QueueName": queue["name"]}
        record(Datum("AWS/SQS", "ApproximateNumberOfMessagesVisible", name, visible, "Count", now))
    for stream in list(firehose._streams.values()):
        if (age := ministack_firehose.oldest_waiting(stream, now)) is not None:
            dimensions = {"DeliveryStreamName": stream["name"]}
            record(
                Datum("AWS/Firehose", "DeliveryToS3.DataFreshness", dimensions, age / scale, "Seconds", now)
            )


def record_iterator_age(function: str, arrived: float) -> None:
    """How old the last record of a batch was when its function got it.

    :param arrived: unix seconds.
    """
    age = max(0.0, time.time() - arrived) * 1000
    record(Datum("AWS/Lambda", "IteratorAge", {"FunctionName": function}, age, "Milliseconds"))


def _measure_functions() -> None:
    log = lambda_svc._emit_lambda_logs

    def log_and_measure(
        function: dict[str, Any], request_id: str, text: str, error: bool, took_ms: int, **rest: Any
    ) -> None:
        log(function, request_id, text, error, took_ms, **rest)
        name = {"FunctionName": (function.get("config") or function)["FunctionName"]}
        record(Datum("AWS/Lambda", "Invocations", name, 1, "Count"))
        record(Datum("AWS/Lambda", "Errors", name, int(error), "Count"))
        record(Datum("AWS/Lambda", "Throttles", name, 0, "Count"))
        record(Datum("AWS/Lambda", "Duration", name, took_ms, "Milliseconds"))
        for line in text.splitlines():
            for datum in data_of(line):
                record(datum)

    def only_throttles(name: str, duration_ms: float, error: bool, throttle: bool) -> None:
        # Said twice of a direct invocation: the second time with how long that took
        if throttle and not duration_ms:
            record(Datum("AWS/Lambda", "Throttles", {"FunctionName": name}, 1, "Count"))

    lambda_svc._emit_lambda_logs = log_and_measure
    # MiniStack counts what comes by the Invoke API, and not what an API or a stream brings
    lambda_svc._emit_lambda_metrics = only_throttles


def _measure_executions() -> None:
    tell = stepfunctions._emit_execution_status_event

    def tell_and_measure(execution: dict[str, Any]) -> None:
        tell(execution)
        if name := _OF_EXECUTIONS.get(execution["status"]):
            machine = {"StateMachineArn": execution["stateMachineArn"]}
            record(Datum("AWS/States", name, machine, 1, "Count"))

    stepfunctions._emit_execution_status_event = tell_and_measure
