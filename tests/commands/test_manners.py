from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, LoginRefreshRequired, NoRegionError, TokenRetrievalError

from commands.manners import Parser, aws_error, whole

ROOT = Path(__file__).resolve().parents[2]

TALKATIVE = """
from pathlib import Path
import sys
from commands.manners import end_quietly
end_quietly()
for number in range(100_000):
    print(number)
Path(sys.argv[1]).touch()
sys.exit(7)
"""


def test_a_command_comes_to_its_own_end_though_its_reader_has_left(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    running = subprocess.Popen(
        [sys.executable, "-c", TALKATIVE, str(ended)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout
    assert running.stderr
    assert running.stdout.readline() == b"0\n"
    running.stdout.close()
    assert running.stderr.read() == b""
    running.stderr.close()
    assert running.wait(60) == 7
    assert ended.exists()


def test_all_is_printed_for_a_reader_who_stays(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TALKATIVE, str(tmp_path / "ended")],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == [str(number) for number in range(100_000)]


@pytest.mark.parametrize("text", ["0", "65536", "-1", "4.5", "many", ""])
def test_a_number_that_is_none_is_refused_with_those_that_are(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = Parser(prog="python -m something")
    parser.add_argument("--port", type=whole(1, 65_535))
    assert parser.parse_args(["--port", "65535"]).port == 65_535
    with pytest.raises(SystemExit):
        parser.parse_args([f"--port={text}"])
    assert f"{text!r}, allowed: 1 to 65535" in capsys.readouterr().err


def test_what_to_set_is_said_where_the_shell_leads_to_no_account() -> None:
    old = ClientError({"Error": {"Code": "ExpiredToken", "Message": "It is over."}}, "DescribeStacks")
    # A sign-in has an end, by IAM Identity Center as by `aws login`
    expired = TokenRetrievalError(provider="sso", error_msg="Token has expired and refresh failed")
    for error in (NoRegionError(), old, expired, LoginRefreshRequired()):
        assert "AWS_PROFILE" in aws_error(error)
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, "DescribeStacks")
    assert aws_error(refused) == str(refused)
