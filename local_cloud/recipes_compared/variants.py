"""What is compared: the ways to build a recommendation row, simplest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from vocabulary.placements import Placement
from vocabulary.schemas import DatasetKind

Group = str
"""`plain` or `metadata`: which of the comparison's two dataset groups."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way.

    :param says: what it tries, in words.
    :param metadata: whether Items and Users are there beside the interactions.
    :param exploration: of its campaign; variants that differ in it alone share a model.
    """

    name: str
    says: str
    recipe: str
    metadata: bool = False
    exploration: dict[str, str] = field(default_factory=dict)

    @property
    def group(self) -> Group:
        return "metadata" if self.metadata else "plain"

    @property
    def model(self) -> str:
        """Name of its model within its group, as far as names may go in Personalize."""
        return self.recipe.removeprefix("aws-")

    @property
    def placement(self) -> Placement:
        """As costs are estimated of it."""
        return Placement(name=self.name, recipe=self.recipe, exploration=self.exploration)


_NONE: Final = {"explorationWeight": "0"}

VARIANTS: Final = (
    Variant(name="popularity", says="what is touched most, for everybody", recipe="aws-popularity-count"),
    Variant(
        name="interactions-only",
        says="who touched what, and when",
        recipe="aws-user-personalization",
        exploration=_NONE,
    ),
    Variant(
        name="items-and-users",
        says="and what items and users are like",
        recipe="aws-user-personalization",
        metadata=True,
        exploration=_NONE,
    ),
    Variant(
        name="exploration",
        says="the same model, and new items are tried on some: offline metrics do not see it",
        recipe="aws-user-personalization",
        metadata=True,
        exploration={"explorationWeight": "0.3", "explorationItemAgeCutOff": "30"},
    ),
    Variant(
        name="v2",
        says="the same data, a transformer for a model",
        recipe="aws-user-personalization-v2",
        metadata=True,
    ),
)


def datasets_of(group: Group, there: Sequence[DatasetKind]) -> tuple[DatasetKind, ...]:
    """The kinds of dataset that a group holds, of those that the training data have."""
    return tuple(kind for kind in there if kind == "interactions" or group == "metadata")
