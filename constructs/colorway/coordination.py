"""What the parts of a deployment agree on: who retrains, which colours are open, which one is live."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from vocabulary.colours import NO_COLOUR, Names
from vocabulary.coordination import TABLE_KEY


class Coordination(Construct):
    """Define the coordination table and the live pointer.

    The pointer says `none` until the first training; from then on the flip
    writes it. CloudFormation leaves the value alone as long as nothing of the
    parameter changes, be it its description or a tag of the stack: then it writes
    `none` anew, and the flip function puts that right (`LiveColour.recover_pointer`).
    """

    def __init__(self, scope: Construct, construct_id: str, *, names: Names) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name=TABLE_KEY, type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            # Rebuilt by the next retraining: worth no more than the deployment itself
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.live_pointer = ssm.StringParameter(
            self,
            "LivePointer",
            parameter_name=names.live_pointer,
            string_value=NO_COLOUR,
            description="The live colour: maize, blue, or none before the first training; the flip writes it",
        )
