"""A function behind custom resources: plain Python, no provider framework, and no limit of 15 minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IDependable

from colorway.python_function import PythonFunction

LONGEST = cdk.Duration.hours(1)
"""CloudFormation waits no longer for any custom resource."""


class CustomResourceFunction(Construct):
    """Define a function that answers CloudFormation, and goes on in another invocation when it must.

    :param handler: as of `PythonFunction`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handler: str,
        description: str,
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = PythonFunction(
            self,
            "Function",
            handler=handler,
            description=description,
            environment=environment,
            timeout=cdk.Duration.minutes(15),
            runtime=runtime,
            architecture=architecture,
        )
        assert self.function.role is not None
        # A policy of its own: the function waits for its role's main policy, which so cannot name it
        iam.Policy(
            self,
            "GoOn",
            roles=[self.function.role],
            statements=[
                iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[self.function.function_arn])
            ],
        )

    def define(
        self,
        scope: Construct,
        construct_id: str,
        *,
        resource_type: str,
        properties: Mapping[str, Any] | None = None,
        after: Sequence[IDependable] = (),
    ) -> cdk.CustomResource:
        """Define a resource that this function makes.

        :param resource_type: `Custom::…`.
        :param properties: in PascalCase; those that are None are left out.
        :param after: what must be there before, and must stay until it is deleted.
        """
        given = {name: value for name, value in (properties or {}).items() if value is not None}
        resource = cdk.CustomResource(
            scope,
            construct_id,
            service_token=self.function.function_arn,
            resource_type=resource_type,
            properties=given,
            service_timeout=LONGEST,
        )
        # Logs and rights too, or a destroy takes them away before the function is done
        resource.node.add_dependency(self, *after)
        return resource
