"""The recommenders behind the local Personalize: trained on what was imported, moved by the next event."""

from local_cloud.personalize.recommenders.contract import Interactions, Kind, Model, Scored
from local_cloud.personalize.recommenders.recipes import RECIPES, Recipe, kind_of, train

__all__ = ["RECIPES", "Interactions", "Kind", "Model", "Recipe", "Scored", "kind_of", "train"]
