"""A local cloud in a process of its own, so that whoever started it stays as they were."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from local_cloud.connection import (
    DEFAULT_PORT,
    DEFAULT_STATE,
    Connection,
    LocalCloudError,
    require_free,
    sole_use_of,
)

_STARTS_WITHIN: Final = 60.0
_STOPS_WITHIN: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """What may differ from one local cloud to another.

    :param port: on 127.0.0.1.
    :param state: folder for its log and temporary files; one cloud at a time uses it.
    :param wait_scale: real seconds per second that a Step Functions Wait state names.
    :param pace: real seconds that Personalize takes per asynchronous step.
    :param keep: whether everything in it outlives a stop, in `kept`.
    """

    port: int = DEFAULT_PORT
    state: Path = DEFAULT_STATE
    wait_scale: float = 0.01
    pace: float = 0.0
    keep: bool = False

    @property
    def log(self) -> Path:
        return self.state / "local-cloud.log"

    @property
    def kept(self) -> Path:
        return self.state / "kept"

    def to_arguments(self) -> list[str]:
        return [
            *("--port", str(self.port), "--state", str(self.state.resolve())),
            *("--wait-scale", str(self.wait_scale), "--pace", str(self.pace)),
            *(["--keep"] if self.keep else []),
        ]


class LocalCloud:
    """A local cloud as a child process; it ends with its parent, however that ends.

    Use it as a context manager: `with LocalCloud(Options(port=free_port())) as cloud:`.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.connection = Connection(options.port)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Connection:
        """Start, and wait until it answers.

        :raises LocalCloudError: when folder or port are in use, or it does not come up; the message says why.
        """
        sole_use_of(self.options.state).close()
        require_free(self.options.port)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "local_cloud", "serve", "--with-parent", *self.options.to_arguments()],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,  # open for as long as this process lives
            start_new_session=True,  # Ctrl-C reaches the parent, which then stops the cloud
        )
        deadline = time.monotonic() + _STARTS_WITHIN
        while not self.connection.is_healthy():
            if (code := self._process.poll()) is not None:
                self.stop()
                raise LocalCloudError(
                    f"the local cloud ended while starting, exit status {code}{self._log_tail()}"
                )
            if time.monotonic() > deadline:
                self.stop()
                raise LocalCloudError(f"no answer within {_STARTS_WITHIN:.0f} s{self._log_tail()}")
            time.sleep(0.05)
        return self.connection

    def wait(self) -> None:
        """Wait for as long as it runs.

        :raises LocalCloudError: when it ends though nobody has stopped it.
        """
        if self._process:
            self._process.wait()
            self.check()

    def check(self) -> None:
        """
        :raises LocalCloudError: when it has ended though nobody has stopped it.
        """
        if self._process and (code := self._process.poll()) is not None:
            self.stop()
            raise LocalCloudError(f"the local cloud has ended, exit status {code}{self._log_tail()}")

    def stop(self) -> None:
        """Stop it and all functions that run in it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin:
            process.stdin.close()

    def _log_tail(self) -> str:
        try:
            lines = self.options.log.read_text(errors="replace").splitlines()[-15:]
        except FileNotFoundError:
            return ""
        return "\n".join([f"; the end of {self.options.log}:", *lines])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
