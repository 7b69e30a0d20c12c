"""Synthesis says what is amiss, and nothing of what it packs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]

APP = """
import json, os, sys
print("Bundling asset colorway-prod-data/Code/Stage...", file=sys.stderr)
print("a warning", file=sys.stderr)
given = json.loads(os.environ["CDK_CONTEXT_JSON"]), os.environ["CDK_OUTDIR"]
sys.exit({code} if given == ({{"kept": 1, "environment": "prod"}}, "out") else 99)
"""


@pytest.mark.parametrize("code", [0, 3])
def test_what_is_packed_goes_without_saying_and_all_else_is_said(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cdk.json").write_text('{"context": {"kept": 1}}')
    (tmp_path / "app.py").write_text(APP.format(code=code))
    synth = _synth()
    monkeypatch.setattr(synth, "ROOT", tmp_path)
    assert synth.main("prod", "out") == code
    assert capfd.readouterr().err == "a warning\n"


def _synth() -> ModuleType:
    """The script as a module: scripts are no package."""
    spec = importlib.util.spec_from_file_location("scripts_synth", ROOT / "scripts" / "synth.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
