"""The phases of a retraining, in order: every state of the state machine is named `{phase}: {what}`."""

from __future__ import annotations

from typing import Final

PHASES: Final = ("plan", "open", "export", "import", "train", "prove", "flip", "bake", "retire", "end")

CLEARING: Final = "clear"
"""The phase of a run that failed: its dormant colour is cleared away."""


def phase_of(state: str) -> str | None:
    """The phase that a state belongs to, or None for a state of something else."""
    phase, separator, _ = state.partition(": ")
    return phase if separator and phase in (*PHASES, CLEARING) else None
