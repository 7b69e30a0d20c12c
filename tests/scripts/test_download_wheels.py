from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from scripts import download_wheels
from scripts.download_wheels import REQUIREMENTS, Target, _sha256, download, is_complete, on_lambda

HERE = Target("host", "a test", ())


@pytest.fixture
def requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Requirements that pip finds in a folder, without an index."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    wheel = shelf / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("thing.py", "")
        archive.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        archive.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("thing-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    path = tmp_path / "requirements.txt"
    path.write_text(f"thing==1.0 --hash=sha256:{_sha256(wheel)}\n")
    return path


def test_what_was_downloaded_is_complete_until_anything_changes(requirements: Path, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    assert not is_complete(HERE, wheels=wheels, requirements=requirements)
    download(HERE, wheels=wheels, requirements=requirements)
    assert is_complete(HERE, wheels=wheels, requirements=requirements)
    # The folder's content is the hash of the layer
    assert [file.name for file in (wheels / "host").iterdir()] == ["thing-1.0-py3-none-any.whl"]

    assert not is_complete(Target("host", "another Python", ()), wheels=wheels, requirements=requirements)
    (wheels / "host" / "thing-1.0-py3-none-any.whl").write_bytes(b"torn")
    assert not is_complete(HERE, wheels=wheels, requirements=requirements)


def test_a_wheel_of_another_hash_is_refused_and_what_was_there_stays(
    requirements: Path, tmp_path: Path
) -> None:
    wheels = tmp_path / "wheels"
    download(HERE, wheels=wheels, requirements=requirements)
    forged = tmp_path / "forged.txt"
    forged.write_text(f"thing==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(subprocess.CalledProcessError):
        download(HERE, wheels=wheels, requirements=forged)
    assert is_complete(HERE, wheels=wheels, requirements=requirements)


def test_lambda_gets_no_wheel_newer_than_its_glibc() -> None:
    assert "manylinux_2_34_aarch64" in on_lambda("3.13", "arm64").options
    assert "manylinux_2_28_x86_64" not in on_lambda("3.11", "x86_64").options


def test_the_pinned_version_is_the_one_that_is_tested() -> None:
    pinned = re.findall(r"^(\w+==\S+)", REQUIREMENTS.read_text(), re.MULTILINE)
    development = (REQUIREMENTS.parent / "requirements-dev.txt").read_text().splitlines()
    assert pinned
    assert set(pinned) <= set(development)


def test_the_command_downloads_once(
    requirements: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(download_wheels, "WHEELS", tmp_path / "wheels")
    monkeypatch.setattr(download_wheels, "REQUIREMENTS", requirements)
    assert download_wheels.main(["--host"]) == 0
    assert "into .wheels/host" in capsys.readouterr().out
    monkeypatch.setenv("PIP_FIND_LINKS", "")  # pip would find nothing any more
    assert download_wheels.main(["--host"]) == 0
    assert capsys.readouterr().out == ""
    assert download_wheels.main(["--lambda"]) == 1
