"""What a retraining is about to do: which colour it rebuilds, under which names."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from retraining.settings import Settings
from vocabulary.colours import COLOURS, NO_COLOUR, Colour, other, run_id_of
from vocabulary.placements import Placement
from vocabulary.schemas import SCHEMAS


def plan(settings: Settings, live: Colour | None, started: datetime) -> dict[str, Any]:
    """The plan of a run, as the state machine's variable `run`.

    The dormant colour is rebuilt; before the first training that is maize.
    ARNs that follow from names are spelled out, so that a step that finds its
    work already done by an earlier attempt can go on without its answer.
    """
    colour = COLOURS[0] if live is None else other(live)
    run_id = run_id_of(started)
    names = settings.names
    group = names.dataset_group(colour)
    return {
        "run_id": run_id,
        "colour": colour,
        "previous": live or NO_COLOUR,
        "dataset_group": group,
        "dataset_group_arn": settings.dataset_group_arn(colour),
        "datasets": {
            kind: {
                "name": names.job(colour, run_id, kind),
                "arn": settings.arn("dataset", f"{group}/{kind.upper()}"),
                "import_job": names.job(colour, run_id, kind),
                "import_job_arn": settings.arn("dataset-import-job", names.job(colour, run_id, kind)),
            }
            for kind in SCHEMAS
        },
        "placements": {
            placement.name: {
                "solution_arn": settings.arn("solution", names.solution(colour, placement.name)),
                "solution_version": names.job(colour, run_id),
                "campaign": names.campaign(colour, placement.name),
                "campaign_arn": settings.arn("campaign", names.campaign(colour, placement.name)),
                "min_provisioned_tps": placement.min_provisioned_tps,
                "campaign_config": _campaign_config(placement),
            }
            for placement in settings.placements
        },
    }


def _campaign_config(placement: Placement) -> dict[str, Any]:
    """As Step Functions' SDK integration spells it; empty where the placement wants nothing of it."""
    exploration = {"ItemExplorationConfig": placement.exploration} if placement.exploration else {}
    metadata = {"EnableMetadataWithRecommendations": True} if placement.metadata else {}
    return {**exploration, **metadata}
