"""The heartbeat gate: what a new colour answers, held against what customers would make of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from vocabulary.gates import Check, HeartbeatGate
from vocabulary.placements import Placement

TOP: Final = 10
"""How much of a list is compared."""

RANKED: Final = 25
"""How many items a placement that ranks is given."""

Lists = Sequence[Sequence[str]]
"""The item ids of each answer, best first."""


class HeartbeatFailed(Exception):
    """A new colour does not answer as it should; the message says which check, the figure and the limit."""


@dataclass(frozen=True)
class Sample:
    """Who and what is asked for.

    :param known: users of the training data.
    :param strangers: ids that no model knows: a new user, and an anonymous visitor's session.
    :param items: of the training data.
    """

    known: tuple[str, ...]
    strangers: tuple[str, ...]
    items: tuple[str, ...]

    def request(self, placement: Placement) -> dict[str, Any]:
        """As the serving function takes a heartbeat: `{placement, user_ids, item_ids?}`."""
        users = [*self.known, *self.strangers]
        request: dict[str, Any] = {"placement": placement.name, "user_ids": users}
        if placement.needs == "item":
            request["item_ids"] = [self.items[place % len(self.items)] for place in range(len(users))]
        if placement.needs == "items":
            request["item_ids"] = list(self.items[:RANKED])
        return request


def check_campaign(lists: Lists, milliseconds: Sequence[float], gate: HeartbeatGate) -> list[Check]:
    """What a campaign answered when it was asked directly, and how fast.

    :param milliseconds: of each answer.
    """
    ninth_of_ten = sorted(milliseconds)[math.ceil(len(milliseconds) * 0.9) - 1]
    return [
        _empty(lists),
        Check(
            "milliseconds within which 9 of 10 answers came", round(ninth_of_ten), "at most", gate.slowest_ms
        ),
    ]


def check_answers(
    placement: Placement,
    lists: Lists,
    *,
    known: int,
    popular: Sequence[str],
    live: Lists | None,
    gate: HeartbeatGate,
) -> list[Check]:
    """What the serving function's new version answered.

    :param known: how many of the answers, the first ones, are of known users.
    :param popular: the run's popular items, best first.
    :param live: what the live colour answers to the same, or None when it has no such placement.
    """
    checks = [_empty(lists)]
    tops = [frozenset(each[:TOP]) for each in lists]
    if placement.needs != "nothing" and known > 1:
        distinct = len({tuple(each) for each in lists[:known]})
        checks.append(Check("different lists", distinct, "at least", min(gate.least_distinct, known)))
    if placement.needs == "user" and known and len(popular) > TOP:
        alike = sum(top == frozenset(popular[:TOP]) for top in tops[:known])
        checks.append(
            Check(
                "share of known users who get just the most popular items",
                round(alike / known, 4),
                "at most",
                gate.most_popular,
            )
        )
    if live is not None:
        shared = [
            len(top & frozenset(other[:TOP])) / len(top)
            for top, other in zip(tops, live, strict=True)
            if top and other
        ]
        if shared:
            overlap = round(sum(shared) / len(shared), 4)
            checks.append(Check("overlap with the live colour", overlap, "at least", gate.least_overlap))
    return checks


def _empty(lists: Lists) -> Check:
    return Check("empty answers", sum(not each for each in lists), "at most", 0)
