"""The recommenders behind the local Personalize: trained on what was imported, moved by the next event."""

from local_cloud.personalize.recommenders.columns import IdCodes, IdColumn
from local_cloud.personalize.recommenders.conditions import Condition, Mask
from local_cloud.personalize.recommenders.contract import ContextColumn, Interactions, Kind, Model, Scored
from local_cloud.personalize.recommenders.event_weights import EventWeights
from local_cloud.personalize.recommenders.exploration import Exploration
from local_cloud.personalize.recommenders.interactions import Catalogue
from local_cloud.personalize.recommenders.objective import Objective
from local_cloud.personalize.recommenders.recipes import (
    DOMAIN_RECIPES,
    LEGACY_RECIPES,
    RECIPES,
    Recipe,
    kind_of,
    train,
)

__all__ = [
    "DOMAIN_RECIPES",
    "LEGACY_RECIPES",
    "RECIPES",
    "Catalogue",
    "Condition",
    "ContextColumn",
    "EventWeights",
    "Exploration",
    "IdCodes",
    "IdColumn",
    "Interactions",
    "Kind",
    "Mask",
    "Model",
    "Objective",
    "Recipe",
    "Scored",
    "kind_of",
    "train",
]
