"""Ask a deployment whether it serves: `scripts/smoke.py dev`, with credentials of its account.

Recommendations are asked for as a client does, with key or signature; the events API is asked something that
it has to refuse, so that nothing is stored. Exit status 1 and a line for each that is not as it should be.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

Sign = Callable[[Request], None]


def check(outputs: Mapping[str, str], placement: str, sign: Sign) -> list[str]:
    """What is not as it should be, in sentences.

    :param outputs: of all stacks: `RecommendationsUrl`, `EventsUrl`.
    :param sign: makes a request a known caller's.
    """
    wrong = []
    url = f"{outputs['RecommendationsUrl']}recommendations/smoke?placement={placement}"
    status, answer = _ask(Request(url), sign)
    if status != 200 or answer.get("source") not in ("personalize", "popular", "control"):
        wrong.append(f"recommendations answer {status} {answer}, expected 200 and a source")
    if (status := _ask(Request(url), lambda _: None)[0]) != 403:
        wrong.append(f"recommendations answer {status} to a stranger, expected 403")
    events = Request(
        f"{outputs['EventsUrl']}events",
        data=json.dumps({"session_id": "smoke", "events": []}).encode(),
        headers={"content-type": "application/json"},
        method="POST",
    )
    if (status := _ask(events, sign)[0]) != 400:
        wrong.append(f"the collector answers {status} to a request without events, expected 400")
    return wrong


def by_key(key: str) -> Sign:
    return lambda request: request.add_header("x-api-key", key)


def by_signature(session: boto3.Session) -> Sign:
    def sign(request: Request) -> None:
        signed = AWSRequest(
            request.get_method(), request.full_url, headers=dict(request.header_items()), data=request.data
        )
        SigV4Auth(session.get_credentials(), "execute-api", session.region_name).add_auth(signed)
        for name, value in signed.headers.items():
            request.add_header(name, value)

    return sign


def _ask(request: Request, sign: Sign) -> tuple[int, dict[str, Any]]:
    sign(request)
    try:
        with urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except HTTPError as refused:
        with refused:
            return refused.code, {"message": refused.read().decode(errors="replace")[:200]}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment", help="dev, prod")
    parser.add_argument("--app", default="colorway", help="prefix of every name (default %(default)s)")
    parser.add_argument("--placement", default="recommended-for-you")
    parsed = parser.parse_args(arguments)
    session = boto3.Session()
    pages = session.client("cloudformation").get_paginator("describe_stacks").paginate()
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for page in pages
        for stack in page["Stacks"]
        if stack["StackName"].startswith(f"{parsed.app}-{parsed.environment}-")
        for output in stack.get("Outputs", ())
    }
    if "ApiKeyId" in outputs:
        keys = session.client("apigateway")
        sign = by_key(keys.get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)["value"])
    else:
        sign = by_signature(session)
    wrong = check(outputs, parsed.placement, sign)
    print("\n".join(wrong) or f"{parsed.environment} serves")
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
