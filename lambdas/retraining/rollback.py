"""Going back to the other colour by hand, as long as it is there, with the guards of a retraining."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from retraining.live_colour import LiveColour
from retraining.proving import Proof
from retraining.reports import Reports
from vocabulary.colours import Colour, other


class NoWayBack(Exception):
    """There is no other colour to go back to; the message says why, and nothing was moved."""


def roll_back(
    live: LiveColour,
    proof_of: Callable[[str], Proof],
    reports: Reports,
    *,
    takes_events: Callable[[Colour], bool],
    apply: bool,
) -> dict[str, Any]:
    """Move pointer and traffic to the other colour, once it has answered; or only say whether it would.

    A retraining that is on trial notices and ends, and its colour is cleared
    away. One that is already tearing the other colour down stops at its guard
    as soon as the pointer has moved; what it was quicker at shows when the
    colour is looked at again, and then the traffic goes back to where it was.

    :param proof_of: the heartbeat, with the sample of a run.
    :param takes_events: whether a colour is open to the clickstream. To close it is the first thing that its
        retirement does, before it deletes anything.
    :returns: `from`, `to` and `moved`.
    :raises NoWayBack: when nothing is live, a canary is under way, or the other colour does not answer for
        every placement.
    """
    current = live.pointed()
    if current is None:
        raise NoWayBack("no colour is live yet")
    if live.on_canary():
        raise NoWayBack(
            f"{current} is live, and a canary of {other(current)} takes a share of its traffic: "
            f"stop the execution, and all of it goes back to {current}"
        )
    if live.is_starting():
        raise NoWayBack(
            f"{current} is live, and the version before answers until its containers are ready: "
            "try again in some minutes"
        )
    good = reports.last_good()
    if good is None:
        raise NoWayBack(f"{current} is the first colour; there is none before it")
    target = other(current)
    proof = proof_of(good["run_id"])

    def require_answers() -> None:
        try:
            proof.ask_campaigns(target, tell=False)
        except Exception as error:
            raise NoWayBack(f"{target} does not answer: {error}") from error
        if not takes_events(target):
            raise NoWayBack(f"{target} is being torn down: it takes no more events")

    require_answers()
    if apply:
        before = live.version()
        live.move(target, live.prepare(target))
        try:
            require_answers()
        except Exception:
            live.restore(current, before)
            raise
    return {"from": current, "to": target, "moved": apply}
