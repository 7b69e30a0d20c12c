"""Amazon S3 as Personalize reads it: with the role of the job, and only where the bucket lets it."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from ministack.core.iam_evaluator import evaluate_resource_policy
from ministack.core.responses import request_scope
from ministack.services import s3

from local_cloud.ministack_job_roles import PRINCIPAL, JobRoles
from local_cloud.ministack_sessions import Session
from local_cloud.personalize.region import AccessRefused


class MiniStackStorage:
    """
    :param endpoint: of the cloud itself, which enforces the role's policies.
    """

    def __init__(self, *, account: str, region: str, endpoint: str) -> None:
        self._roles = JobRoles(account=account, region=region)
        self._endpoint = endpoint
        self._making = threading.Lock()  # boto3 makes clients on one thread at a time

    def read(
        self, location: str, *, role_arn: str, job_arn: str, recursive: bool = False
    ) -> Sequence[tuple[str, BinaryIO]]:
        """
        :raises AccessRefused: unless the role trusts Personalize, and its policies and the bucket's both
            allow s3:ListBucket and s3:GetObject.
        """
        bucket, _, key = location.removeprefix("s3://").partition("/")
        arn = f"arn:aws:s3:::{bucket}"
        self._check_bucket_policy(bucket, "s3:ListBucket", arn, job_arn=job_arn)
        client = self._client(self._roles.session(role_arn, job_arn=job_arn))
        try:
            objects: list[tuple[str, BinaryIO]] = []
            for name in _keys_at(client, bucket, key, recursive=recursive):
                self._check_bucket_policy(bucket, "s3:GetObject", f"{arn}/{name}", job_arn=job_arn)
                objects.append((name, io.BytesIO(client.get_object(Bucket=bucket, Key=name)["Body"].read())))
            return objects
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return []
            raise AccessRefused(str(error)) from error
        finally:
            client.close()

    def write(self, location: str, content: bytes, *, role_arn: str, job_arn: str) -> None:
        """
        :raises AccessRefused: unless the role trusts Personalize, and its policies and the bucket's both
            allow s3:PutObject.
        """
        bucket, _, key = location.removeprefix("s3://").partition("/")
        self._check_bucket_policy(bucket, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}", job_arn=job_arn)
        client = self._client(self._roles.session(role_arn, job_arn=job_arn))
        try:
            client.put_object(Bucket=bucket, Key=key, Body=content)
        except ClientError as error:
            raise AccessRefused(str(error)) from error
        finally:
            client.close()

    def _check_bucket_policy(self, bucket: str, action: str, resource: str, *, job_arn: str) -> None:
        with request_scope(self._roles.account, self._roles.region):
            found = s3.bucket_policy_for_arn(f"arn:aws:s3:::{bucket}")
        policy = found[0] if found else ""
        context = self._roles.as_personalize(action, resource, job_arn=job_arn)
        if evaluate_resource_policy(policy, context, service=PRINCIPAL).decision != "Allow":
            raise AccessRefused(f"the policy of {bucket} does not let {PRINCIPAL} {action} on {resource}")

    def _client(self, session: Session) -> Any:
        with self._making:
            return boto3.client(
                "s3",
                endpoint_url=self._endpoint,
                region_name=self._roles.region,
                **session.keys,
                config=Config(retries={"total_max_attempts": 2}),
            )


def _keys_at(client: Any, bucket: str, key: str, *, recursive: bool) -> Iterator[str]:
    """The key itself or, of a folder, those of its first level, or of all."""
    if key and not key.endswith("/"):
        yield key
        return
    level = {} if recursive else {"Delimiter": "/"}
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key, **level)
    for page in pages:
        for entry in page.get("Contents", ()):
            if entry["Key"] != key:
                yield entry["Key"]
