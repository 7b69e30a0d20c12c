"""The service that clients ask for recommendations: an API, a function behind an alias, and its alarms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from colorway.experiment import Experiment
from colorway.guarded_api import GuardedApi
from colorway.on_call import OnCall
from colorway.personalize_access import PersonalizeAccess
from colorway.python_function import PythonFunction
from colorway.recommendations_alarms import RecommendationsAlarms
from vocabulary import placements as words
from vocabulary.colours import Colour, Names
from vocabulary.lake import popular_key
from vocabulary.placements import Placement

ALIAS: Final = "live"


class RecommendationsService(Construct):
    """Define `GET /recommendations/{user_id}`, `GET /similar/{item_id}` and `POST /rankings/{user_id}`.

    Which colour answers is frozen into each published version; the alias `live`
    says which version. A deployment publishes the colour that the live pointer
    names at that moment, so that it moves nothing.

    `bake_alarms` watch each colour's own errors; they decide about a colour that
    has just gone live.

    :param training_bucket: where the lists of popular items lie that stand in for Personalize.
    :param live_pointer_name: of the SSM parameter that says which colour is live.
    :param time_budget: what a request may take before popular items are answered.
    :param reserved_concurrency: of the function, or None for the account's shared pool.
    :param provisioned_concurrency: sandboxes kept ready behind the alias, or None for none.
    :param allowed_origins: of web pages that may ask from a browser.
    :param requests_per_address: from one address in five minutes before a firewall blocks it, or None.
    :param experiment_spread: how long a changed experiment takes to reach every sandbox.
    :param on_call: whom its alarms tell.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        placements: Sequence[Placement],
        training_bucket: s3.IBucket,
        live_pointer_name: str,
        time_budget: cdk.Duration,
        authorization: Literal["api-key", "iam"],
        requests_per_second: int,
        burst: int,
        reserved_concurrency: int | None,
        provisioned_concurrency: int | None = None,
        allowed_origins: Sequence[str] = (),
        requests_per_address: int | None = None,
        experiment_spread: cdk.Duration,
        on_call: OnCall,
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = PythonFunction(
            self,
            "Function",
            handler="recommendations.handler.handle",
            runtime=runtime,
            architecture=architecture,
            description="Answers requests for recommendations",
            # A heartbeat asks many times over; a request is answered within the budget
            timeout=cdk.Duration.seconds(30),
            memory_mib=512,
            reserved_concurrency=reserved_concurrency,
            environment={
                "APP": names.app,
                "ENVIRONMENT": names.environment,
                "PARTITION": cdk.Aws.PARTITION,
                "ACCOUNT": cdk.Aws.ACCOUNT_ID,
                # Read by CloudFormation, not by synthesis: the template is the same whatever is live
                "LIVE_COLOUR": ssm.StringParameter.value_for_string_parameter(self, live_pointer_name),
                "PLACEMENTS": words.to_json(placements),
                "TRAINING_BUCKET": training_bucket.bucket_name,
                "TIME_BUDGET_MS": str(time_budget.to_milliseconds()),
                **({"ALLOWED_ORIGINS": " ".join(allowed_origins)} if allowed_origins else {}),
            },
        )
        PersonalizeAccess(self, names=names).grant_get_recommendations(self.function)
        # Bucket.grant_read would also list the bucket
        self.function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject"], resources=[training_bucket.arn_for_objects(popular_key("*"))]
            )
        )
        version = self.function.current_version
        # A rollback moves the alias to an earlier version: a deployment must not delete it. But one of a
        # deployment that failed has to go: Lambda publishes the same code and settings only once, and the
        # next attempt at that deployment would fail for it
        version.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        self.alias = lambda_.Alias(
            self,
            "Alias",
            alias_name=ALIAS,
            version=version,
            provisioned_concurrent_executions=provisioned_concurrency,
        )
        self.guarded_api = GuardedApi(
            self,
            "Api",
            description=f"Recommendations of {names.prefix}",
            authorization=authorization,
            requests_per_second=requests_per_second,
            burst=burst,
            allowed_origins=allowed_origins,
            requests_per_address=requests_per_address,
        )
        self._define_routes()
        alarms = RecommendationsAlarms(
            self,
            "Alarms",
            environment=names.environment,
            function=self.function,
            guarded_api=self.guarded_api,
            time_budget=time_budget,
            placements=placements,
            on_call=on_call,
        )
        self.faults = alarms.faults
        self.bake_alarms: dict[Colour, list[cloudwatch.Alarm]] = alarms.of_colours
        self.experiment = Experiment(
            self, "Experiment", name=names.prefix, spread=experiment_spread, alarms=alarms.of_answers
        )
        self.experiment.open_to(self.function)

    def _define_routes(self) -> None:
        common = {"placement": True, "filter": False}
        several = {**common, "num_results": False}
        add = self.guarded_api.add
        add("GET", "recommendations/{user_id}", self.alias, query={**several, "item_id": False})
        add("GET", "similar/{item_id}", self.alias, query={**several, "user_id": False})
        ids = apigateway.JsonSchema(
            type=apigateway.JsonSchemaType.ARRAY,
            min_items=1,
            max_items=500,
            items=apigateway.JsonSchema(type=apigateway.JsonSchemaType.STRING, min_length=1, max_length=256),
        )
        add(
            "POST",
            "rankings/{user_id}",
            self.alias,
            query=common,
            body=apigateway.JsonSchema(
                type=apigateway.JsonSchemaType.OBJECT, required=["item_ids"], properties={"item_ids": ids}
            ),
        )
