"""The stacks with an API and no more: data, serving and events, with a placement of each kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import aws_cdk as cdk

from stacks.data import DataStack
from stacks.environment import LOCAL
from stacks.events import EventsStack
from stacks.serving import ServingStack
from vocabulary.drops import Drop
from vocabulary.placements import Placement

ENVIRONMENT = replace(
    LOCAL,
    name="serving",
    placements=(
        Placement(
            name="recommended-for-you",
            filters={
                "not-bought": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")',
                "of-brands": "INCLUDE ItemID WHERE Items.BRAND IN ($BRANDS)",
            },
        ),
        Placement(name="similar-items", recipe="aws-similar-items"),
        Placement(name="ranked", recipe="aws-personalized-ranking"),
    ),
    allowed_origins=("https://shop.example",),
    drops=(
        Drop(placement="recommended-for-you", starts="00:00", hours=23, lead_minutes=60, tps=5),  # always
        Drop(placement="similar-items", starts="2099-12-04T09:00", hours=2, tps=5),
    ),
)


def main() -> None:
    app = cdk.App()
    common: dict[str, Any] = {
        "environment": ENVIRONMENT,
        "env": cdk.Environment(account=ENVIRONMENT.account, region=ENVIRONMENT.region),
        "synthesizer": ENVIRONMENT.synthesizer,
    }
    data = DataStack(app, "colorway-serving-data", **common)
    serving = ServingStack(
        app,
        "colorway-serving-serving",
        lake=data.lake,
        training_bucket=data.training.bucket,
        live_pointer_name=ENVIRONMENT.names.live_pointer,
        on_call=data.on_call,
        **common,
    )
    EventsStack(
        app,
        "colorway-serving-events",
        lake=data.lake,
        coordination_table=data.coordination.table,
        api_key=serving.service.guarded_api.api_key,
        on_call=data.on_call,
        **common,
    )
    app.synth()


if __name__ == "__main__":
    main()
