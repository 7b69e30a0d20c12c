"""The redrive: what lies in the failure queue goes to the colours, when a person says so."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from colorway.personalize_access import PersonalizeAccess
from colorway.python_function import PythonFunction
from vocabulary.colours import Names


class Redrive(Construct):
    """Define the function that `make redrive` invokes.

    A person needs no right but to invoke it: those on queue, stream and Personalize are the function's.

    :param stream: read again for messages of Lambda's own, which only point at records.
    :param coordination_table: says which colours are open.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        failure_queue: sqs.IQueue,
        stream: kinesis.IStream,
        coordination_table: dynamodb.ITable,
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = PythonFunction(
            self,
            "Function",
            handler="clickstream.redrive_handler.handle",
            runtime=runtime,
            architecture=architecture,
            description="Takes the failure queue to the open colours",
            timeout=cdk.Duration.minutes(4),
            memory_mib=512,
            environment={
                "COORDINATION_TABLE": coordination_table.table_name,
                "FAILURE_QUEUE_URL": failure_queue.queue_url,
                "STREAM": stream.stream_name,
                "FORWARDER_CACHE_SECONDS": "1",
            },
        )
        coordination_table.grant(self.function, "dynamodb:GetItem")
        failure_queue.grant(
            self.function, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"
        )
        stream.grant(self.function, "kinesis:GetShardIterator", "kinesis:GetRecords")
        PersonalizeAccess(self, names=names).grant_put_events(self.function)
