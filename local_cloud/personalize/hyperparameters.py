"""The hyperparameters of each recipe: defaults, ranges, and which of them HPO may tune.

Developer guide, the page of each recipe, "Properties and hyperparameters".
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from local_cloud.personalize.errors import invalid

Part = Literal["algorithmHyperParameters", "featureTransformationParameters"]

MOST_JOBS: Final = 40
MOST_PARALLEL_JOBS: Final = 10
JOBS_BY_DEFAULT: Final = 5

_ALGORITHM: Final[Part] = "algorithmHyperParameters"
_FEATURES: Final[Part] = "featureTransformationParameters"
_PARTS: Final = (_ALGORITHM, _FEATURES)


@dataclass(frozen=True, kw_only=True)
class HyperParameter:
    """
    :param default: as the API gives it: text.
    :param least: and `most`: of a number; None for one of `values`.
    """

    name: str
    default: str
    kind: Literal["integer", "continuous", "categorical"]
    least: float = 0.0
    most: float = 1.0
    values: tuple[str, ...] = ()
    tunable: bool = False
    part: Part = "algorithmHyperParameters"


_RECURRENT: Final = (
    HyperParameter(name="hidden_dimension", default="149", kind="integer", least=32, most=256, tunable=True),
    HyperParameter(name="bptt", default="32", kind="integer", least=2, most=32, tunable=True),
    HyperParameter(
        name="recency_mask", default="true", kind="categorical", values=("true", "false"), tunable=True
    ),
)
_RECENCY_BIAS: Final = (
    HyperParameter(name="apply_recency_bias", default="true", kind="categorical", values=("true", "false")),
)


def _percentile(name: str, default: str, part: Part = _FEATURES) -> HyperParameter:
    return HyperParameter(name=name, default=default, kind="continuous", part=part)


_HISTORY: Final = (
    _percentile("min_user_history_length_percentile", "0.0"),
    _percentile("max_user_history_length_percentile", "0.99"),
)

_HRNN: Final = (replace(_RECURRENT[0], default="43"), *_RECURRENT[1:])
_COLD_START: Final = (
    HyperParameter(
        name="cold_start_max_interactions", default="15", kind="integer", least=1, most=1e6, part=_FEATURES
    ),
    HyperParameter(
        name="cold_start_max_duration", default="5.0", kind="continuous", most=1e6, part=_FEATURES
    ),
    HyperParameter(
        name="cold_start_relative_from",
        default="currentTime",
        kind="categorical",
        values=("currentTime", "latestItem"),
        part=_FEATURES,
    ),
)

HYPERPARAMETERS: Final[Mapping[str, tuple[HyperParameter, ...]]] = {
    "aws-user-personalization": (*_RECURRENT, *_HISTORY),
    "aws-personalized-ranking": (*_RECURRENT, *_HISTORY),
    "aws-user-personalization-v2": _RECENCY_BIAS,
    "aws-personalized-ranking-v2": _RECENCY_BIAS,
    "aws-hrnn": (*_HRNN, *_HISTORY),
    "aws-hrnn-metadata": (*_HRNN, *_HISTORY),
    "aws-hrnn-coldstart": (*_RECURRENT, *_COLD_START, *_HISTORY),
    "aws-similar-items": (
        HyperParameter(name="popularity_discount_factor", default="0.0", kind="continuous"),
        HyperParameter(
            name="item_id_hidden_dim", default="100", kind="integer", least=30, most=200, tunable=True
        ),
        HyperParameter(
            name="item_metadata_hidden_dim", default="100", kind="integer", least=30, most=200, tunable=True
        ),
    ),
    "aws-sims": (
        HyperParameter(name="popularity_discount_factor", default="0.5", kind="continuous", tunable=True),
        HyperParameter(
            name="min_cointeraction_count", default="3", kind="integer", least=0, most=10, tunable=True
        ),
        _percentile("min_user_history_length_percentile", "0.005"),
        _percentile("max_user_history_length_percentile", "0.995"),
        _percentile("min_item_interaction_count_percentile", "0.01"),
        _percentile("max_item_interaction_count_percentile", "0.9"),
    ),
    "aws-trending-now": (
        HyperParameter(
            name="trend_discovery_frequency",
            default="2 hours",
            kind="categorical",
            values=("30 minutes", "1 hour", "2 hours", "3 hours", "1 day"),
            part=_FEATURES,
        ),
    ),
}
"""By recipe; one that is not here has none."""


def of_recipe(recipe: str) -> tuple[HyperParameter, ...]:
    return HYPERPARAMETERS.get(recipe, ())


def check(recipe: str, config: Mapping[str, Any], *, algorithm_arn: str) -> None:
    """Every hyperparameter of a `solutionConfig` must be one of the recipe's, and within its range.

    :raises Refused: InvalidInputException.
    """
    known = {(parameter.part, parameter.name): parameter for parameter in of_recipe(recipe)}
    # SIMS takes its percentiles in either map: real solutions have them in both
    loose = {name: parameter for (_, name), parameter in known.items()} if recipe == "aws-sims" else {}
    for part in _PARTS:
        for name, value in config.get(part, {}).items():
            parameter = known.get((part, name)) or loose.get(name)
            if parameter is None:
                raise invalid(f"Provide a hyperparameter that is used in the algorithm: {algorithm_arn}")
            _check_value(parameter, value)


def _check_value(parameter: HyperParameter, value: str) -> None:
    if parameter.kind == "categorical":
        if value.lower() not in [known.lower() for known in parameter.values]:
            raise invalid(f"{parameter.name} must be one of {', '.join(parameter.values)}, got {value}")
        return
    try:
        number = int(value) if parameter.kind == "integer" else float(value)
    except ValueError:
        number = float("nan")
    if not parameter.least <= number <= parameter.most:
        kind = "a whole number" if parameter.kind == "integer" else "a number"
        raise invalid(
            f"{parameter.name} must be {kind} from {parameter.least:g} to {parameter.most:g}, got {value}"
        )


@dataclass(frozen=True, kw_only=True)
class Search:
    """What HPO tries.

    :param space: the ranges to choose from.
    :param jobs: how many trainings.
    """

    space: tuple[HyperParameter, ...]
    jobs: int

    def candidates(self, seed: int = 0) -> Iterator[dict[str, str]]:
        """The middle of all ranges first, then at random."""
        chooser = random.Random(seed)
        yield {parameter.name: _middle(parameter) for parameter in self.space}
        for _ in range(self.jobs - 1):
            yield {parameter.name: _any(parameter, chooser) for parameter in self.space}


def _middle(parameter: HyperParameter) -> str:
    if parameter.kind == "categorical":
        return parameter.values[0]
    middle = (parameter.least + parameter.most) / 2
    return str(round(middle)) if parameter.kind == "integer" else f"{middle:g}"


def _any(parameter: HyperParameter, chooser: random.Random) -> str:
    if parameter.kind == "categorical":
        return chooser.choice(parameter.values)
    if parameter.kind == "integer":
        return str(chooser.randint(round(parameter.least), round(parameter.most)))
    return f"{chooser.uniform(parameter.least, parameter.most):.4f}"


def search_of(recipe: str, config: Mapping[str, Any], *, algorithm_arn: str) -> Search:
    """The search that `solutionConfig.hpoConfig` asks for, or the recipe's own ranges.

    Developer guide, "Hyperparameters and HPO": ranges are given as three lists, of which some may be empty.

    :raises Refused: InvalidInputException, for a range outside the recipe's too.
    """
    tunable = {parameter.name: parameter for parameter in of_recipe(recipe) if parameter.tunable}
    if not tunable:
        raise invalid(f"{recipe} has no hyperparameter that performHPO could tune")
    hpo = config.get("hpoConfig", {})
    resources = hpo.get("hpoResourceConfig", {})
    jobs = _count(resources, "maxNumberOfTrainingJobs", MOST_JOBS, JOBS_BY_DEFAULT)
    _count(resources, "maxParallelTrainingJobs", MOST_PARALLEL_JOBS, 1)
    given_ranges = hpo.get("algorithmHyperParameterRanges")
    lists = {kind: f"{kind}HyperParameterRanges" for kind in ("integer", "continuous", "categorical")}
    if given_ranges is not None and (
        missing := [name for name in lists.values() if name not in given_ranges]
    ):
        raise invalid(f"algorithmHyperParameterRanges must have {missing[0]}, empty if need be")
    space = [
        _narrowed(tunable, given, kind, algorithm_arn)
        for kind, name in lists.items()
        for given in (given_ranges or {}).get(name, ())
    ]
    return Search(space=tuple(space or tunable.values()), jobs=jobs)


def _count(resources: Mapping[str, str], name: str, most: int, default: int) -> int:
    text = resources.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise invalid(f"{name} must be a whole number from 1 to {most}, got {text}")
    return int(text)


def _narrowed(
    tunable: Mapping[str, HyperParameter], given: Mapping[str, Any], kind: str, algorithm_arn: str
) -> HyperParameter:
    parameter = tunable.get(given.get("name", ""))
    if parameter is None or parameter.kind != kind:
        raise invalid(f"Provide a hyperparameter that is used in the algorithm: {algorithm_arn}")
    if parameter.kind == "categorical":
        values: tuple[str, ...] = tuple(given.get("values", parameter.values))
        if not values:
            raise invalid(f"The range of {parameter.name} must have at least one value")
        for value in values:
            _check_value(parameter, value)
        return replace(parameter, values=values)
    least, most = given.get("minValue", parameter.least), given.get("maxValue", parameter.most)
    if not parameter.least <= least <= most <= parameter.most:
        raise invalid(
            f"The range of {parameter.name} must be within {parameter.least:g} to {parameter.most:g}, "
            f"got {least} to {most}"
        )
    return replace(parameter, least=float(least), most=float(most))


def ranges(parameters: Sequence[HyperParameter]) -> dict[str, list[dict[str, Any]]]:
    """As DescribeAlgorithm gives them."""
    found: dict[str, list[dict[str, Any]]] = {
        f"{kind}HyperParameterRanges": [] for kind in ("integer", "continuous", "categorical")
    }
    for parameter in parameters:
        range_: dict[str, Any] = {"name": parameter.name, "isTunable": parameter.tunable}
        if parameter.kind == "categorical":
            range_["values"] = list(parameter.values)
        elif parameter.kind == "integer":
            range_ |= {"minValue": round(parameter.least), "maxValue": round(parameter.most)}
        else:
            range_ |= {"minValue": parameter.least, "maxValue": parameter.most}
        found[f"{parameter.kind}HyperParameterRanges"].append(range_)
    return found
