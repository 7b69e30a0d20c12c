"""Firehose's delivery to S3: off the path of the request, and many records to an object.

MiniStack converts and stores each record by itself before it answers whoever put it: 100 records in
one request to Kinesis take seconds. Here what was put waits a moment for what comes after it.
As on AWS, the first record of an object gives the time for its prefix.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import logging
import random
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from zoneinfo import ZoneInfo

from ministack.core import responses
from ministack.services import firehose, s3

from local_cloud import log_records
from local_cloud.delivery_buffer import DeliveryBuffer
from local_cloud.embedded_metrics import Datum
from local_cloud.ministack_delivery_faults import fault_of
from local_cloud.ministack_metric_store import record as record_metric

_LOG: Final = logging.getLogger(__name__)

_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 10.0
_FLUSHES_WITHIN: Final = 5.0

_DRAW: Final = random.Random(0)

Stream = dict[str, Any]
Destination = dict[str, Any]
Object = tuple[str, bytes]
Failure = tuple[bytes, firehose._DeliveryError]


@dataclass(frozen=True)
class _Record:
    id: str
    data: bytes
    arrived: float


_buffers: Final[dict[str, DeliveryBuffer[_Record]]] = {}
"""By the ARN of the delivery stream and the id of the destination."""


def register() -> None:
    """From now on records are buffered on their way to S3; to be called where the server runs."""
    loop = asyncio.get_running_loop()

    def deliver_soon(stream: Stream, destination: Destination, records: Sequence[tuple[str, bytes]]) -> None:
        delivery = _Delivery(stream, destination, responses.get_account_id(), responses.get_region(), loop)
        now = time.time()
        _buffers.setdefault(f"{stream['arn']} {destination['id']}", DeliveryBuffer(delivery.deliver)).add(
            _Record(record_id, data, now) for record_id, data in records
        )

    firehose._deliver_records_to_s3 = deliver_soon


def oldest_waiting(stream: Stream, now: float) -> float | None:
    """Seconds that the oldest record of a stream which is not in S3 yet has waited; None without any."""
    waiting = [
        record.arrived
        for key, buffer in list(_buffers.items())
        if key.startswith(f"{stream['arn']} ")
        for record in buffer.waiting()
    ]
    return max(0.0, now - min(waiting)) if waiting else None


async def flush() -> None:
    """Deliver what waits, for a few seconds at most."""
    flushes = [asyncio.to_thread(buffer.flush, _FLUSHES_WITHIN) for buffer in _buffers.values()]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_FLUSHES_WITHIN):
            await asyncio.gather(*flushes)


@dataclass(frozen=True)
class _Delivery:
    """
    :param stream: MiniStack's record of the delivery stream.
    :param loop: the server's, where S3 is at home.
    :param copies: that are to follow the next delivery, by a fault.
    """

    stream: Stream
    destination: Destination
    account: str
    region: str
    loop: asyncio.AbstractEventLoop
    copies: list[Object] = field(default_factory=list)

    def deliver(self, batch: Sequence[_Record]) -> None:
        """Deliver; try again for as long as there is the delivery stream, as AWS does for a day."""
        with responses.request_scope(self.account, self.region):
            objects: list[Object] | None = None
            for attempt in itertools.count():
                fault = fault_of(self.stream["name"])
                try:
                    if fault.failing:
                        raise RuntimeError("injected")
                    if objects is None:
                        objects = self._objects(fault.in_order(batch, _DRAW))
                        follow, self.copies[:] = self.copies[:], fault.of_which_twice(objects, _DRAW)
                        objects += [(_name_of_copy(key), content) for key, content in follow]
                    while objects:
                        self._put(*objects[0])
                        del objects[0]
                    return
                except Exception:
                    if firehose._streams.get(self.stream["name"]) is not self.stream:
                        return
                    _LOG.exception("%s cannot deliver %d records yet", self.stream["name"], len(batch))
                    time.sleep(min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(attempt, 10)))

    def _objects(self, batch: Sequence[_Record]) -> list[Object]:
        """Key and content of each object that the batch becomes, in order."""
        config = self.destination["config"]
        zone = ZoneInfo(config.get("CustomTimeZone") or "UTC")
        arrived = datetime.fromtimestamp(batch[0].arrived, zone).timetuple()
        name = f"{self.stream['name']}-{self.stream.get('version', 1)}"
        name += f"-{firehose._java_time('yyyy-MM-dd-HH-mm-ss', arrived)}"
        conversion = config.get("DataFormatConversionConfiguration") or {}
        converts = bool(conversion) and conversion.get("Enabled", True)
        extension = config.get("FileExtension") or (".parquet" if converts else "")

        records, unread = _unpacked(config, batch)
        whole, failures = self._by_prefix(
            records, arrived, check=firehose._json_documents if converts else None
        )
        objects = []
        for prefix, contents in whole.items():
            if converts:
                converted, unfit = _convert(conversion, contents)
                failures += unfit
            else:
                converted = [b"".join(contents)]
            objects += [(f"{prefix}{name}-{uuid.uuid4()}{extension}", each) for each in converted]
        if converts:
            unfit_records = sum(_kind(each) == "format-conversion-failed" for each in failures)
            name_of_stream = {"DeliveryStreamName": self.stream["name"]}
            record_metric(
                Datum("AWS/Firehose", "FailedConversion.Records", name_of_stream, unfit_records, "Count")
            )
        # What was unpacked is set aside as it came (developer guide, "Troubleshoot decompression")
        original = {record.id: record.data for record in batch}
        came = {record.data: original[record.id] for record in records}
        failures = unread + [(came.get(data, data), error) for data, error in failures]
        for kind, group in itertools.groupby(sorted(failures, key=_kind), key=_kind):
            prefix = _error_prefix(config, arrived, kind)
            lines = [json.dumps(self._failure(data, error, conversion)) + "\n" for data, error in group]
            objects.append((f"{prefix}{name}-{uuid.uuid4()}", "".join(lines).encode()))
        return objects

    def _by_prefix(
        self,
        records: Sequence[_Record],
        arrived: time.struct_time,
        *,
        check: Callable[[bytes], object] | None,
    ) -> tuple[dict[str, list[bytes]], list[Failure]]:
        config = self.destination["config"]
        partitions = (config.get("DynamicPartitioningConfiguration") or {}).get("Enabled")
        from_function: dict[str, dict[str, str]] = {}
        processed = firehose._apply_lambda_processors(
            self.stream,
            self.destination,
            [(record.id, record.data) for record in records],
            partition_sink=from_function,
        )
        by_prefix: dict[str, list[bytes]] = defaultdict(list)
        failures: list[Failure] = []
        for record_id, data in processed:
            try:
                keys = firehose._metadata_extraction_keys(config, data) if partitions else None
                prefix = firehose._evaluate_prefix(
                    config.get("Prefix", ""), arrived, keys, from_function.get(record_id)
                )
                if check:
                    check(data)
            except firehose._DeliveryError as error:
                failures.append((data, error))
            else:
                by_prefix[prefix].append(data)
        return by_prefix, failures

    def _failure(
        self, data: bytes, error: firehose._DeliveryError, conversion: dict[str, Any]
    ) -> dict[str, Any]:
        now = int(time.time() * 1000)
        document = {
            "attemptsMade": 1,
            "arrivalTimestamp": now,
            "attemptEndingTimestamp": now,
            "rawData": base64.b64encode(data).decode(),
            "ErrorMessage": error.message,
        }
        if error.code:
            document["ErrorCode"] = error.code
        if error.output_type == "format-conversion-failed":
            schema = conversion.get("SchemaConfiguration") or {}
            document["dataCatalogTable"] = {
                "catalogId": schema.get("CatalogId") or self.account,
                "databaseName": schema.get("DatabaseName"),
                "tableName": schema.get("TableName"),
                "region": schema.get("Region") or self.region,
                "versionId": schema.get("VersionId", "LATEST"),
            }
        return document

    def _put(self, key: str, content: bytes) -> None:
        bucket = firehose._s3_bucket_from_arn(self.destination["config"]["BucketARN"])
        headers = {
            "content-type": "application/octet-stream",
            "content-length": str(len(content)),
            "host": "s3.localhost",
        }
        put = s3.handle_request("PUT", f"/{bucket}/{key}", headers, content, {}, internal=True)
        status, _, answer = asyncio.run_coroutine_threadsafe(put, self.loop).result()
        if status != HTTPStatus.OK:
            raise RuntimeError(f"PutObject {bucket}/{key}: {status} {answer!r}")


def _unpacked(config: dict[str, Any], records: Sequence[_Record]) -> tuple[Sequence[_Record], list[Failure]]:
    """Records as the processors for logs leave them, and those that they cannot read."""
    settings = config.get("ProcessingConfiguration") or {}
    kinds = [each["Type"] for each in settings.get("Processors") or ()] if settings.get("Enabled") else []
    if "Decompression" not in kinds:
        return records, []
    unpacked: list[_Record] = []
    failures: list[Failure] = []
    for record in records:
        try:
            text = log_records.decompressed(record.data)
            lines = log_records.messages(text) if "CloudWatchLogProcessing" in kinds else text
        except log_records.Unpackable as error:
            failures.append((record.data, firehose._DeliveryError("decompression-failed", str(error))))
        else:
            if lines is not None:
                unpacked.append(replace(record, data=lines))
    return unpacked, failures


def _convert(conversion: dict[str, Any], contents: list[bytes]) -> tuple[list[bytes], list[Failure]]:
    """Parquet of all that fit the table; where some do not, the rest is found by halving."""
    try:
        return [firehose._convert_to_parquet(conversion, b"\n".join(contents))], []
    except firehose._DeliveryError as error:
        if len(contents) == 1:
            return [], [(contents[0], error)]
    middle = len(contents) // 2
    first, second = _convert(conversion, contents[:middle]), _convert(conversion, contents[middle:])
    return first[0] + second[0], first[1] + second[1]


def _name_of_copy(key: str) -> str:
    """Another object beside the first, as Firehose's second try is."""
    folder, _, name = key.rpartition("/")
    return f"{folder}/{uuid.uuid4()}-{name}"


def _kind(failure: Failure) -> str:
    return str(failure[1].output_type)


def _error_prefix(config: dict[str, Any], arrived: time.struct_time, kind: str) -> str:
    if template := config.get("ErrorOutputPrefix"):
        return str(firehose._evaluate_prefix(template, arrived, error_type=kind))
    return f"{config.get('Prefix', '')}{kind}/{firehose._java_time('yyyy/MM/dd/HH/', arrived)}"
