"""What the rest of the local Personalize knows of a recommender."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from local_cloud.personalize.recommenders.exploration import Exploration

Kind = Literal["user", "item", "nothing", "ranking"]
"""What a request must name: a user, an item, nothing at all, or a user and a list to put in order."""


@dataclass(frozen=True, kw_only=True)
class ContextColumn:
    """One column of circumstances.

    :param values: distinct; None where an event has none.
    :param codes: per event, the place of its value.
    """

    values: Sequence[str | None]
    codes: NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Interactions:
    """Who touched what when, one entry per event, in any order.

    Events of one user with the same timestamp count as having happened in the order given.

    :param user_ids: also session ids, for those who have no other; an `IdColumn` or `IdCodes` where there are
        millions.
    :param item_ids: likewise.
    :param timestamps: unix seconds.
    :param weights: how much each event counts, 1 for all unless given (see `EventWeights`); never negative.
    :param contexts: under what circumstances, by the names that requests call them.
    :raises ValueError: when they differ in length.
    """

    user_ids: Sequence[str]
    item_ids: Sequence[str]
    timestamps: NDArray[np.int64]
    weights: NDArray[np.float32] | None = None
    contexts: Mapping[str, ContextColumn] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {len(self.user_ids), len(self.item_ids), len(self.timestamps)}
        if len(lengths) > 1:
            raise ValueError(
                f"user_ids, item_ids and timestamps must be equally long, "
                f"got {len(self.user_ids)}, {len(self.item_ids)} and {len(self.timestamps)}"
            )
        if self.weights is not None and (
            len(self.weights) != len(self.timestamps) or np.any(self.weights < 0)
        ):
            raise ValueError("weights must be one number of at least 0 per event")


Reason = Literal["Exploration", "Popular item"]
"""API reference, `PredictedItem`: why user-personalization-v2 has an item in an answer that fits the user no
better than others."""


class Scored(NamedTuple):
    """An item of an answer.

    :param score: None where the recipe gives none: popularity, similar items, and of the v2 recipes items of
        which they know too little.
    :param reason: of user-personalization-v2 only.
    """

    item_id: str
    score: float | None
    reason: Reason | None = None


class Model(Protocol):
    """A trained recommender: what a solution version holds and a campaign serves.

    Every method may be called from any thread at any time.
    """

    @property
    def metrics(self) -> dict[str, float]:
        """The offline metrics of GetSolutionMetrics, by its keys."""

    def recommend(
        self,
        *,
        user_id: str | None,
        item_id: str | None,
        count: int,
        allowed: Callable[[str], bool] | None = None,
        explore: Exploration | None = None,
        context: Mapping[str, str] = MappingProxyType({}),
        influence: Mapping[str, float] = MappingProxyType({}),
    ) -> list[Scored]:
        """The best items, best first; fewer than `count` when `allowed` lets fewer pass.

        A user or item nobody has heard of gets popular items.

        :param allowed: asked item by item, from the best on, until there are enough; a `Condition` is asked
            once for all requests, which is right for what lets few pass.
        :param explore: places for new items, by a campaign's `itemExplorationConfig`; only recipes with
            `Recipe.explores` heed it. Scores stay in falling order: those of the places, whoever has them.
        :param context: the circumstances of the request; recipes that do not answer by user do not heed it.
        :param influence: a campaign's `rankingInfluence`; only aws-semantic-similarity heeds it.
        :raises ValueError: when the recipe needs a user or an item and None was given, or only ranks.
        """

    def rank(
        self, *, user_id: str, item_ids: Sequence[str], context: Mapping[str, str] = MappingProxyType({})
    ) -> list[Scored]:
        """`item_ids`, best for this user first; the scores add up to 1. Unknown items come last, with 0; of
        personalized-ranking-v2 without a score, as do items that nobody has touched.

        :raises ValueError: when the recipe does not rank.
        """

    def admit(self, created: Mapping[str, float | None]) -> None:
        """Take in the items that were not there at training, to be explored; without effect on recipes that
        do not explore.

        :param created: items, known ones too, with unix seconds; None where that is not known.
        """

    def record(self, user_id: str, item_id: str, timestamp: int) -> None:
        """Take note of a streamed event (unix seconds); the user's next answer reflects it.

        trending-now counts it, at its next look, also for an item that is new. Other recipes that do not
        answer by user, and items unknown at training, leave it without effect.
        """
