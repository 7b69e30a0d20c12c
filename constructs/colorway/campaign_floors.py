"""What campaigns provide for drops that are known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
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


class CampaignFloors(Construct):
    """Define what raises `minProvisionedTPS` before a drop, and takes it back after.

    Where it is defined, it alone decides about the floors: what somebody raises by hand, it takes back.

    :param drops: when, for which placement, and how much.
    :param on_call: whom its alarms tell.
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
        self._define_alarms(names, placements, drops, on_call)

    def _define_alarms(
        self, names: Names, placements: Sequence[Placement], drops: Sequence[Drop], on_call: OnCall
    ) -> None:
        Alarm(
            self,
            "NotMet",
            metric=metric("FloorsNotMet", environment=names.environment, statistic="Maximum", period=_EVERY),
            notices="Nobody yet: customers of a drop would see popular items, or too much is paid for.",
            because="any, or no word, twice running: what passes is gone at the next try.",
            runbook="campaign-floors-not-met",
            on_call=on_call,
            severity="page",
            threshold=0,
            periods=2,
            # A function that fails, or is not called, says nothing
            missing=cloudwatch.TreatMissingData.BREACHING,
        )
        # A raise costs by the hour, so one that stays is told of: if it was made by hand, too
        for placement in placements:
            if all(drop.placement != placement.name for drop in drops):
                continue
            Alarm(
                self,
                f"Lingering-{placement.name}",
                metric=metric(
                    "FloorAboveDue",
                    environment=names.environment,
                    placement=placement.name,
                    statistic="Maximum",
                    period=_EVERY,
                ),
                notices=f"Nobody notices: more is paid for {placement.name} than its drops ask for.",
                because="an hour on end: a raise is taken back within 5 minutes, and some more.",
                runbook="campaign-floor-lingering",
                on_call=on_call,
                severity="notice",
                threshold=0,
                periods=12,
            )
