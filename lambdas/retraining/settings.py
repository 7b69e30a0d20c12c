"""What the retraining functions are told by their environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vocabulary import gates, placements
from vocabulary.colours import Colour, Names, personalize_arn
from vocabulary.gates import HeartbeatGate, MetricsGate
from vocabulary.placements import Placement


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of the deployment, the same for every retraining function."""

    names: Names
    partition: str
    region: str
    account: str
    placements: tuple[Placement, ...]
    coordination_table: str
    training_bucket: str
    serving_function: str
    serving_alias: str
    serving_stack: str
    cutoff_lead_seconds: float
    collector_timeout_seconds: float
    stream: str
    bake_alarms: dict[str, list[str]]
    metrics_gate: MetricsGate = field(default_factory=MetricsGate)
    heartbeat_gate: HeartbeatGate = field(default_factory=HeartbeatGate)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the environment; a KeyError names the variable that is missing."""
        return cls(
            names=Names(environ["APP"], environ["ENVIRONMENT"]),
            partition=environ["PARTITION"],
            region=environ["AWS_REGION"],
            account=environ["ACCOUNT"],
            placements=placements.from_json(environ["PLACEMENTS"]),
            coordination_table=environ["COORDINATION_TABLE"],
            training_bucket=environ["TRAINING_BUCKET"],
            serving_function=environ["SERVING_FUNCTION"],
            serving_alias=environ["SERVING_ALIAS"],
            serving_stack=environ["SERVING_STACK"],
            cutoff_lead_seconds=float(environ["CUTOFF_LEAD_SECONDS"]),
            collector_timeout_seconds=float(environ["COLLECTOR_TIMEOUT_SECONDS"]),
            stream=environ["STREAM"],
            bake_alarms={
                colour: [name for name in environ[f"BAKE_ALARMS_{colour.upper()}"].split(",") if name]
                for colour in ("maize", "blue")
            },
            metrics_gate=gates.metrics_gate(environ["METRICS_GATE"]),
            heartbeat_gate=gates.heartbeat_gate(environ["HEARTBEAT_GATE"]),
        )

    def arn(self, kind: str, name: str) -> str:
        return personalize_arn(self.partition, self.region, self.account, kind, name)

    def dataset_group_arn(self, colour: Colour) -> str:
        return self.arn("dataset-group", self.names.dataset_group(colour))

    @property
    def placement_names(self) -> list[str]:
        return [placement.name for placement in self.placements]

    def campaign_arn(self, colour: Colour, placement: str) -> str:
        return self.arn("campaign", self.names.campaign(colour, placement))

    def placement(self, name: str) -> Placement:
        for placement in self.placements:
            if placement.name == name:
                return placement
        known = ", ".join(placement.name for placement in self.placements)
        raise ValueError(f"placement must be one of {known}, got {name!r}")
