"""Deploy an environment, and let CloudFormation take it back when an alarm rings: `scripts/deploy.py prod`.

The alarms are the faults that the deployed stacks name in their output `RollbackAlarms`; a first deployment
has none. With credentials as for `cdk deploy`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parent.parent
CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"

_OUTPUT = "RollbackAlarms"
_MOST = 5
"""CloudFormation's own limit of rollback triggers."""


def rollback_alarms(stacks: Iterable[Mapping[str, Any]], prefix: str) -> list[str]:
    """ARNs of the alarms that an environment's stacks are taken back for.

    :param stacks: as CloudFormation's DescribeStacks has them.
    :raises ValueError: for more than CloudFormation takes.
    """
    found = [
        arn
        for stack in stacks
        if stack["StackName"].startswith(prefix)
        for output in stack.get("Outputs", ())
        if output["OutputKey"] == _OUTPUT
        for arn in output["OutputValue"].split(",")
    ]
    if len(found) > _MOST:
        raise ValueError(f"{_OUTPUT} of {prefix}… name {len(found)} alarms, allowed: {_MOST}")
    return sorted(found)


def command(environment: str, alarms: list[str], minutes: int) -> list[str]:
    """What is run, without `node`."""
    deploy = [str(CDK), "deploy", "--all", "-c", f"environment={environment}", "--no-notices"]
    deploy += ["--require-approval", "never"]  # the reviewer of the pull request has seen the difference
    if alarms:
        deploy += ["--rollback-trigger-alarm-arns", *alarms, "--monitoring-time-minutes", str(minutes)]
    return deploy


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment", help="dev, prod")
    parser.add_argument("--app", default="colorway", help="prefix of every name (default %(default)s)")
    parser.add_argument(
        "--minutes", type=int, default=5, help="watched after each stack (default %(default)s)"
    )
    parsed = parser.parse_args(arguments)
    if parsed.environment == "local":
        print("error: ENV is 'local', which `make demo` deploys: make deploy ENV=dev", file=sys.stderr)
        return 1
    try:
        pages = boto3.client("cloudformation").get_paginator("describe_stacks").paginate()
        stacks = [stack for page in pages for stack in page["Stacks"]]
    except (BotoCoreError, ClientError) as error:
        print(
            f"error: {error} Set AWS_PROFILE, or credentials and AWS_REGION, of the account", file=sys.stderr
        )
        return 1
    alarms = rollback_alarms(stacks, f"{parsed.app}-{parsed.environment}-")
    print("taken back for:", *(alarms or ["nothing: no alarm is deployed yet"]), sep="\n  ", flush=True)
    run = ["node", *command(parsed.environment, alarms, parsed.minutes)]
    return subprocess.run(run, cwd=ROOT, env={**os.environ, "CI": "true"}, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
