"""`python -m inspector`: open the inspector on the deployment that the AWS settings of this shell lead to."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import uvicorn
from botocore.exceptions import BotoCoreError, ClientError

from inspector.deployment import Deployment, NotDeployedError
from inspector.history import History
from inspector.pages import Inspector
from vocabulary.colours import Names

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m inspector", description=__doc__)
    parser.add_argument("--app", default="colorway", help="as in the Environment")
    parser.add_argument("--environment", default="local")
    parser.add_argument(
        "--host", default="127.0.0.1", help="others see customers: think before you change it"
    )
    parser.add_argument("--port", type=int, default=4580)
    parser.add_argument("--days", type=int, default=90, help="of events that are looked at")
    parser.add_argument("--mask", action="store_true", help="show customers by a short hash")
    parser.add_argument("--no-browser", action="store_true", help="only say where it is")
    given = parser.parse_args()
    deployment = Deployment(Names(given.app, given.environment), _client)
    try:
        history = History(
            _client("s3"),
            bucket=deployment.outputs["LakeBucketName"],
            folder=ROOT / ".colorway" / "inspector",
            days=given.days,
        )
    except (NotDeployedError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    url = f"http://{given.host}:{given.port}/"
    print(f"The inspector of {deployment.names.prefix}: {url} (Ctrl-C ends it)", flush=True)
    if not given.no_browser:
        webbrowser.open(url)
    app = Inspector(deployment, history, masked=given.mask).app()
    uvicorn.run(app, host=given.host, port=given.port, log_level="warning")
    return 0


@cache
def _client(service: str) -> Any:
    return boto3.client(service)


if __name__ == "__main__":
    sys.exit(main())
