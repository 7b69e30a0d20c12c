"""Synthesise one environment without the CDK command line: `python scripts/synth.py prod cdk.out/prod`.

The same bytes as `cdk synth -c environment=prod`: an app reads its context from
CDK_CONTEXT_JSON, where the command line puts what cdk.json and `-c` say.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent

_PACKED: Final = "Bundling asset "
"""How the CDK begins to say what it packs, once a folder; whatever cannot be packed it names all the same."""


def main(environment: str, into: str) -> int:
    """Write the templates of `environment` to the folder `into`; answers the app's exit status."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    paths = [str(ROOT), str(ROOT / "constructs"), str(ROOT / "lambdas")]
    if others := os.environ.get("PYTHONPATH"):
        paths.append(others)
    environ = {
        **os.environ,
        "CDK_CONTEXT_JSON": json.dumps({**context, "environment": environment}),
        "CDK_OUTDIR": into,
        "PYTHONPATH": os.pathsep.join(paths),
    }
    # Node.js writes to the same standard error, so it is only here that a line can be left out
    command = [sys.executable, str(ROOT / "app.py")]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as app:
        for line in app.stderr or ():
            if not line.startswith(_PACKED):
                sys.stderr.write(line)
    return app.returncode


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
