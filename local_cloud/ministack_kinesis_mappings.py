"""Event source mappings from Kinesis to Lambda, which MiniStack reads its own way.

Its poller moves on by whole batches, knows neither partial responses nor any setting for failures,
misses what is put between a mapping's creation and the first look at it, begins shards that come
later at their end, and has every other mapping wait while a function runs. This one reads each shard
in a thread of its own; what becomes of a batch is in `kinesis_batches`.

Two settings act otherwise than on AWS: ParallelizationFactor counts as 1, and AT_TIMESTAMP as LATEST,
since MiniStack keeps no timestamp.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ministack.core import concurrency, responses
from ministack.services import lambda_svc

from local_cloud.kinesis_batches import Record, Stopped, settle
from local_cloud.ministack_mapped_function import MappedFunction, stream_of

_readers: Final[dict[str, list[_Reader]]] = {}
"""By the mapping's UUID."""


def register() -> None:
    """From now on mappings read Kinesis streams as on AWS."""
    begin, release = lambda_svc._init_stream_position, lambda_svc._release_esm_poll_state

    def begin_here(mapping_id: str, source_arn: str, position: str) -> None:
        begin(mapping_id, source_arn, position)
        if stream := stream_of({"EventSourceArn": source_arn}):
            _readers[mapping_id] = [
                _Reader(shard_id, shard, None if position == "TRIM_HORIZON" else _newest(shard))
                for shard_id, shard in stream["shards"].items()
            ]

    def release_here(mapping_id: str) -> None:
        release(mapping_id)
        _readers.pop(mapping_id, None)

    lambda_svc._init_stream_position = begin_here
    lambda_svc._release_esm_poll_state = release_here
    lambda_svc._poll_kinesis = poll


def poll() -> bool:
    """Have each mapping take what its shards hold; answers whether there was anything."""
    found = False
    for account, region, mapping in lambda_svc._iter_all_esms():
        with responses.request_scope(account, region):
            for reader in _readable(mapping) if mapping.get("Enabled", True) else ():
                if records := reader.take(mapping):
                    reader.busy = True
                    concurrency.spawn_background(_settle, mapping, reader, records)
                    found = True
    return found


@dataclass(eq=False)
class _Reader:
    """A mapping's place in a shard.

    :param shard: MiniStack's record of it, readable here after resharding has taken it off the stream.
    :param after: sequence number of the last record that is over, or None to begin with the oldest.
    :param busy: a batch is on its way.
    """

    shard_id: str
    shard: Mapping[str, Any]
    after: str | None = None
    busy: bool = False
    _waits_since: float | None = None

    def move_past(self, sequence_number: str) -> None:
        self.after = sequence_number

    def pending(self) -> list[Record]:
        records: list[Record] = self.shard["records"]
        # From the end, where the place mostly is; it is nowhere when that record has expired
        for position in range(len(records), 0, -1):
            if records[position - 1]["SequenceNumber"] == self.after:
                return records[position:]
        return records[:]

    def take(self, mapping: Mapping[str, Any]) -> list[Record]:
        """A batch, once it is full or its first record has waited for the batching window."""
        size = int(mapping["BatchSize"])
        window = int(mapping.get("MaximumBatchingWindowInSeconds") or 0)
        records = [] if self.busy else self.pending()[:size]
        if window and 0 < len(records) < size:
            now = time.monotonic()
            if self._waits_since is None:
                self._waits_since = now
            if now - self._waits_since < window:
                return []
        self._waits_since = None
        return records


def _newest(shard: Mapping[str, Any]) -> str | None:
    return str(shard["records"][-1]["SequenceNumber"]) if shard["records"] else None


def _readable(mapping: Mapping[str, Any]) -> list[_Reader]:
    """The shards of the stream or, as long as it lasts, what is left of those that resharding closed."""
    stream = stream_of(mapping)
    if stream is None:
        return []
    readers = _readers.setdefault(mapping["UUID"], [])
    shards = dict(stream["shards"])
    known = [reader.shard for reader in readers]
    for shard_id, shard in shards.items():
        if not any(shard is each for each in known):
            readers.append(_Reader(shard_id, shard))
    closed = [reader for reader in readers if shards.get(reader.shard_id) is not reader.shard]
    unread = [reader for reader in closed if reader.busy or reader.pending()]
    for reader in closed:
        if reader not in unread:
            readers.remove(reader)
    return unread or readers


def _settle(mapping: dict[str, Any], reader: _Reader, records: list[Record]) -> None:
    try:
        settle(records, MappedFunction(mapping, reader.shard_id, reader.move_past))
    except Stopped:
        pass
    finally:
        reader.busy = False
        concurrency.esm_wake.set()
