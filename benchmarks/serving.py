"""What the serving function costs, beside a floor written for the purpose: two lines that call boto3.

    python -m benchmarks.serving

Import and client creation are measured in fresh processes, with the code as Lambda has it: the runtime's
libraries compiled, the function's own not. CPU of a request is user and system time of the process that
handles it; at the other end of the socket a process of its own answers (benchmarks/serving_stub.py). Floor
and function take turns, so that whatever else the machine does meets both.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.serving_stub import EXPERIMENT, ITEMS, RECOMMENDATIONS

_ROOT: Final = Path(__file__).resolve().parent.parent

FLOOR: Final = """
import json, boto3
client = boto3.client("personalize-runtime")
def handle(event, context):
    answer = client.get_recommendations(
        campaignArn="arn:aws:personalize:us-east-1:123456789012:campaign/c",
        userId=event["pathParameters"]["user_id"], numResults=25)
    return {"statusCode": 200, "body": json.dumps(answer["itemList"])}
"""

OURS: Final = """
from recommendations.handler import handle, _service
_service()
"""

_EVENT: Final = """
event = {
    "httpMethod": "GET", "resource": "/recommendations/{user_id}", "path": "/recommendations/ann",
    "pathParameters": {"user_id": "ann"}, "headers": {"host": "h"},
    "queryStringParameters": {"placement": "recommended-for-you"},
    "multiValueQueryStringParameters": {"placement": ["recommended-for-you"]},
    "requestContext": {"requestId": "00000000-0000-0000-0000-000000000000"}, "body": None,
}
"""

_REQUESTS: Final = """
import os, sys, time
answer = handle(event, None)
assert answer["statusCode"] == 200 and "item-00001" in answer["body"], answer
told, sys.stdout = sys.stdout, open(os.devnull, "w")
for _ in range(200): handle(event, None)
began = time.process_time()
for _ in range(requests): handle(event, None)
print((time.process_time() - began) / requests * 1e6, file=told)
"""

_WITHOUT_A_CALL: Final = """
from recommendations.service import SignedService
from recommendations.connection import Answer
canned = Answer(200, {}, recommendations)
_service()[2].read_within(5)
SignedService.ask = lambda self, method, path, body=b"", *, query="", deadline: canned
"""

_JSON_ONLY: Final = """
import json
decode, encode = json.JSONDecoder().decode, json.JSONEncoder(separators=(",", ":")).encode
def handle(event, context):
    return {"statusCode": 200, "body": encode(decode(recommendations.decode()))}
"""


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    arguments.add_argument("--processes", type=int, default=11, help="fresh ones, of each kind")
    arguments.add_argument("--requests", type=int, default=2000, help="in each process")
    chosen = arguments.parse_args()
    with _stub() as port, tempfile.TemporaryDirectory() as folder:
        environ = _environ(port, Path(folder))
        machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
        load = f"load {os.getloadavg()[0]:.1f}"
        sys.stdout.write(f"{machine}, {load}; medians of {chosen.processes} processes\n\n")
        _report_start(environ, chosen.processes)
        _report_requests(environ, chosen.processes, chosen.requests)


def _report_start(environ: Mapping[str, str], processes: int) -> None:
    kinds = {"an empty program": "", "the floor": FLOOR, "the function": OURS}
    spent: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(processes):
        for kind, code in kinds.items():
            spent[kind].append(_cpu_ms(code, environ))
    empty = median(spent["an empty program"])
    sys.stdout.write("import and client creation, CPU of a fresh process (less that of an empty program)\n")
    for kind in kinds:
        _line(kind, median(spent[kind]) - (0 if kind == "an empty program" else empty), "ms")


def _report_requests(environ: Mapping[str, str], processes: int, requests: int) -> None:
    told = f"\nrequests = {requests}\nrecommendations = {RECOMMENDATIONS!r}\n"
    kinds = {
        "the floor": FLOOR,
        "the function": OURS,
        "the function's own part, with the list's JSON": OURS + told + _WITHOUT_A_CALL,
        f"beside: json reads and writes {ITEMS} items": told + _JSON_ONLY,
    }
    spent: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(max(3, processes // 2)):
        for kind, code in kinds.items():
            printed = subprocess.run(
                [sys.executable, "-c", code + told + _EVENT + _REQUESTS],
                env=environ, check=True, capture_output=True, text=True,
            ).stdout  # fmt: skip
            spent[kind].append(float(printed.splitlines()[-1]))
    sys.stdout.write("\na request, CPU\n")
    for kind in kinds:
        _line(kind, median(spent[kind]), "µs")


def _line(what: str, figure: float, unit: str) -> None:
    sys.stdout.write(f"  {what:<48}{figure:8.1f} {unit}\n")


def _cpu_ms(code: str, environ: Mapping[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], env=environ, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def _environ(port: int, folder: Path) -> dict[str, str]:
    for package in ("recommendations", "vocabulary"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(_ROOT / "lambdas" / package, folder / package, ignore=ignored)
    placement = {"name": "recommended-for-you", "recipe": "aws-user-personalization"}
    assert json.loads(EXPERIMENT)["enabled"]
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",  # of the function's own code: Lambda's folder is read-only
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "t" * 300,
        "APP": "colorway",
        "ENVIRONMENT": "bench",
        "PARTITION": "aws",
        "ACCOUNT": "123456789012",
        "LIVE_COLOUR": "maize",
        "PLACEMENTS": json.dumps([placement]),
        "TRAINING_BUCKET": "training",
        "TIME_BUDGET_MS": "2000",
        "EXPERIMENT": "a/e/p",
    }


@contextmanager
def _stub() -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.serving_stub"]
    with subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as stub:
        assert stub.stdout is not None and stub.stdin is not None
        try:
            yield int(stub.stdout.readline())
        finally:
            stub.stdin.close()


if __name__ == "__main__":
    main()
