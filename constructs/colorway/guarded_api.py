"""A REST API as all of Colorway's are: known callers only, checked requests, a limit on how many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from colorway.firewall import Firewall
from vocabulary.metrics import NAMESPACE

_STAGE: Final = "v1"

_NOTHING: Final[Mapping[str, bool]] = MappingProxyType({})


class GuardedApi(Construct):
    """Define a REST API whose every method is authorized, validated, throttled and logged.

    Each has limits of its own, so that a flood at one cannot throttle another.

    :param authorization: `api-key` (header `x-api-key`) or `iam` (Signature Version 4, and callers
        that may `execute-api:Invoke`).
    :param requests_per_second: let through per second, of everybody and (with keys) of each key;
        `burst` above it. The rest is answered 429 by API Gateway.
    :param api_key: a key that opens this API too, or None to define one when keys are asked for.
    :param allowed_origins: of web pages that may ask from a browser, `https://…` or `*`. Only the
        preflight and refusals are answered here: the function has to name the origin in its answers.
    :param requests_per_address: from one address in five minutes, before a firewall blocks it; None
        for no firewall.
    :raises ValueError: for a key that nothing would ask for, or an authorization that does not exist.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        authorization: Literal["api-key", "iam"],
        requests_per_second: int,
        burst: int,
        api_key: apigateway.IApiKey | None = None,
        allowed_origins: Sequence[str] = (),
        requests_per_address: int | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        if authorization not in ("api-key", "iam"):
            raise ValueError(f"authorization must be api-key or iam, got {authorization!r}")
        if authorization == "iam" and api_key is not None:
            raise ValueError("api_key must be None when authorization is iam: nothing would ask for it")
        self._by_key = authorization == "api-key"
        # CloudWatch tells APIs apart by name alone: it must differ between environments
        self._name = cdk.Names.unique_resource_name(
            self, separator="-", allowed_special_characters="-", max_length=100
        )
        self.api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=self._name,
            description=description,
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            deploy_options=self._stage(requests_per_second, burst),
            # API Gateway writes access logs with one role per account and Region, and refuses the stage
            # while there is none. Shared: whoever deploys last sets it, and it stays when a stack goes.
            cloud_watch_role=True,
            cloud_watch_role_removal_policy=cdk.RemovalPolicy.RETAIN,
            default_cors_preflight_options=_preflight(allowed_origins) if allowed_origins else None,
        )
        if allowed_origins:
            self._let_pages_read_refusals()
        self._validator = self.api.add_request_validator(
            "Validator", validate_request_body=True, validate_request_parameters=True
        )
        if requests_per_address is not None:
            Firewall(
                self,
                "Firewall",
                stage=self.api.deployment_stage,
                name=self._name,
                requests_per_address=requests_per_address,
            )
        self.api_key = self._open_to(api_key, requests_per_second, burst) if self._by_key else None

    @property
    def url(self) -> str:
        """Where clients find it; ends in `/`."""
        return self.api.url

    def add(
        self,
        method: str,
        path: str,
        function: lambda_.IFunction,
        *,
        query: Mapping[str, bool] = _NOTHING,
        body: apigateway.JsonSchema | None = None,
    ) -> apigateway.Method:
        """Define a method that `function` answers.

        :param path: without a leading slash, parameters in braces, e.g. `recommendations/{user_id}`.
        :param query: query parameter to whether API Gateway refuses a request without it.
        :param body: what API Gateway holds bodies of type application/json to. It lets other content
            types through unchecked, so the function still has to look.
        """
        resource = self.api.root.resource_for_path(path)
        models: dict[str, apigateway.IModel] = {}
        if body is not None:
            models["application/json"] = apigateway.Model(
                resource,
                f"{method.title()}Body",
                rest_api=self.api,
                content_type="application/json",
                schema=body,
            )
        return resource.add_method(
            method,
            # The console's test button would need a right to invoke of its own
            apigateway.LambdaIntegration(function, allow_test_invoke=False),
            api_key_required=self._by_key,
            authorization_type=(
                apigateway.AuthorizationType.NONE if self._by_key else apigateway.AuthorizationType.IAM
            ),
            request_parameters={
                f"method.request.querystring.{name}": required for name, required in query.items()
            },
            request_models=models,
            request_validator=self._validator,
        )

    def metric_throttled(self, *, period: cdk.Duration = cdk.Duration.minutes(1)) -> cloudwatch.Metric:
        """How many requests were answered 429 (sum). API Gateway itself counts them among all other 4xx."""
        return cloudwatch.Metric(
            namespace=NAMESPACE, metric_name=f"Throttled {self._name}", statistic="Sum", period=period
        )

    def _let_pages_read_refusals(self) -> None:
        """To a browser a 403, 429 or 5xx of API Gateway's own, or the firewall's, is else no answer at all.

        What they say is the same for everybody, so any page may read it; the preflight tells pages apart.
        """
        for kind in (apigateway.ResponseType.DEFAULT_4_XX, apigateway.ResponseType.DEFAULT_5_XX):
            self.api.add_gateway_response(
                f"Pages{kind.response_type.removeprefix('DEFAULT_').title()}",
                type=kind,
                response_headers={"access-control-allow-origin": "'*'"},
            )

    def _stage(self, requests_per_second: int, burst: int) -> apigateway.StageOptions:
        access = logs.LogGroup(
            self,
            "AccessLogs",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        access.add_metric_filter(
            "Throttled",
            filter_pattern=logs.FilterPattern.string_value("$.status", "=", "429"),
            metric_namespace=NAMESPACE,
            metric_name=self.metric_throttled().metric_name,
            default_value=0,
        )
        field = apigateway.AccessLogField
        return apigateway.StageOptions(
            stage_name=_STAGE,
            throttling_rate_limit=requests_per_second,
            throttling_burst_limit=burst,
            access_log_destination=apigateway.LogGroupLogDestination(access),
            # The route with its braces, never the path: who asked is nobody's business here
            access_log_format=apigateway.AccessLogFormat.custom(
                "".join(
                    (
                        f'{{"request_id":"{field.context_request_id()}"',
                        f',"route":"{field.context_http_method()} {field.context_resource_path()}"',
                        f',"status":"{field.context_status()}"',
                        f',"latency_ms":"{field.context_response_latency()}"',
                        f',"function_ms":"{field.context_integration_latency()}"',
                        f',"refused":"{field.context_error_response_type()}"}}',
                    )
                )
            ),
            # Execution logs carry paths and headers, which name users
            logging_level=apigateway.MethodLoggingLevel.OFF,
            data_trace_enabled=False,
        )

    def _open_to(
        self, api_key: apigateway.IApiKey | None, requests_per_second: int, burst: int
    ) -> apigateway.IApiKey:
        key = api_key or apigateway.ApiKey(self, "Key", description="Opens Colorway's APIs")
        plan = apigateway.UsagePlan(
            self,
            "UsagePlan",
            throttle=apigateway.ThrottleSettings(rate_limit=requests_per_second, burst_limit=burst),
            api_stages=[apigateway.UsagePlanPerApiStage(api=self.api, stage=self.api.deployment_stage)],
        )
        plan.add_api_key(key)
        return key


def _preflight(allowed_origins: Sequence[str]) -> apigateway.CorsOptions:
    return apigateway.CorsOptions(
        allow_origins=list(allowed_origins),
        allow_methods=["GET", "POST", "OPTIONS"],
        # What signs requests in a browser, besides the key and the content's type
        allow_headers=["content-type", "x-api-key", "authorization", "x-amz-date", "x-amz-security-token"],
        max_age=cdk.Duration.hours(1),
    )
