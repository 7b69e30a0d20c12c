"""`cdk bootstrap`, `deploy` and `destroy` against a local cloud: the real command line and templates."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from local_cloud import deployed
from local_cloud.connection import ACCOUNT, REGION, Connection, LocalCloudError
from local_cloud.node import find_node

CDK: Final = Path(__file__).resolve().parent.parent / "node_modules" / "aws-cdk" / "bin" / "cdk"
"""The version that package.json pins; `make setup` installs it."""

_LOOK_OFTEN: Final = Path(__file__).resolve().parent / "look_often.cjs"

_TAIL: Final = 25
_RESOURCE = re.compile(r"^(?P<stack>\S+) \|\s*(?P<done>\d+)/(?P<total>\d+) \|")
_FINISHED = re.compile(r"^\s*✅\s+(?P<stack>[\w-]+)(?: \(no changes\))?$")


@dataclass(frozen=True)
class StackProgress:
    """How far a stack is.

    :param done: resources that are done, of `total`; both 0 when nothing changes.
    """

    stack: str
    done: int
    total: int
    finished: bool = False


class DeploymentError(LocalCloudError):
    """The CDK command line failed; the message says which resource and why, and ends with its last lines."""


class Deployment:
    """One environment of an app, in a local cloud.

    :param connection: where to.
    :param root: the folder that has `app.py` and `cdk.json`; its `constructs` and `lambdas` are used.
    :param state: folder for the templates and the log of the command line.
    :param environment: as in `cdk -c environment=…`.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        root: Path,
        state: Path,
        environment: str = "local",
    ) -> None:
        self._connection, self._root, self._environment = connection, root.resolve(), environment
        self._assembly = state.resolve() / "cdk.out"
        self._log = state.resolve() / "cdk.log"

    def bootstrap(self) -> None:
        """Make the account ready for CDK.

        :raises DeploymentError: when it fails, as all of these.
        """
        self._log.parent.mkdir(parents=True, exist_ok=True)
        # From a folder without cdk.json, or the command line synthesises the app for nothing
        self._cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}", folder=self._log.parent)

    def synthesise(self) -> None:
        """Make the templates; `deploy` does it by itself."""
        self._cdk(
            "synth", "--quiet", "--output", str(self._assembly), "-c", f"environment={self._environment}"
        )

    def deploy(
        self, *stacks: str, synthesise: bool = True, watch: Callable[[StackProgress], None] | None = None
    ) -> None:
        """Deploy these stacks with what they need; all, when none is named.

        :param synthesise: make the templates first, rather than take those that are there.
        :param watch: told how far each stack is.
        """
        if synthesise:
            self.synthesise()
        which = stacks or ("--all",)
        quickly = ("--progress", "events", "--concurrency", "2")
        template = ("--app", str(self._assembly))
        self._cdk("deploy", *which, *quickly, "--require-approval", "never", *template, watch=watch)

    def prepare(self, stack: str, change_set: str) -> None:
        """Make a change set of that name for a stack, and leave it to be executed."""
        self.synthesise()
        template = ("--app", str(self._assembly), "--require-approval", "never")
        how = ("--method", "prepare-change-set", "--change-set-name", change_set)
        self._cdk("deploy", stack, "--exclusively", *how, *template)

    def destroy(self) -> None:
        """Remove every stack of the environment."""
        if not (self._assembly / "manifest.json").exists():
            self.synthesise()
        self._cdk("destroy", "--all", "--force", "--app", str(self._assembly))

    def outputs(self) -> dict[str, dict[str, str]]:
        """The outputs of every deployed stack: stack name to output name to value."""
        return deployed.outputs(self._connection)

    def _cdk(
        self,
        command: str,
        *arguments: str,
        folder: Path | None = None,
        watch: Callable[[StackProgress], None] | None = None,
    ) -> None:
        if not CDK.exists():
            raise DeploymentError("the CDK command line is not installed: run `make setup`")
        self._log.parent.mkdir(parents=True, exist_ok=True)
        environ = self._environ()
        node = (str(find_node(environ)), "--require", str(_LOOK_OFTEN))
        tail: deque[str] = deque(maxlen=_TAIL)
        stacks: dict[str, StackProgress] = {}
        with (
            self._log.open("a") as log,
            subprocess.Popen(
                [*node, str(CDK), command, "--no-notices", "--no-color", *arguments],
                cwd=folder or self._root,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process,
        ):
            assert process.stdout
            for line in process.stdout:
                log.write(line)
                if line.strip():
                    tail.append(line.rstrip())
                if progress := progress_in(line, stacks):
                    stacks[progress.stack] = progress
                    if watch:
                        watch(progress)
        if process.returncode:
            raise DeploymentError(self._explain(command, list(stacks), list(tail)))

    def _explain(self, command: str, stacks: Sequence[str], tail: Sequence[str]) -> str:
        why = [str(failed) for stack in stacks for failed in deployed.failures(self._connection, stack)]
        lines = [f"`cdk {command}` failed", *why, f"the end of {self._log}:", *(f"  {line}" for line in tail)]
        return "\n".join(lines)

    def _environ(self) -> dict[str, str]:
        sources = [self._root, self._root / "constructs", self._root / "lambdas"]
        environ = self._connection.environ()
        return {
            **environ,
            # `app` in cdk.json says python3: this one
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", "")]),
            # A copy of the project uses its own sources rather than those installed with `-e .`
            "PYTHONPATH": os.pathsep.join(str(source) for source in sources),
            "JSII_NODE": str(find_node(environ)),
            "CDK_VALIDATION": "false",  # CI validates templates once; it triples the time of a synthesis
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        }


def progress_in(line: str, known: Mapping[str, StackProgress]) -> StackProgress | None:
    """Read a line that `cdk deploy --progress events` prints; None for one that is about something else."""
    if match := _RESOURCE.match(line):
        total = int(match["total"]) - 1  # the command line counts the stack as one of its resources
        return StackProgress(match["stack"], min(int(match["done"]), total), total)
    if match := _FINISHED.match(line):
        last = known.get(match["stack"], StackProgress(match["stack"], 0, 0))
        return replace(last, finished=True)
    return None
