from __future__ import annotations

import json
from pathlib import Path

import pytest

from local_cloud.connection import Connection, LocalCloudError, connect, free_port, server_file


def test_no_setting_of_a_real_account_survives() -> None:
    mine = {
        "AWS_PROFILE": "production",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_SESSION_TOKEN": "real",
        "AWS_ENDPOINT_URL_S3": "https://s3.amazonaws.com",
        "CDK_DEFAULT_ACCOUNT": "123456789012",
        "PATH": "/bin",
    }
    environ = Connection(4566).environ(mine)
    assert environ["AWS_ACCESS_KEY_ID"] == "test"
    assert environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert environ["AWS_CONFIG_FILE"] == environ["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert environ["PATH"] == "/bin"
    gone = {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "CDK_DEFAULT_ACCOUNT"}
    assert not gone & environ.keys()


def test_says_how_to_start_when_no_cloud_runs(tmp_path: Path) -> None:
    with pytest.raises(
        LocalCloudError, match=f"no local cloud is running with {tmp_path}: start one with `make demo`"
    ):
        connect(tmp_path)


def test_says_so_when_a_cloud_has_died_without_a_word(tmp_path: Path) -> None:
    server_file(tmp_path).write_text(json.dumps({"port": free_port(), "pid": 1}))
    with pytest.raises(LocalCloudError, match="does not answer"):
        connect(tmp_path)
