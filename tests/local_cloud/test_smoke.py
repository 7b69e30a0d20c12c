"""What a deployment is asked after it was deployed. On a deployment: tests/story."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError, EndpointConnectionError

from local_cloud.aws_account import AwsAccount
from local_cloud.smoke import of_the_account, of_the_apis
from local_cloud.smoke.checking import Check, Finding, NotYetError, Target, Verdict, by_key, by_signature, run
from local_cloud.smoke.command import CHECKS

ROOT = Path(__file__).resolve().parents[2]
SESSION = boto3.Session("AKIDEXAMPLE", "a secret", region_name="eu-west-1")


def signed_by(session: boto3.Session, handler: BaseHTTPRequestHandler, body: bytes) -> bool:
    """Whether a request bears the signature that these credentials give it, as the server receives it."""
    given = handler.headers.get("Authorization", "")
    names = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    url = f"http://{handler.headers['Host']}{handler.path}"
    kept = {name: handler.headers[name] for name in names if name and name != "host"}
    request = AWSRequest(handler.command, url, headers=kept, data=body)
    request.context["timestamp"] = handler.headers.get("X-Amz-Date", "")
    signer = SigV4Auth(session.get_credentials(), "execute-api", session.region_name)
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    return given.endswith(f"Signature={signature}")


@contextmanager
def api(
    *,
    recommendations: int = 200,
    events: int = 400,
    guarded: bool = True,
    signed: bool = False,
    says: bytes = b'{"source": "popular", "items": []}',
) -> Iterator[Target]:
    """Both APIs, which answer a known caller so."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status: int, asked: bytes = b"") -> None:
            known = signed_by(SESSION, self, asked) if signed else self.headers.get("x-api-key") == "known"
            if guarded and not known:
                status = 403
            self.send_response(status)
            self.send_header("content-length", str(len(says)))
            self.end_headers()
            self.wfile.write(says)

        def do_GET(self) -> None:
            self.answer(recommendations)

        def do_POST(self) -> None:
            self.answer(events, self.rfile.read(int(self.headers["content-length"])))

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/v1/"
    try:
        yield Target(
            cloud=AwsAccount("colorway-dev-"),
            prefix="colorway-dev",
            outputs={"RecommendationsUrl": url, "EventsUrl": url},
            sign=by_signature(SESSION) if signed else by_key("known"),
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked(target: Target) -> list[Finding]:
    """What came of the requests to both APIs."""
    return list(run(target, of_the_apis.CHECKS[:3]))


@pytest.mark.parametrize("signed", [False, True], ids=["by key", "by signature"])
def test_a_deployment_that_serves_is_fine(signed: bool) -> None:
    with api(signed=signed) as target:
        assert [each.verdict for each in asked(target)] == [Verdict.OK] * 3


def test_a_signature_of_somebody_else_is_refused() -> None:
    stranger = boto3.Session("AKIDEXAMPLE", "another secret", region_name="eu-west-1")
    with api(signed=True) as target:
        answered, refused, _ = asked(replace(target, sign=by_signature(stranger)))
    assert (answered.verdict, refused.verdict) == (Verdict.WRONG, Verdict.OK)
    assert "403" in answered.saw


@pytest.mark.parametrize(
    ("like", "name", "saw"),
    [
        ({"recommendations": 502}, "recommendations are answered", "502"),
        ({"says": b"<html>Sign in first"}, "recommendations are answered", "no JSON: <html>Sign in first"),
        ({"says": b"[]"}, "recommendations are answered", "no JSON object: []"),
        ({"guarded": False}, "a stranger is refused", "expected 403"),
        ({"events": 500}, "the collector checks what it takes", "500"),
    ],
)
def test_what_is_not_as_it_should_be_is_said_with_what_was_asked_and_what_to_do(
    like: dict[str, Any], name: str, saw: str
) -> None:
    with api(**like) as target:
        (wrong,) = [each for each in asked(target) if each.verdict is Verdict.WRONG]
    assert wrong.check.name == name
    assert saw in wrong.saw
    assert wrong.check.asks in str(wrong)
    assert wrong.check.mend in str(wrong)


def test_what_cannot_be_asked_keeps_nothing_else_from_being_asked() -> None:
    def away(target: Target) -> str:
        raise EndpointConnectionError(endpoint_url="https://sns.eu-west-1.amazonaws.com/")

    class Nothing:
        """Clients of an account in which the stack has no function."""

        def client(self, service: str) -> Any:
            return self

        def get_paginator(self, operation: str) -> Any:
            return self

        def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
            yield {"StackResourceSummaries": []}

    reads = next(each for each in of_the_account.CHECKS if "reads the lake" in each.name)
    with api() as target:
        empty = replace(target, cloud=cast(Any, Nothing()))
        first, second = run(empty, [Check(name="x", asks="y", look=away, mend="z"), reads])
    assert first.verdict is second.verdict is Verdict.WRONG
    assert "Could not connect" in first.saw
    assert second.saw == "0 functions of colorway-dev-training have the handler training_data.handler.handle"


def test_what_the_caller_may_not_ask_is_said_and_is_not_wrong() -> None:
    def refused(code: str) -> Check:
        def look(target: Target) -> str:
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "ListMetrics")

        return Check(name="x", asks="y", look=look, mend="z")

    def too_early(target: Target) -> str:
        raise NotYetError("nothing is live")

    with api() as target:
        found = run(
            target,
            [
                refused("AccessDeniedException"),
                refused("ThrottlingException"),
                Check(name="x", asks="y", look=too_early, mend="z"),
            ],
        )
        assert [each.verdict for each in found] == [Verdict.NOT_ASKED, Verdict.WRONG, Verdict.NOT_ASKED]


