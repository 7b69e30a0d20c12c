"""Defines a placement's solution in Personalize."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from retraining.settings import Settings
from vocabulary.colours import Colour


def define_solution(personalize: Any, settings: Settings, *, colour: Colour, placement: str) -> str:
    """Create the solution of a placement, unless an earlier attempt has; answer its ARN.

    Automatic training is switched off: its default trains weekly, bills for it,
    and would block the retirement of the colour (developer guide, "Automatic training").
    """
    wanted = settings.placement(placement)
    name = settings.names.solution(colour, placement)
    config = {"algorithmHyperParameters": wanted.hyperparameters} if wanted.hyperparameters else {}
    with suppress(personalize.exceptions.ResourceAlreadyExistsException):
        personalize.create_solution(
            name=name,
            datasetGroupArn=settings.dataset_group_arn(colour),
            recipeArn=wanted.recipe_arn(settings.partition),
            performAutoTraining=False,
            **({"solutionConfig": config} if config else {}),
        )
    return settings.arn("solution", name)
