"""Held against botocore's own signer, request for request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from unittest.mock import patch

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from botocore.loaders import Loader
from botocore.regions import EndpointResolver
from hypothesis import given
from hypothesis import strategies as st

from recommendations.signing import Credentials, Signer
from tests.lambdas.recommendations.fakes import settings

NOW = 1_794_000_000.0

IDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=40)


@given(
    service=st.sampled_from(["personalize", "appconfig", "s3"]),
    method=st.sampled_from(["GET", "POST"]),
    path=st.from_regex(r"(/[a-z0-9_~-][a-z0-9._~-]{0,20}){1,4}", fullmatch=True),
    query=st.dictionaries(IDS, IDS, max_size=3),
    body=st.binary(max_size=200),
    secret=IDS,
    token=st.none() | IDS,
)
def test_it_signs_as_botocore_does(
    service: str, method: str, path: str, query: dict[str, str], body: bytes, secret: str, token: str | None
) -> None:
    text = "&".join(f"{name}={value}" for name, value in sorted(query.items()))
    headers = {"host": "there.amazonaws.com", "content-type": "application/json"}
    signer = Signer(service, "eu-west-1", lambda: Credentials("AKID", secret, token), now=lambda: NOW)
    ours = signer.sign(method, path, text, headers, body)
    theirs = by_botocore(
        service, method, path, text, headers, body, BotocoreCredentials("AKID", secret, token)
    )
    assert {name: theirs[name] for name in ours if name != "host"} == {
        name: value for name, value in ours.items() if name != "host"
    }


def by_botocore(
    service: str,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    credentials: BotocoreCredentials,
) -> dict[str, str]:
    url = f"https://{headers['host']}{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method, url, {"content-type": headers["content-type"]}, body)
    request.context["client_config"] = None
    # S3's puts the body's digest among the headers; over TLS only when told to
    request.context["payload_signing_enabled"] = True
    signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, "eu-west-1")
    moment = datetime.fromtimestamp(NOW, UTC)
    with patch("botocore.auth.get_current_datetime", return_value=moment):
        signer.add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


def test_hosts_and_signing_names_are_those_of_botocore() -> None:
    loader = Loader()
    resolver = EndpointResolver(loader.load_data("endpoints"))
    for region, partition in (("eu-west-1", "aws"), ("cn-north-1", "aws-cn")):
        domain = settings("none", PARTITION=partition).domain
        for service, signs_as in (("personalize-runtime", "personalize"), ("appconfigdata", "appconfig")):
            metadata = loader.load_service_model(service, "service-2")["metadata"]
            assert metadata["signingName"] == signs_as
            known = resolver.construct_endpoint(metadata["endpointPrefix"], region, partition)
            assert known["hostname"] == f"{service}.{region}.{domain}"
