from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from local_cloud.cloud import LocalCloud, Options
from local_cloud.connection import Connection, LocalCloudError, connect, free_port, server_file

ROOT = Path(__file__).resolve().parents[2]

A_PARENT = """
import sys
from pathlib import Path
from local_cloud.cloud import LocalCloud, Options
cloud = LocalCloud(Options(port=int(sys.argv[1]), state=Path(sys.argv[2])))
cloud.start()
print("started", flush=True)
cloud.wait()
"""


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return Options(port=free_port(), state=tmp_path)


def test_stops_and_starts_again_on_the_same_port_and_folder(options: Options) -> None:
    for _ in range(2):
        with LocalCloud(options) as cloud:
            assert cloud.connection.client("sts").get_caller_identity()["Account"] == "000000000000"
        assert not cloud.connection.is_healthy()


def test_what_is_kept_is_there_again_and_nothing_else(options: Options) -> None:
    """Of MiniStack, of S3 and of Personalize, whose resources go on from where they were."""
    kept = replace(options, keep=True)
    with LocalCloud(kept) as cloud:
        s3, control = cloud.connection.client("s3"), cloud.connection.client("personalize")
        s3.create_bucket(Bucket="kept")
        s3.put_object(Bucket="kept", Key="a", Body=b"content")
        cloud.connection.client("sqs").create_queue(QueueName="kept")
        group = control.create_dataset_group(name="kept")["datasetGroupArn"]
    with LocalCloud(options) as cloud:
        assert cloud.connection.client("s3").list_buckets()["Buckets"] == []
        assert cloud.connection.client("personalize").list_dataset_groups()["datasetGroups"] == []
    with LocalCloud(kept) as cloud:
        s3, control = cloud.connection.client("s3"), cloud.connection.client("personalize")
        assert s3.get_object(Bucket="kept", Key="a")["Body"].read() == b"content"
        assert cloud.connection.client("sqs").get_queue_url(QueueName="kept")
        statuses = [
            control.describe_dataset_group(datasetGroupArn=group)["datasetGroup"]["status"] for _ in range(2)
        ]
        assert statuses == ["CREATE IN_PROGRESS", "ACTIVE"]


def test_starts_again_after_it_was_killed(options: Options) -> None:
    killed = LocalCloud(options)
    killed.start()
    os.kill(_process_of(options), signal.SIGKILL)
    with pytest.raises(LocalCloudError, match="has ended, exit status -9"):
        killed.wait()
    with LocalCloud(options) as cloud:
        assert connect(options.state) == cloud.connection


def test_ends_when_its_parent_is_killed(options: Options) -> None:
    arguments = [sys.executable, "-c", A_PARENT, str(options.port), str(options.state)]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout and parent.stdout.readline() == b"started\n"
        cloud = _process_of(options)
        parent.kill()
    _until(lambda: not _lives(cloud))


def test_listens_on_the_loopback_address_only(cloud: Connection) -> None:
    with socket.socket() as probe:
        probe.settimeout(1)
        with pytest.raises(OSError):  # a server on every address answers here too
            probe.connect(("127.0.0.2", cloud.port))


def test_holds_callers_to_their_policies(cloud: Connection) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    stranger = boto3.client(
        "s3",
        endpoint_url=cloud.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        stranger.list_buckets()


def test_names_a_busy_port_and_what_to_do(options: Options) -> None:
    with socket.create_server(("127.0.0.1", options.port)), pytest.raises(LocalCloudError) as refused:
        LocalCloud(options).start()
    assert f"port {options.port} is busy" in str(refused.value)
    assert "another program listens there" in str(refused.value)
    assert 'make demo ARGS="--port 4567"' in str(refused.value)


def test_says_when_it_is_a_local_cloud_that_has_the_port(cloud: Connection, tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match="is busy: a local cloud listens there"):
        LocalCloud(Options(port=cloud.port, state=tmp_path)).start()


def test_refuses_a_state_folder_that_another_cloud_uses(
    options: Options,
) -> None:
    with LocalCloud(options):
        other = LocalCloud(Options(port=free_port(), state=options.state))
        with pytest.raises(LocalCloudError, match=f"a local cloud already uses {options.state}. Stop it"):
            other.start()


def _process_of(options: Options) -> int:
    return int(json.loads(server_file(options.state).read_text())["pid"])


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # An orphan that nobody has waited for is dead all the same
    status = Path(f"/proc/{process}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def _until(holds: Callable[[], bool], within: float = 20) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(0.05)
