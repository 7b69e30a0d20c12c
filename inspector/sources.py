"""The sources of a column: a colour's placement, popular items, a variant that was compared; and their order.

In a URL a source is `live`, `dormant` or `popular` (of the page's placement), `live:PLACEMENT`
(of another), or `compared:VARIANT`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from inspector.compared import Compared
from inspector.deployment import Deployment
from vocabulary.colours import COLOURS, Colour, other
from vocabulary.placements import Placement

Ranked = list[tuple[str, float | None]]
"""Item ids with their scores, best first."""

ASKED_FOR: Final = 12
NOT_THERE: Final = "not there: it is made at night, and the old one taken down"
_WAITS: Final = 4.0
_AT_A_TIME: Final = 16
_THREADS: Final = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="source")


@dataclass(frozen=True)
class Source:
    """Something that recommends: `key` as in the URL, `title` over its column."""

    key: str
    title: str


@dataclass(frozen=True)
class Answer:
    """What a source recommends now, or the trouble why nothing."""

    source: Source
    ranked: Ranked = field(default_factory=list)
    trouble: str = ""


@dataclass(frozen=True)
class Sources:
    """What may be put beside each other on a page about one placement."""

    deployment: Deployment
    placement: Placement
    compared: Compared | None
    live: Colour | None
    open_colours: frozenset[Colour]

    @classmethod
    def of(cls, deployment: Deployment, placement: Placement, compared: Compared | None) -> Sources:
        opened = frozenset(each.colour for each in deployment.open_colours())
        return cls(deployment, placement, compared, deployment.live_colour(), opened)

    @property
    def dormant(self) -> Colour:
        return other(self.live) if self.live else COLOURS[0]

    def offered(self) -> list[Source]:
        """Every source there is."""
        others = [each.name for each in self.deployment.placements if each.name != self.placement.name]
        return [
            Source("live", f"{self.live}, live" if self.live else "live"),
            Source("dormant", f"{self.dormant}, dormant"),
            Source("popular", "popular"),
            *(Source(f"live:{name}", f"{name}, {self.live or 'live'}") for name in others),
            *(
                Source(f"compared:{each.name}", f"{each.name}, compared")
                for each in (self.compared.variants if self.compared else ())
            ),
        ]

    def chosen(self, keys: Sequence[str]) -> list[Source]:
        """Those asked for, in their order; without any the live colour, the dormant one while it is there,
        and the popular items."""
        keys = keys or ["live", *(["dormant"] if self.dormant in self.open_colours else []), "popular"]
        known = {each.key: each for each in self.offered()}
        return [known.get(key) or Source(key, key) for key in dict.fromkeys(keys)]

    def ask(self, sources: Sequence[Source], *, user_id: str, item_id: str | None) -> list[Answer]:
        """Ask all of them side by side; one that is slow, away or refuses says so in its place.

        :param item_id: what the customer touched last, for placements that need an item.
        """
        return ask_side_by_side(
            sources, lambda source: self._answer(source, user_id=user_id, item_id=item_id)
        )

    def _answer(self, source: Source, *, user_id: str, item_id: str | None) -> Answer:
        kind, _, name = source.key.partition(":")
        match kind:
            case "live" | "dormant":
                colour = self.live if kind == "live" else self.dormant
                return self._of_colour(source, colour, name, user_id=user_id, item_id=item_id)
            case "popular":
                popular = self.deployment.popular(self.placement)[:ASKED_FOR]
                return Answer(source, [(each, None) for each in popular])
            case "compared" if self.compared:
                return self._of_comparison(source, self.compared, name, user_id)
            case _:
                offered = ", ".join(each.key for each in self.offered())
                return Answer(source, trouble=f"no source is called so; there are {offered}")

    def _of_colour(
        self, source: Source, colour: Colour | None, name: str, *, user_id: str, item_id: str | None
    ) -> Answer:
        found = [each for each in self.deployment.placements if each.name == (name or self.placement.name)]
        if not found:
            return Answer(source, trouble=f"this environment has no placement {name}")
        if colour is None:
            return Answer(source, trouble="no colour is live yet: the first training has not come through")
        if found[0].needs == "item" and item_id is None:
            return Answer(source, trouble="the customer has touched nothing that it could be similar to")
        return Answer(
            source,
            self.deployment.recommend(colour, found[0], user_id=user_id, item_id=item_id, count=ASKED_FOR),
        )

    @staticmethod
    def _of_comparison(source: Source, compared: Compared, variant: str, user_id: str) -> Answer:
        lists = compared.lists.get(user_id)
        if lists is None:
            return Answer(
                source, trouble="`make compare` made no list for this customer; the front page says for whom"
            )
        return Answer(source, [(item_id, None) for item_id in lists.get(variant, ())])


def there(answers: Sequence[Answer]) -> list[Answer]:
    """Without a dormant colour that has no campaign yet, or no longer; for where nobody has asked for it."""
    return [each for each in answers if each.source.key != "dormant" or each.trouble != NOT_THERE]


def ask_side_by_side(sources: Sequence[Source], ask: Callable[[Source], Answer]) -> list[Answer]:
    """An answer per source within a few seconds, whatever some of them do."""
    asked = [(source, _THREADS.submit(ask, source)) for source in sources]
    waits = _WAITS * math.ceil(len(sources) / _AT_A_TIME)
    until = time.monotonic() + waits
    answers = []
    for source, future in asked:
        try:
            answers.append(future.result(max(0.0, until - time.monotonic())))
        except NotYet:
            future.cancel()  # what has not begun need not any more
            answers.append(Answer(source, trouble=f"no answer within {waits:g} s: reload to ask again"))
        except (ClientError, BotoCoreError) as error:
            answers.append(Answer(source, trouble=told(error)))
    return answers


def told(error: ClientError | BotoCoreError) -> str:
    """A refusal in words."""
    if not isinstance(error, ClientError):
        return str(error)
    refused = error.response["Error"]
    if refused["Code"] == "ResourceNotFoundException":
        return NOT_THERE
    return f"{refused['Code']}: {refused['Message']}"
