"""The clickstream: from `POST /events` to the lake and to every open colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_lambda_event_sources import KinesisEventSource, SqsDlq
from constructs import Construct

from colorway.alarm import Alarm, Fault, any_on
from colorway.data_lake import DataLake
from colorway.guarded_api import GuardedApi
from colorway.lake_delivery import LakeDelivery
from colorway.on_call import OnCall
from colorway.personalize_access import PersonalizeAccess
from colorway.python_function import PythonFunction
from vocabulary.colours import Names

_BATCH: Final = 100
_LONGEST_PUT: Final = cdk.Duration.seconds(6)
"""What the collector's last attempt takes at most (see `collect_handler`), and a second to answer."""
_PATIENCE: Final = cdk.Duration.minutes(5)
_CATCHING_UP: Final = cdk.Duration.minutes(30)
"""After an outage: what waits on the stream is forwarded, and whoever was paged has redriven the rest."""
_RETRIES: Final = 100
"""Each takes the forwarder 5 seconds or more: it loses its patience, and queues events whole, long before."""

_REQUEST: Final = apigateway.JsonSchema(
    title="Events",
    description="Events of one session. The collector checks every field, and names each that is wrong.",
    type=apigateway.JsonSchemaType.OBJECT,
)
"""No more than that: API Gateway's own refusals name neither the event nor the field."""


