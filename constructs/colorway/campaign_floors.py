"""What campaigns provide for drops that are known beforehand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from constructs import Construct

from colorway.alarm import Alarm, metric
from colorway.on_call import OnCall
from colorway.personalize_access import PersonalizeAccess
from colorway.python_function import PythonFunction
from vocabulary import drops as words
from vocabulary import placements as placement_words
from vocabulary.colours import Names
from vocabulary.drops import Drop
from vocabulary.placements import Placement

_EVERY: Final = cdk.Duration.minutes(5)
_MOST_HOURS: Final = 7 * 24
"""CloudWatch looks back a week at most, in periods of an hour."""


class CampaignFloors(Construct):
    """Define what raises `minProvisionedTPS` before a drop, and takes it back after.

    Where it is defined, it alone decides about the floors: what somebody raises by hand, it takes back.

    :param drops: when, for which placement, and how much.
    :param on_call: whom its alarm tells.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        placements: Sequence[Placement],
        drops: Sequence[Drop],
        on_call: OnCall,
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = PythonFunction(
            self,
            "Function",
            handler="campaign_floors.handler.handle",
            runtime=runtime,
            architecture=architecture,
            description="Brings campaigns to what they have to provide for drops",
            timeout=cdk.Duration.minutes(2),
            environment={
                "APP": names.app,
                "ENVIRONMENT": names.environment,
                "PARTITION": cdk.Aws.PARTITION,
                "ACCOUNT": cdk.Aws.ACCOUNT_ID,
                "PLACEMENTS": placement_words.to_json(placements),
                "DROPS": words.to_json(drops),
            },
        )
        PersonalizeAccess(self, names=names).grant_change_campaigns(self.function)
        scheduler.Schedule(
            self,
            "Regularly",
            schedule=scheduler.ScheduleExpression.rate(_EVERY),
            description="Raise what campaigns provide before a drop, and take it back after",
            target=scheduler_targets.LambdaInvoke(self.function),
        )
        for placement in placements:
            self._define_for_cost(names, placement, drops, on_call)
        Alarm(
            self,
            "NotMet",
            metric=cloudwatch.MathExpression(
                expression="FILL(floors, 0) + FILL(errors, 0)",
                using_metrics={
                    "floors": metric(
                        "FloorsNotMet", environment=names.environment, statistic="Maximum", period=_EVERY
                    ),
                    "errors": self.function.metric_errors(period=_EVERY, statistic="Sum"),
                },
                period=_EVERY,
                label="campaigns that do not provide what is due",
            ),
            notices="Nobody yet: customers of a drop would see popular items, or too much is paid for.",
            because="any, twice running: what passes is gone at the next try.",
            runbook="campaign-floors-not-met",
            on_call=on_call,
            severity="page",
            threshold=0,
            periods=2,
        )

    def _define_for_cost(
        self, names: Names, placement: Placement, drops: Sequence[Drop], on_call: OnCall
    ) -> None:
        """A raise costs by the hour, so one that stays is told of: if it was made by hand, too."""
        lasting = sum((drop.lasting for drop in drops if drop.placement == placement.name), timedelta())
        if not lasting:
            return
        hours = min(math.ceil(lasting / timedelta(hours=1)) + 1, _MOST_HOURS)
        Alarm(
            self,
            f"Lingering-{placement.name}",
            metric=metric(
                "ProvisionedFloor",
                environment=names.environment,
                placement=placement.name,
                statistic="Maximum",
                period=cdk.Duration.hours(1),
            ),
            notices=f"Nobody notices: more than usual is paid for {placement.name}, day after day.",
            because=f"{hours} hours on end, an hour more than its drops last in all.",
            runbook="campaign-floor-lingering",
            on_call=on_call,
            severity="notice",
            threshold=placement.min_provisioned_tps,
            periods=hours,
        )
