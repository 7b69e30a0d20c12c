"""What on-call looks at. The alarms are with the constructs that they watch."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from colorway.clickstream import Clickstream
from colorway.dashboard import Dashboard
from colorway.nightly_retraining import NightlyRetraining
from colorway.recommendations_service import RecommendationsService
from stacks.environment import Environment


class ObservabilityStack(cdk.Stack):
    """Compose the dashboard."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        service: RecommendationsService,
        clickstream: Clickstream,
        retraining: NightlyRetraining,
        **stack_props: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_props)
        Dashboard(
            self,
            "Dashboard",
            names=environment.names,
            service=service,
            clickstream=clickstream,
            retraining=retraining,
        )
