"""Synthesise one environment without the CDK command line: `python scripts/synth.py prod cdk.out/prod`.

The same bytes as `cdk synth -c environment=prod`: an app reads its context from
CDK_CONTEXT_JSON, where the command line puts what cdk.json and `-c` say.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(environment: str, into: str) -> None:
    """Write the templates of `environment` to the folder `into`."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    os.environ["CDK_CONTEXT_JSON"] = json.dumps({**context, "environment": environment})
    os.environ["CDK_OUTDIR"] = into
    sys.path[:0] = [str(ROOT), str(ROOT / "constructs"), str(ROOT / "lambdas")]
    runpy.run_path(str(ROOT / "app.py"), run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