class Clickstream(Construct):
    """Define the stream, what fills it, and what takes events from it to the lake and to Personalize.

    :param coordination_table: says which colours are open.
    :param forwarder_cache: how long the forwarder relies on what it read there.
    :param collector_timeout: an event is on the stream this long after its `received_at`, or never.
    :param shards: of the stream, or None for as many as the load needs (on demand).
    :param forwarders_per_shard: batches of a shard on their way at a time; what is of one session stays in
        order, for Lambda parts a shard's records by partition key.
    :param retention: how long the stream keeps events for consumers that are behind.
    :param api_key: opens the API when authorization is `api-key`; None to define one.
    :param allowed_origins: of web pages that may send events from a browser.
    :param on_call: whom its alarms tell.
    :param worse_than_late: faults elsewhere that make events late too, and page for it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        lake: DataLake,
        coordination_table: dynamodb.ITable,
        forwarder_cache: cdk.Duration,
        collector_timeout: cdk.Duration,
        authorization: Literal["api-key", "iam"],
        requests_per_second: int,
        burst: int,
        api_key: apigateway.IApiKey | None,
        on_call: OnCall,
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
        shards: int | None = None,
        forwarders_per_shard: int = 1,
        allowed_origins: Sequence[str] = (),
        worse_than_late: Sequence[cloudwatch.IAlarm] = (),
        retention: cdk.Duration = cdk.Duration.days(1),
    ) -> None:
        super().__init__(scope, construct_id)
        if collector_timeout.to_milliseconds() <= _LONGEST_PUT.to_milliseconds():
            raise ValueError(
                f"collector_timeout must be more than {_LONGEST_PUT.to_human_string()}, "
                f"got {collector_timeout.to_human_string()}"
            )
        self.collector_timeout = collector_timeout
        self._on_call = on_call
        self.stream = kinesis.Stream(
            self,
            "Stream",
            stream_mode=kinesis.StreamMode.PROVISIONED if shards else kinesis.StreamMode.ON_DEMAND,
            shard_count=shards,
            retention_period=retention,
            encryption=kinesis.StreamEncryption.MANAGED,
            # The lake is the source of truth; what has not reached it in a day is on call's to save
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.collector = self._define_collector(names, allowed_origins, runtime, architecture)
        self.guarded_api = GuardedApi(
            self,
            "Api",
            description=f"Clickstream of {names.prefix}",
            authorization=authorization,
            requests_per_second=requests_per_second,
            burst=burst,
            api_key=api_key,
            allowed_origins=allowed_origins,
        )
        self.guarded_api.add("POST", "events", self.collector, body=_REQUEST)
        self.lake_delivery = LakeDelivery(
            self, "LakeDelivery", stream=self.stream, lake=lake, on_call=on_call
        )
        self.failure_queue = sqs.Queue(
            self,
            "FailureQueue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        self.forwarder = self._define_forwarder(
            names, coordination_table, forwarder_cache, forwarders_per_shard, runtime, architecture
        )
        self.alarms = self._define_alarms()
        failing, throttled, behind, undelivered, _ = self.alarms
        self.pages: list[cloudwatch.IAlarm] = [self.lake_delivery.alarms[0]]
        refused = Fault(
            self,
            "Refused",
            alarms=[failing, throttled],
            notices="Clients cannot hand in what customers do.",
            runbook="events-refused",
            on_call=on_call,
        )
        late = Fault(
            self,
            "Late",
            alarms=[behind, undelivered],
            notices="What customers do does not reach the models in use.",
            runbook="events-late",
            on_call=on_call,
            # Whatever takes Personalize, Lambda or the stream away makes events late too, and loses none
            unless=cloudwatch.CompositeAlarm(
                self,
                "Worse",
                alarm_rule=any_on([*worse_than_late, refused]),
                alarm_description=(
                    "What is on pages, and makes events late too. Runbook: docs/runbook.md#events-late"
                ),
            ),
            aftermath=_CATCHING_UP,
        )
        self.faults: list[cloudwatch.IAlarm] = [refused, late]

    def grant_put_markers(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` put a record into every shard."""
        return self.stream.grant(grantee, "kinesis:ListShards", "kinesis:PutRecord")

    def _define_collector(
        self,
        names: Names,
        allowed_origins: Sequence[str],
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
    ) -> PythonFunction:
        collector = PythonFunction(
            self,
            "Collector",
            handler="clickstream.collect_handler.handle",
            runtime=runtime,
            architecture=architecture,
            description="Checks events and puts them on the stream",
            timeout=self.collector_timeout,
            memory_mib=512,
            environment={
                "ENVIRONMENT": names.environment,
                "STREAM": self.stream.stream_name,
                "PUT_BUDGET_MS": str(self.collector_timeout.minus(_LONGEST_PUT).to_milliseconds()),
                **({"ALLOWED_ORIGINS": " ".join(allowed_origins)} if allowed_origins else {}),
            },
        )
        self.stream.grant(collector, "kinesis:PutRecords")
        return collector

    def _define_forwarder(
        self,
        names: Names,
        coordination_table: dynamodb.ITable,
        cache: cdk.Duration,
        at_a_time: int,
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
    ) -> PythonFunction:
        forwarder = PythonFunction(
            self,
            "Forwarder",
            handler="clickstream.forward_handler.handle",
            runtime=runtime,
            architecture=architecture,
            description="Takes events from the stream to every open colour",
            timeout=cdk.Duration.seconds(60),
            memory_mib=512,
            environment={
                "ENVIRONMENT": names.environment,
                "COORDINATION_TABLE": coordination_table.table_name,
                "FORWARDER_CACHE_SECONDS": str(cache.to_seconds()),
                "FAILURE_QUEUE_URL": self.failure_queue.queue_url,
                "PATIENCE_SECONDS": str(_PATIENCE.to_seconds()),
                "COLLECTOR_TIMEOUT_SECONDS": str(self.collector_timeout.to_seconds()),
            },
        )
        coordination_table.grant(forwarder, "dynamodb:GetItem")
        self.failure_queue.grant(forwarder, "sqs:SendMessage")
        PersonalizeAccess(self, names=names).grant_put_events(forwarder)
        forwarder.add_event_source(
            KinesisEventSource(
                self.stream,
                # Nothing put before Lambda began to look may be missed; repeats do no harm
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=_BATCH,
                # Lambda looks at each shard once a second as it is: waiting longer makes calls no fewer
                max_batching_window=cdk.Duration.seconds(0),
                parallelization_factor=at_a_time,
                report_batch_item_failures=True,
                bisect_batch_on_error=True,
                retry_attempts=_RETRIES,
                on_failure=SqsDlq(self.failure_queue),
            )
        )
        return forwarder

    def _define_alarms(self) -> list[cloudwatch.Alarm]:
        minute = cdk.Duration.minutes(1)
        return [
            Alarm(
                self,
                "Failing",
                # The average of what is 1 for a failed request and 0 for another: the share that failed
                metric=self.guarded_api.api.metric_server_error(statistic="Average", period=minute),
                notices="Clients cannot hand in events; what they do not send again is lost.",
                because="1 in 100 is more than restarts and retries explain, two minutes more than a deploy.",
                runbook="events-failing",
                on_call=self._on_call,
                severity="notice",
                threshold=0.01,
                periods=2,
            ),
            Alarm(
                self,
                "Throttled",
                metric=self.stream.metric_write_provisioned_throughput_exceeded(
                    statistic="Sum", period=minute
                ),
                notices="The stream takes events more slowly than they come; clients are told to try again.",
                because="any, three minutes running: the stream takes more by itself within that time.",
                runbook="events-throttled",
                on_call=self._on_call,
                severity="notice",
                threshold=0,
                periods=3,
            ),
            Alarm(
                self,
                "Behind",
                metric=self.forwarder.metric("IteratorAge", statistic="Maximum", period=minute),
                notices="Recommendations no longer follow what customers do.",
                because="a minute behind, three minutes running: a batch tried again is through by then.",
                runbook="events-behind",
                on_call=self._on_call,
                severity="notice",
                threshold=cdk.Duration.minutes(1).to_milliseconds(),
                periods=3,
            ),
            Alarm(
                self,
                "Undelivered",
                metric=self.failure_queue.metric_approximate_number_of_messages_visible(
                    statistic="Maximum", period=minute
                ),
                notices="Some of what customers did has not reached the models in use.",
                because="any: what lies there has been tried often enough, and does not leave by itself.",
                runbook="events-undelivered",
                on_call=self._on_call,
                severity="notice",
                threshold=0,
            ),
            Alarm(
                self,
                "Limited",
                metric=self.guarded_api.metric_throttled(period=minute),
                notices="Clients send more often than the API lets through; what is not sent again is lost.",
                because="any, three minutes running: shorter bursts are what the limit is for.",
                runbook="events-limited",
                on_call=self._on_call,
                severity="notice",
                threshold=0,
                periods=3,
            ),
        ]
