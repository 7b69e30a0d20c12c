"""API Gateway's metrics, its access log, and the metrics that filters make of that: MiniStack has none."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

from ministack.core import responses
from ministack.services import apigateway_v1, cloudwatch_logs
from ministack.services.cloudformation import provisioners

from local_cloud.embedded_metrics import Datum, field_filter
from local_cloud.ministack_metric_store import record

_CONTEXT: Final = re.compile(r"\$context\.([\w.]+)")
_STREAM: Final = "access"

Response = tuple[int, dict[str, str], bytes]


def register() -> None:
    """From now on requests to REST APIs are measured and logged; to be called where the server runs."""
    _keep_log_settings()
    handle, execute = apigateway_v1._handle_execute_in_scope, apigateway_v1._execute_in_scope
    current: ContextVar[dict[str, Any] | None] = ContextVar("request", default=None)

    async def execute_and_tell(request: dict[str, Any], *arguments: Any) -> Any:
        told = current.get()
        response = await execute(request, *arguments)
        if told is not None:
            told.update(request, refused=getattr(response, "response_type", "-"))
        return response

    async def handle_and_measure(api_id: str, stage: str, method: str, *arguments: Any) -> Any:
        request: dict[str, Any] = {}
        token = current.set(request)
        began = time.perf_counter()
        try:
            response = await handle(api_id, stage, method, *arguments)
        finally:
            current.reset(token)
        took_ms = (time.perf_counter() - began) * 1000
        owner = arguments[-2:]  # account and Region of the API
        with responses.request_scope(*owner):
            _measure(api_id, stage, response[0], took_ms)
            if request:
                _log(request, method, response[0], took_ms)
        return response

    apigateway_v1._execute_in_scope = execute_and_tell
    apigateway_v1._handle_execute_in_scope = handle_and_measure


def _keep_log_settings() -> None:
    """MiniStack's CloudFormation forgets where a stage logs to."""
    stage = provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::Stage"]
    create, update = stage["create"], stage["update"]

    def keep(properties: Mapping[str, Any]) -> None:
        told = properties.get("AccessLogSetting") or {}
        apigateway_v1._stages_v1[properties["RestApiId"]][properties["StageName"]]["accessLogSettings"] = {
            "destinationArn": told.get("DestinationArn", ""),
            "format": told.get("Format", ""),
        }

    def create_stage(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        provisioned = create(logical_id, properties, stack)
        keep(properties)
        return provisioned

    def update_stage(
        physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str, *rest: Any, **named: Any
    ) -> Any:
        provisioned = update(physical_id, old, new, stack, *rest, **named)
        keep(new)
        return provisioned

    stage.update(create=create_stage, update=update_stage)


def _measure(api_id: str, stage: str, status: int, took_ms: float) -> None:
    api = apigateway_v1._rest_apis.get(api_id)
    if api is None:
        return
    for dimensions in ({"ApiName": api["name"]}, {"ApiName": api["name"], "Stage": stage}):
        for name, value, unit in (
            ("Count", 1.0, "Count"),
            ("4XXError", float(400 <= status < 500), "Count"),
            ("5XXError", float(status >= HTTPStatus.INTERNAL_SERVER_ERROR), "Count"),
            ("Latency", took_ms, "Milliseconds"),
        ):
            record(Datum("AWS/ApiGateway", name, dimensions, value, unit))


def _log(request: Mapping[str, Any], method: str, status: int, took_ms: float) -> None:
    settings = (request.get("stage") or {}).get("accessLogSettings") or {}
    group_name = str(settings.get("destinationArn", "")).partition(":log-group:")[2].split(":")[0]
    group = cloudwatch_logs._log_groups.get(group_name) if group_name else None
    if group is None:
        return
    known = {
        "requestId": request["request_id"],
        "httpMethod": method,
        "resourcePath": request["resource_path"],
        "status": status,
        "responseLatency": round(took_ms),
        "error.responseType": request["refused"],
    }
    line = _CONTEXT.sub(lambda found: str(known.get(found[1], "-")), settings["format"])
    now = int(time.time() * 1000)
    stream = group["streams"].setdefault(
        _STREAM,
        {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": now,
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        },
    )
    cloudwatch_logs._append_log_events(stream, [{"timestamp": now, "message": line, "ingestionTime": now}])
    for each in list(cloudwatch_logs._metric_filters.values()):
        if each["logGroupName"] == group_name:
            _count(each, line)


def _count(metric_filter: Mapping[str, Any], line: str) -> None:
    """The metrics of a filter: its value for a line that it means, the default for another."""
    found = _matcher(metric_filter["filterPattern"])(line)
    for each in metric_filter["metricTransformations"]:
        value = each["metricValue"] if found else each.get("defaultValue")
        if value is not None:
            record(Datum(each["metricNamespace"], each["metricName"], {}, float(value)))


@lru_cache(maxsize=64)
def _matcher(pattern: str) -> Callable[[str], bool]:
    return field_filter(pattern)
