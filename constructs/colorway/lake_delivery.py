"""From the stream to the lake: every event as Parquet, by day of arrival."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kinesis as kinesis
from constructs import Construct

from colorway.alarm import Alarm
from colorway.data_lake import DataLake
from colorway.on_call import OnCall
from colorway.parquet_delivery import ParquetDelivery
from vocabulary.lake import EVENTS_FOLDER, FAILED_DELIVERY_FOLDER


class LakeDelivery(Construct):
    """Define the delivery of a stream's records to the lake, as rows of `lake.events_table`.

    What is not JSON, or has other types than the table, goes to a folder of its own and is alarmed.

    :param on_call: whom its alarms tell.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stream: kinesis.Stream,
        lake: DataLake,
        on_call: OnCall,
    ) -> None:
        super().__init__(scope, construct_id)
        self.delivery = ParquetDelivery(
            self,
            # An id that leaves logical ids as they were without it: a new delivery stream in the old one's
            # place would lose what that one still holds
            "Default",
            lake=lake,
            table=lake.events_table,
            folder=EVENTS_FOLDER,
            undelivered_folder=FAILED_DELIVERY_FOLDER,
            stream=stream,
        )
        self.alarms: list[cloudwatch.Alarm] = [
            Alarm(
                self,
                "Stalled",
                metric=self.delivery.metric_age(),
                notices="Events do not reach the lake; tonight's training would miss them.",
                because="one is due every minute; 15 outlast a retry of S3, and are long before the night.",
                runbook="lake-delivery-stalled",
                on_call=on_call,
                severity="page",
                threshold=cdk.Duration.minutes(15).to_seconds(),
            ),
            Alarm(
                self,
                "Refusing",
                metric=self.delivery.metric_refused(),
                notices="Records that are no events of ours lie aside, and no training sees them.",
                because="any: only records that are no events of ours fail.",
                runbook="lake-delivery-refusing",
                on_call=on_call,
                severity="notice",
                threshold=0,
            ),
        ]
