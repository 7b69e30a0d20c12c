"""Whether both APIs answer as clients rely on. Nothing is stored: no experiment counts who is asked for."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from local_cloud.smoke.checking import Check, Sign, Target, WrongError
from vocabulary.colours import COLOURS, NO_COLOUR
from vocabulary.experiment import PROBE

_SOURCES: Final = ("personalize", "popular", "control")


def _answers_a_caller(target: Target) -> str:
    status, answer = _ask(_recommendations(target), target.sign)
    if status != 200 or answer.get("source") not in _SOURCES:
        raise WrongError(f"{status} {answer}, expected 200 and a source of {', '.join(_SOURCES)}")
    return f"200, {len(answer.get('items', ()))} items, source {answer['source']}"


def _refuses_a_stranger(target: Target) -> str:
    status, answer = _ask(_recommendations(target), lambda _: None)
    if status != 403:
        raise WrongError(f"{status} {answer}, expected 403")
    return "403"


def _refuses_no_events(target: Target) -> str:
    request = Request(
        f"{target.url('EventsUrl')}events",
        data=json.dumps({"session_id": PROBE, "events": []}).encode(),
        headers={"content-type": "application/json"},
        method="POST",
    )
    status, answer = _ask(request, target.sign)
    if status != 400:
        raise WrongError(f"{status} {answer}, expected 400")
    return "400"


def _one_colour_is_live(target: Target) -> str:
    pointer = target.cloud.client("ssm").get_parameter(Name=target.outputs["LivePointerName"])
    pointed = pointer["Parameter"]["Value"]
    lambda_, function = target.cloud.client("lambda"), target.outputs["ServingFunctionName"]
    served = lambda_.get_function_configuration(FunctionName=function, Qualifier="live")
    colour = served["Environment"]["Variables"]["LIVE_COLOUR"]
    shares = lambda_.get_alias(FunctionName=function, Name="live").get("RoutingConfig") or {}
    if pointed not in (*COLOURS, NO_COLOUR) or colour != pointed:
        raise WrongError(f"the pointer says {pointed}, version {served['Version']} behind the alias {colour}")
    if shares.get("AdditionalVersionWeights"):
        raise WrongError(f"the alias shares its traffic: {shares}")
    return f"{pointed}, by version {served['Version']}"


def _recommendations(target: Target) -> Request:
    where = f"recommendations/{PROBE}?placement={target.placement}"
    return Request(target.url("RecommendationsUrl") + where)


def _ask(request: Request, sign: Sign) -> tuple[int, dict[str, Any]]:
    sign(request)
    try:
        with urlopen(request, timeout=30) as answer:
            return answer.status, _read(answer.read())
    except HTTPError as refused:
        with refused:
            return refused.code, {"message": refused.read().decode(errors="replace")[:200]}
    except OSError as error:
        return 0, {"message": f"no answer: {error}"}


def _read(body: bytes) -> dict[str, Any]:
    """An answer; something before the API, a proxy say, may answer in its place."""
    try:
        told = json.loads(body)
    except ValueError:
        return {"message": f"no JSON: {body[:200].decode(errors='replace')}"}
    return told if isinstance(told, dict) else {"message": f"no JSON object: {str(told)[:200]}"}


CHECKS: Final = (
    Check(
        name="recommendations are answered",
        asks=f"GET recommendations/{PROBE}, with key or signature",
        look=_answers_a_caller,
        mend="docs/runbook.md, 'Recommendations failing'; take the deployment back if it is new",
    ),
    Check(
        name="a stranger is refused",
        asks="the same without key or signature",
        look=_refuses_a_stranger,
        mend="find who changed the method's authorization, and deploy again: anybody can ask",
    ),
    Check(
        name="the collector checks what it takes",
        asks="POST events without an event, which nothing stores",
        look=_refuses_no_events,
        mend="docs/runbook.md, 'Events failing'",
    ),
    Check(
        name="pointer and alias name one colour",
        asks="ssm:GetParameter of the pointer; lambda:GetFunctionConfiguration and GetAlias of `live`",
        look=_one_colour_is_live,
        mend="while a run is on trial or a deploy goes on, ask again later; otherwise deploy the serving "
        "stack again: its end brings the two together",
        assumed="A deploy that changes code only leaves the function's environment as the flip set it",
    ),
)
