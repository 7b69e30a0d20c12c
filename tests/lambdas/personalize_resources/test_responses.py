from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any
from urllib.request import Request

import pytest

from personalize_resources.responses import LARGEST, Outcome, body, send

EVENT = {
    "StackId": "stack",
    "RequestId": "1",
    "LogicalResourceId": "It",
    "ResponseURL": "http://127.0.0.1/put",
}


def test_puts_success_with_attributes_and_an_empty_content_type() -> None:
    sent: list[Request] = []

    def put(request: Request, timeout: float) -> Any:
        sent.append(request)
        return nullcontext()

    send(EVENT, Outcome(physical_id="arn:x", attributes={"Arn": "arn:x"}), put=put)

    assert sent[0].get_method() == "PUT"
    assert sent[0].full_url == EVENT["ResponseURL"]
    assert sent[0].get_header("Content-type") == ""
    assert isinstance(sent[0].data, bytes)
    assert json.loads(sent[0].data) == {
        "Status": "SUCCESS",
        "PhysicalResourceId": "arn:x",
        "StackId": "stack",
        "RequestId": "1",
        "LogicalResourceId": "It",
        "Data": {"Arn": "arn:x"},
    }


@pytest.mark.parametrize("letter", ["x", '"', "ä", "👟"])
def test_a_long_reason_loses_its_end_and_no_more(letter: str) -> None:
    answer = body(EVENT, Outcome(physical_id="p", error="Campaign: " + letter * 9000))

    assert LARGEST - 12 <= len(answer) <= LARGEST
    assert json.loads(answer)["Status"] == "FAILED"
    assert json.loads(answer)["Reason"].startswith(f"Campaign: {letter}")
