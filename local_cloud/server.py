"""The local cloud itself: MiniStack, with Personalize in it, served from this process."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from local_cloud.cloud import Options
from local_cloud.connection import ACCOUNT, REGION, require_free, server_file, sole_use_of


def serve(options: Options, *, with_parent: bool) -> None:
    """Serve until SIGINT, SIGTERM or (`with_parent`) the end of whoever holds our standard input.

    :raises LocalCloudError: when the port or the state folder is in use.
    """
    state = options.state.resolve()
    lock = sole_use_of(state)
    require_free(options.port)
    _clean(state)
    _log_to(options.log, console=not with_parent)
    _configure(options, state)
    asyncio.run(_serve(options, state, with_parent=with_parent))
    lock.close()


def _clean(state: Path) -> None:
    """Remove what a cloud that was killed has left."""
    shutil.rmtree(state / "tmp", ignore_errors=True)
    server_file(state).unlink(missing_ok=True)


def _log_to(log: Path, *, console: bool) -> None:
    """Log to a file; errors to the console too, unless a parent shows there what matters."""
    to_file = logging.FileHandler(log, mode="w")
    to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handlers: list[logging.Handler] = [to_file]
    if console:
        to_console = logging.StreamHandler(sys.stderr)
        to_console.setLevel(logging.ERROR)
        to_console.setFormatter(logging.Formatter(f"local cloud: %(message)s (see {log})"))
        handlers.append(to_console)
    logging.basicConfig(level=logging.INFO, handlers=handlers)


def _configure(options: Options, state: Path) -> None:
    """MiniStack reads its settings when it is imported, so they come first."""
    temporary = state / "tmp"
    temporary.mkdir()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(
        AUTH="true",
        GATEWAY_PORT=str(options.port),
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        MINISTACK_REGION=REGION,
        SFN_WAIT_SCALE=str(options.wait_scale),
        LAMBDA_EXECUTOR="local",
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        # MiniStack stops containers that it takes for its own; those of another one are not ours to stop.
        DOCKER_HOST=f"unix://{temporary}/no-docker",
        **_persistence(options),
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        TMPDIR=str(temporary),
    )
    tempfile.tempdir = None


def _persistence(options: Options) -> dict[str, str]:
    """MiniStack writes when it is stopped, objects of S3 at once."""
    kept = options.kept.resolve()
    return {
        "PERSIST_STATE": str(int(options.keep)),
        "S3_PERSIST": str(int(options.keep)),
        "STATE_DIR": str(kept / "ministack"),
        "S3_DATA_DIR": str(kept / "s3"),
    }


async def _serve(options: Options, state: Path, *, with_parent: bool) -> None:
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config
    from ministack import app
    from ministack.core import lambda_runtime

    from local_cloud import (
        ministack_alarms,
        ministack_alias_weights,
        ministack_authorization,
        ministack_buckets,
        ministack_delivery_faults,
        ministack_executions,
        ministack_faults,
        ministack_firehose,
        ministack_gateway,
        ministack_kinesis_mappings,
        ministack_lambda_errors,
        ministack_log_subscriptions,
        ministack_metrics,
        ministack_metrics_of_apis,
        ministack_personalize,
        ministack_reserved_concurrency,
        ministack_sdk_names,
        ministack_waits,
        stack_events,
    )

    kept = options.kept.resolve() / "personalize" if options.keep else None
    ministack_personalize.register(pace=options.pace, state=kept)
    for module in (
        ministack_alias_weights,
        ministack_authorization,
        ministack_buckets,
        ministack_delivery_faults,
        ministack_faults,
        ministack_executions,  # around the faults: nothing that has ended goes wrong any more
        ministack_firehose,
        ministack_gateway,
        ministack_kinesis_mappings,
        ministack_lambda_errors,
        ministack_log_subscriptions,
        ministack_metrics,
        ministack_metrics_of_apis,
        ministack_reserved_concurrency,
        ministack_sdk_names,
        ministack_waits,
        stack_events,
        ministack_alarms,
    ):
        module.register()
    stopping = _stop_signals(with_parent=with_parent)
    config = Config()
    config.bind = [f"127.0.0.1:{options.port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    config.errorlog = logging.getLogger("hypercorn.error")
    server_file(state).write_text(json.dumps({"port": options.port, "pid": os.getpid()}))

    async def stopped() -> None:
        await stopping.wait()
        if options.keep:
            await ministack_firehose.flush()  # before MiniStack writes what it has

    try:
        await hypercorn_serve(app.app, config, shutdown_trigger=stopped)
    finally:
        await ministack_firehose.flush()
        lambda_runtime.reset()
        _clean(state)
        logging.shutdown()
    # Threads of MiniStack may be in the middle of a wait of hours; nothing they do matters any more.
    os._exit(0)


def _stop_signals(*, with_parent: bool) -> asyncio.Event:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    if with_parent:
        # Nobody writes to it: it becomes readable when the parent is gone.
        loop.add_reader(sys.stdin.fileno(), stopping.set)
    return stopping
