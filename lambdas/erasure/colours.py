"""Takes a user out of the colours: a data deletion job for each dataset group that exists.

Personalize works on such a job for up to a day, and removes the user from the
datasets and from what its models learn (developer guide, "Deleting users").
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from vocabulary.colours import COLOURS, Names, personalize_arn
from vocabulary.lake import erasure_folder


@dataclass(frozen=True)
class Deployment:
    """Where the colours are.

    :param role_arn: Personalize reads the list of users with it.
    :param bucket: that the list is put into.
    """

    names: Names
    partition: str
    region: str
    account: str
    role_arn: str
    bucket: str


def delete_from_colours(
    personalize: Any, s3: Any, deployment: Deployment, user_id: str, erasure_id: str
) -> list[dict[str, str | None]]:
    """Begin a job for each colour; answer `{colour, job, problem}`, one of the latter two None.

    :param erasure_id: letters, digits and '-'; names the jobs, so that a step tried again begins no second.
    """
    key = f"{erasure_folder(erasure_id)}users.csv"
    s3.put_object(Bucket=deployment.bucket, Key=key, Body=_csv(user_id))
    answers: list[dict[str, str | None]] = []
    for colour in COLOURS:
        group = personalize_arn(
            deployment.partition,
            deployment.region,
            deployment.account,
            "dataset-group",
            deployment.names.dataset_group(colour),
        )
        job: str | None = None
        problem: str | None = None
        name = f"{deployment.names.dataset_group(colour)}-{erasure_id}"
        try:
            job = personalize.create_data_deletion_job(
                jobName=name,
                datasetGroupArn=group,
                dataSource={"dataLocation": f"s3://{deployment.bucket}/{key}"},
                roleArn=deployment.role_arn,
            )["dataDeletionJobArn"]
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ResourceNotFoundException":
                continue  # the colour does not exist, or holds nothing yet
            if code == "ResourceAlreadyExistsException":  # by an attempt whose answer was lost
                job = personalize_arn(
                    deployment.partition, deployment.region, deployment.account, "data-deletion-job", name
                )
            else:
                problem = f"{code}: {error.response['Error'].get('Message', '')}"
        answers.append({"colour": colour, "job": job, "problem": problem})
    return answers


def _csv(user_id: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", escapechar="\\", doublequote=False)
    writer.writerows([["USER_ID"], [user_id]])
    return text.getvalue().encode()
