from __future__ import annotations

import json
from collections.abc import Mapping

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from colorway.python_function import PythonFunction


def define(stack: cdk.Stack, environment: Mapping[str, str]) -> PythonFunction:
    return PythonFunction(
        stack,
        "Plan",
        handler="retraining.plan_handler.handle",
        runtime=lambda_.Runtime.PYTHON_3_13,
        architecture=lambda_.Architecture.ARM_64,
        description="a test",
        environment=environment,
    )


@pytest.mark.parametrize("text", ['{"a": "b\\n"}', "ümläut", "plain"])
def test_variables_have_the_4_kb_of_lambda_which_counts_quotes_and_what_escapes_them(
    cdk_app: cdk.App, text: str
) -> None:
    variables = {"PLACEMENTS": text, "OTHER": ""}
    spare = 4096 - len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())
    define(cdk.Stack(cdk_app, "Fits"), {**variables, "OTHER": "x" * spare})
    with pytest.raises(
        ValueError, match=r"environment of TooMany/Plan takes 4097 bytes, allowed: 4096 .*: OTHER of"
    ):
        define(cdk.Stack(cdk_app, "TooMany"), {**variables, "OTHER": "x" * (spare + 1)})


def test_what_only_cloudformation_knows_counts_as_long_as_it_gets(cdk_app: cdk.App) -> None:
    elsewhere = s3.Bucket(cdk.Stack(cdk_app, "AnotherStack"), "BucketOfAnotherStack")
    stack = cdk.Stack(cdk_app, "Stack")
    told = {"ARN": s3.Bucket(stack, "Bucket").bucket_arn, "NAME": elsewhere.bucket_name, "IN": stack.region}
    real = {
        "ARN": "arn:aws:s3:::stack-bucket83908e77-abcdefghijkl",
        "NAME": "anotherstack-bucketofanotherstack83908e77-abcdefghijkl",
        "IN": "ap-southeast-1",
    }
    room = 4096 - sum(len(name) + len(value) for name, value in real.items())
    with pytest.raises(ValueError, match="allowed: 4096"):
        define(stack, {**told, "OTHER": "x" * room})
    define(stack, {**told, "OTHER": "x" * (room - 200)})
