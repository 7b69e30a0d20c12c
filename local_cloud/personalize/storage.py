"""Amazon S3 for Personalize alone: an S3 endpoint, or a folder that stands for one."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.personalize.region import AccessRefused, Storage


def storage_of(url: str) -> Storage:
    """
    :param url: of an S3 endpoint, `http://…` or `https://…`, or of a folder: `file:///…`, in which
        `s3://bucket/key` is the file `bucket/key`.
    :raises ValueError: for another.
    """
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.netloc:
        return S3Storage(url)
    if parts.scheme == "file" and not parts.netloc and parts.path:
        return FolderStorage(Path(unquote(parts.path)))
    raise ValueError(f"the S3 endpoint must be http://…, https://… or file:///…, got {url}")


@dataclass(frozen=True)
class FolderStorage:
    """No roles and no policies: every file in the folder may be read and written."""

    root: Path

    def read(
        self, location: str, *, role_arn: str, job_arn: str, recursive: bool = False
    ) -> Iterator[tuple[str, BinaryIO]]:
        """
        :raises AccessRefused: for a location outside the folder.
        """
        bucket, _, key = location.removeprefix("s3://").partition("/")
        top = self._path(bucket)
        if key and not key.endswith("/"):
            files = [self._path(bucket, key)]
        else:
            folder = self._path(bucket, key)
            files = sorted(folder.rglob("*") if recursive else folder.glob("*"))
        for file in files:
            if file.is_file():
                with file.open("rb") as content:
                    yield file.relative_to(top).as_posix(), content

    def write(self, location: str, content: bytes, *, role_arn: str, job_arn: str) -> None:
        """
        :raises AccessRefused: for a location outside the folder.
        """
        bucket, _, key = location.removeprefix("s3://").partition("/")
        file = self._path(bucket, key)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def _path(self, *parts: str) -> Path:
        path = self.root.joinpath(*parts).resolve()
        if not path.is_relative_to(self.root.resolve()) or any(part.startswith("/") for part in parts):
            raise AccessRefused(f"{path} is not in {self.root}")
        return path


class S3Storage:
    """With the credentials of the environment; the job's role is not assumed.

    :param endpoint: e.g. of MinIO, moto or MiniStack.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._making = threading.Lock()  # boto3 makes clients on one thread at a time

    def read(
        self, location: str, *, role_arn: str, job_arn: str, recursive: bool = False
    ) -> Iterator[tuple[str, BinaryIO]]:
        """
        :raises AccessRefused: when S3 refuses or does not answer.
        """
        bucket, _, key = location.removeprefix("s3://").partition("/")
        client = self._client()
        try:
            for name in _keys(client, bucket, key, recursive=recursive):
                # A file of our own: a reader that takes its time would have S3 wait, or give up
                with tempfile.TemporaryFile() as content:
                    shutil.copyfileobj(client.get_object(Bucket=bucket, Key=name)["Body"], content)
                    content.seek(0)
                    yield name, content
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return
            raise AccessRefused(str(error)) from error
        except BotoCoreError as error:
            raise AccessRefused(str(error)) from error
        finally:
            client.close()

    def write(self, location: str, content: bytes, *, role_arn: str, job_arn: str) -> None:
        """
        :raises AccessRefused: when S3 refuses or does not answer.
        """
        bucket, _, key = location.removeprefix("s3://").partition("/")
        client = self._client()
        try:
            client.put_object(Bucket=bucket, Key=key, Body=content)
        except (ClientError, BotoCoreError) as error:
            raise AccessRefused(str(error)) from error
        finally:
            client.close()

    def _client(self) -> Any:
        with self._making:
            session = boto3.Session()
            known = session.get_credentials() is not None
            keys = {} if known else {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
            return session.client(
                "s3",
                endpoint_url=self._endpoint,
                region_name=session.region_name or "us-east-1",
                config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}),
                **keys,
            )


def _keys(client: Any, bucket: str, key: str, *, recursive: bool) -> Iterator[str]:
    if key and not key.endswith("/"):
        yield key
        return
    level = {} if recursive else {"Delimiter": "/"}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key, **level):
        yield from (entry["Key"] for entry in page.get("Contents", ()) if entry["Key"] != key)
