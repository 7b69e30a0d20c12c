"""What CloudWatch Logs hands to Firehose, packed and unpacked."""

from __future__ import annotations

import gzip
import json

import pytest

from local_cloud.log_records import Unpackable, decompressed, messages, packed


def test_messages_come_out_as_they_went_in_one_to_a_line() -> None:
    events = [
        {"id": "1", "timestamp": 1, "message": '{"a":"ü"}\n'},
        {"id": "2", "timestamp": 2, "message": "b"},
    ]
    record = packed(events, owner="1", group="/g", stream="s", filter_name="f")
    assert messages(decompressed(record)) == '{"a":"ü"}\nb\n'.encode()


def test_a_control_message_says_nothing() -> None:
    assert messages(json.dumps({"messageType": "CONTROL_MESSAGE", "logEvents": []}).encode()) is None


@pytest.mark.parametrize(
    "data", [b"", b"plain", gzip.compress(b"x" * 100)[:-9]], ids=["nothing", "plain", "cut off"]
)
def test_what_is_no_gzip_is_refused(data: bytes) -> None:
    with pytest.raises(Unpackable, match=r"not gzip|no record"):
        messages(decompressed(data))


@pytest.mark.parametrize("data", [b"{", b"[]", b"{}", b'{"messageType":"DATA_MESSAGE","logEvents":[{}]}'])
def test_what_is_no_record_of_logs_is_refused(data: bytes) -> None:
    with pytest.raises(Unpackable, match="no record of CloudWatch Logs"):
        messages(data)