def test_every_check_of_the_account_shows_a_line_of_what_is_unverified() -> None:
    lines = (ROOT / "docs" / "unverified.md").read_text().splitlines()
    for check in CHECKS:
        if check.assumed is not None:
            (line,) = [line for line in lines if check.assumed in line]
            assert "`make smoke`" in line, line
    marked = [line for line in lines if line.startswith("|") and "`make smoke`" in line]
    assert len(marked) == sum(check.assumed is not None for check in CHECKS)


def test_a_state_is_tried_with_all_that_it_passes_on() -> None:
    arguments = {
        "Name": "{% $run.name %}",
        "CampaignConfig": "{% $config %}",
        "Nested": {"SolutionArn": "{% $s %}"},
        "TrainingMode": "FULL",
    }
    filled = of_the_account._filled(arguments, {"Name": "n", "CampaignConfig": {}, "SolutionArn": "arn"})
    assert filled == {
        "Name": "n",
        "CampaignConfig": {},
        "Nested": {"SolutionArn": "arn"},
        "TrainingMode": "FULL",
    }


class Account:
    """A deployment of two stacks, of which one names alarms."""

    stack_prefix = "colorway-dev-"

    def __init__(self) -> None:
        self.described = 0

    def client(self, service: str) -> Account:
        return self

    def session(self) -> boto3.Session:
        return SESSION

    def get_paginator(self, operation: str) -> Account:
        assert operation == "describe_stacks"
        return self

    def paginate(self) -> list[dict[str, Any]]:
        self.described += 1
        outputs = {
            "serving": {"RecommendationsUrl": "url"},
            "events": {"RollbackAlarms": "arn:alarm:a,arn:alarm:b"},
        }
        return [
            {
                "Stacks": [
                    {
                        "StackName": f"colorway-dev-{name}",
                        "StackStatus": "CREATE_COMPLETE",
                        "Outputs": [
                            {"OutputKey": key, "OutputValue": value} for key, value in values.items()
                        ],
                    }
                    for name, values in outputs.items()
                ]
            }
        ]

    def describe_alarms(self, *, AlarmNames: list[str], AlarmTypes: list[str]) -> dict[str, Any]:
        rings = {"a": "ALARM", "b": "OK"}
        found = [{"AlarmName": name, "StateValue": rings[name]} for name in AlarmNames]
        return {"CompositeAlarms": found[:1], "MetricAlarms": found[1:]}


def test_the_stacks_are_described_once_for_all_checks() -> None:
    account = Account()
    target = Target.of(cast("AwsAccount", account), "colorway-dev")
    (check,) = [each for each in CHECKS if each.name == "no fault rings"]
    (found,) = run(target, [check])
    assert (found.verdict, found.saw) == (Verdict.WRONG, "in ALARM: a")
    assert account.described == 1
