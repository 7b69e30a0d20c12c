"""Subscription filters of logs that lead to a delivery stream, which MiniStack keeps and does not act on.

A line that matches goes to Firehose beside whoever wrote it, with the rights of the filter's role. As on
AWS a throttled or failing Firehose is tried again; what it refuses is lost, and counted as `DeliveryErrors`.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from ministack.core import responses
from ministack.services import cloudwatch_logs

from local_cloud.delivery_buffer import DeliveryBuffer
from local_cloud.embedded_metrics import Datum, field_filter
from local_cloud.log_records import packed
from local_cloud.ministack_metric_store import record
from local_cloud.ministack_sessions import Session

_LOG: Final = logging.getLogger(__name__)

_WAIT: Final = 0.5

Filter = dict[str, Any]


@dataclass(frozen=True)
class _Matched:
    """Log events of a log stream that a filter matched."""

    stream: str
    events: Sequence[Mapping[str, Any]]


def register() -> None:
    """From now on log lines go to Firehose where a filter says so; to be called where the server runs."""
    to_functions = cloudwatch_logs._fanout_to_subscription_filters
    buffers: dict[tuple[str, str, str, str], DeliveryBuffer[_Matched]] = {}

    def fan_out(group_name: str, stream_name: str, events: Sequence[Mapping[str, Any]]) -> None:
        to_functions(group_name, stream_name, events)
        group = cloudwatch_logs._log_groups.get(group_name) or {}
        for each in list((group.get("subscriptionFilters") or {}).values()):
            if ":deliverystream/" not in each["destinationArn"]:
                continue
            try:
                matches = field_filter(each["filterPattern"])
            except ValueError:
                _LOG.exception("%s of %s is not understood here", each["filterName"], group_name)
                continue
            found = [
                {"id": uuid.uuid4().hex, "timestamp": event["timestamp"], "message": event["message"]}
                for event in events
                if matches(event["message"])
            ]
            if found:
                account, region = responses.get_account_id(), responses.get_region()
                handover = _Handover(account, region, group_name, each["filterName"])
                key = (account, region, group_name, each["filterName"])
                buffers.setdefault(key, DeliveryBuffer(handover.deliver)).add([_Matched(stream_name, found)])

    cloudwatch_logs._fanout_to_subscription_filters = fan_out


@dataclass(frozen=True)
class _Handover:
    """Hands what one filter matched to its delivery stream."""

    account: str
    region: str
    group: str
    filter_name: str

    def deliver(self, batch: Sequence[_Matched]) -> None:
        """Deliver; try again for as long as there is the filter, as AWS does for a day."""
        with responses.request_scope(self.account, self.region):
            while (known := self._filter()) is not None:
                try:
                    self._put(known, batch)
                    return
                except (ClientError, BotoCoreError) as error:
                    if not _passes(error):
                        _LOG.warning("%s of %s is refused: %s", self.filter_name, self.group, error)
                        self._count_lost(batch)
                        return
                    time.sleep(_WAIT)

    def _filter(self) -> Filter | None:
        group = cloudwatch_logs._log_groups.get(self.group) or {}
        known: Filter | None = (group.get("subscriptionFilters") or {}).get(self.filter_name)
        return known

    def _put(self, known: Filter, batch: Sequence[_Matched]) -> None:
        records = [
            {
                "Data": packed(
                    each.events,
                    owner=self.account,
                    group=self.group,
                    stream=each.stream,
                    filter_name=self.filter_name,
                )
            }
            for each in batch
        ]
        role = Session.begin(known["roleArn"], account=self.account, name="CloudWatchLogs")
        client = boto3.session.Session(region_name=self.region, **role.keys).client(
            "firehose", endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
        )
        name = known["destinationArn"].rpartition("/")[2]
        client.put_record_batch(DeliveryStreamName=name, Records=records)

    def _count_lost(self, batch: Sequence[_Matched]) -> None:
        dimensions = {
            "LogGroupName": self.group,
            "DestinationType": "Firehose",
            "FilterName": self.filter_name,
        }
        lost = sum(len(each.events) for each in batch)
        record(Datum("AWS/Logs", "DeliveryErrors", dimensions, lost, "Count"))


def _passes(error: Exception) -> bool:
    """Whether trying again may help."""
    if not isinstance(error, ClientError):
        return True
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status >= 500 or "Throttl" in error.response["Error"]["Code"]
