"""What the serving function is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vocabulary import placements
from vocabulary.colours import Colour, Names, live_colour_of, personalize_arn
from vocabulary.placements import Placement


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of one published version of the function; `live_colour` is frozen with it.

    :param live_colour: whose campaigns answer, or None before the first training.
    :param time_budget: seconds within which a request is answered.
    :param allowed_origins: of web pages that may read answers; `*` is any.
    :param experiment: ids of AppConfig's application, environment and profile, or None without one.
    """

    names: Names
    partition: str
    region: str
    account: str
    live_colour: Colour | None
    placements: Mapping[str, Placement]
    training_bucket: str
    time_budget: float
    allowed_origins: tuple[str, ...] = ()
    experiment: tuple[str, str, str] | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the environment; a KeyError names the variable that is missing."""
        experiment = environ.get("EXPERIMENT")
        return cls(
            names=Names(environ["APP"], environ["ENVIRONMENT"]),
            partition=environ["PARTITION"],
            region=environ["AWS_REGION"],
            account=environ["ACCOUNT"],
            live_colour=live_colour_of(environ["LIVE_COLOUR"]),
            placements={each.name: each for each in placements.from_json(environ["PLACEMENTS"])},
            training_bucket=environ["TRAINING_BUCKET"],
            time_budget=int(environ["TIME_BUDGET_MS"]) / 1000,
            allowed_origins=tuple(environ.get("ALLOWED_ORIGINS", "").split()),
            experiment=_three(experiment) if experiment else None,
        )

    @property
    def domain(self) -> str:
        """Where AWS's endpoints of this partition are."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    def arn_of(self, kind: str, colour: Colour, rest: str) -> str:
        """The ARN of a colour's campaign or filter; `rest` is what its name ends in."""
        name = self.names.campaign(colour, rest)
        return personalize_arn(self.partition, self.region, self.account, kind, name)


def _three(text: str) -> tuple[str, str, str]:
    application, environment, profile = text.split("/")
    return application, environment, profile
