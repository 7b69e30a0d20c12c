"""What the training-data function is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vocabulary import gates, placements, training_rules
from vocabulary.gates import DataGate
from vocabulary.placements import Placement
from vocabulary.schemas import ExtraColumns
from vocabulary.training_rules import TrainingRules


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of the deployment.

    :param history_days: how many days before the cutoff are trained on.
    :param event_types: which event types count as interest.
    :param minimum_interactions: the data gate refuses fewer.
    :param data_gate: which training data are trained on.
    :param rules: the rules of the ETL that are a matter of judgement.
    :param extra: columns of the interactions beyond the five.
    :param memory_mib: of the function, or None where nothing limits it.
    """

    environment: str
    lake_bucket: str
    training_bucket: str
    placements: tuple[Placement, ...]
    history_days: int
    event_types: tuple[str, ...]
    minimum_interactions: int
    data_gate: DataGate = field(default_factory=DataGate)
    rules: TrainingRules = field(default_factory=TrainingRules)
    extra: ExtraColumns = field(default_factory=ExtraColumns)
    memory_mib: int | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the environment; a KeyError names the variable that is missing."""
        memory = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        return cls(
            environment=environ["ENVIRONMENT"],
            lake_bucket=environ["LAKE_BUCKET"],
            training_bucket=environ["TRAINING_BUCKET"],
            placements=placements.from_json(environ["PLACEMENTS"]),
            history_days=int(environ["HISTORY_DAYS"]),
            event_types=tuple(name for name in environ["EVENT_TYPES"].split(",") if name),
            minimum_interactions=int(environ["MINIMUM_INTERACTIONS"]),
            data_gate=gates.data_gate(environ["DATA_GATE"]),
            rules=training_rules.from_json(environ["TRAINING_RULES"]),
            extra=ExtraColumns.from_json(environ["EXTRA_COLUMNS"]),
            memory_mib=int(memory) if memory else None,
        )
