"""Download the wheels of requirements-functions.txt, for the functions' layers.

.wheels/lambda   for AWS Lambda (the Python and architecture of DEV and PROD)
.wheels/host     for this machine and the Python that runs this script (LOCAL)

What is complete is left alone, without a look at the network. A folder holds
wheels and nothing else, since its content is the hash of the layer; what they
were downloaded for is kept beside it, in .wheels/<folder>.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
REQUIREMENTS: Final = ROOT / "requirements-functions.txt"
WHEELS: Final = ROOT / ".wheels"

_MACHINES: Final = {"arm64": "aarch64", "x86_64": "x86_64"}
"""Lambda's names of architectures to those of wheels."""

_OLDEST_GLIBC: Final = 17


@dataclass(frozen=True)
class Target:
    """What wheels are for: the name of their folder, and what pip is told to find them."""

    folder: str
    description: str
    options: tuple[str, ...]


def on_this_machine() -> Target:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Target("host", f"Python {version} on {sysconfig.get_platform()}", ())


def on_lambda(python: str, architecture: str) -> Target:
    """Wheels that Lambda's runtime `python<version>` can load.

    It is Amazon Linux 2023 with glibc 2.34 from Python 3.12 on, before it
    Amazon Linux 2 with 2.26 (Lambda developer guide, "Lambda runtimes").
    """
    glibc = 34 if int(python.partition(".")[2]) >= 12 else 26
    platforms = [
        f"manylinux_2_{minor}_{_MACHINES[architecture]}" for minor in range(glibc, _OLDEST_GLIBC - 1, -1)
    ]
    options = ["--implementation", "cp", "--python-version", python]
    for platform in [*platforms, f"manylinux2014_{_MACHINES[architecture]}"]:
        options += ["--platform", platform]
    return Target("lambda", f"Python {python} on Lambda, {architecture}", tuple(options))


def is_complete(target: Target, *, wheels: Path, requirements: Path) -> bool:
    """Whether the folder holds exactly what was downloaded for this target and these requirements."""
    try:
        record = json.loads((wheels / f"{target.folder}.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return bool(record == _record(target, wheels / target.folder, requirements))


def download(target: Target, *, wheels: Path, requirements: Path) -> None:
    """Fill the folder of a target through pip, which checks every hash.

    :raises subprocess.CalledProcessError: when pip fails; it has said why.
    """
    wheels.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=wheels, prefix=f"{target.folder}-") as temporary:
        fresh = Path(temporary) / target.folder
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
                *("--only-binary=:all:", "--no-deps", "--require-hashes", *target.options),
                *("--requirement", str(requirements), "--dest", str(fresh)),
            ],
            check=True,
        )
        shutil.rmtree(wheels / target.folder, ignore_errors=True)
        fresh.rename(wheels / target.folder)
    record = _record(target, wheels / target.folder, requirements)
    (wheels / f"{target.folder}.json").write_text(json.dumps(record, indent=2) + "\n")


def _record(target: Target, folder: Path, requirements: Path) -> dict[str, object]:
    return {
        "for": target.description,
        "requirements": _sha256(requirements),
        "wheels": {file.name: _sha256(file) for file in sorted(folder.iterdir())} if folder.is_dir() else {},
    }


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Download the wheels of the functions into .wheels/.")
    parser.add_argument("--host", action="store_true", help="those for this machine")
    parser.add_argument("--lambda", dest="aws", action="store_true", help="those for AWS Lambda")
    parser.add_argument("--python", default="3.13", help="Lambda's Python (default: %(default)s)")
    parser.add_argument("--architecture", choices=sorted(_MACHINES), default="arm64")
    chosen = parser.parse_args(arguments)
    both = not (chosen.host or chosen.aws)
    targets = [on_this_machine()] if chosen.host or both else []
    targets += [on_lambda(chosen.python, chosen.architecture)] if chosen.aws or both else []
    for target in targets:
        if is_complete(target, wheels=WHEELS, requirements=REQUIREMENTS):
            continue
        sys.stdout.write(f"downloading wheels for {target.description} into .wheels/{target.folder}\n")
        sys.stdout.flush()
        try:
            download(target, wheels=WHEELS, requirements=REQUIREMENTS)
        except subprocess.CalledProcessError:
            sys.stderr.write(f"pip got no wheels for {target.description}; it says why above\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
