from __future__ import annotations

import json
import uuid

from local_cloud.connection import Connection
from tests.story.deployment import until


def test_a_stack_is_not_deleted_while_its_bucket_holds_anything(cloud: Connection) -> None:
    cloudformation, s3 = cloud.client("cloudformation"), cloud.client("s3")
    name = f"holds-{uuid.uuid4().hex[:8]}"
    versioned = {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}}
    template = {"Resources": {"Bucket": versioned}}
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))

    def status() -> str:
        stacks = cloudformation.describe_stacks(StackName=arn)["Stacks"]
        return str(stacks[0]["StackStatus"])

    arn = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    until(lambda: status() == "CREATE_COMPLETE", "it is created")
    (resource,) = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    bucket = resource["PhysicalResourceId"]
    s3.put_object(Bucket=bucket, Key="a", Body=b"a")
    s3.delete_object(Bucket=bucket, Key="a")  # its version is still there

    cloudformation.delete_stack(StackName=arn)
    until(lambda: status() == "DELETE_FAILED", "it is not deleted")
    assert bucket in [each["Name"] for each in s3.list_buckets()["Buckets"]]

    versions = s3.list_object_versions(Bucket=bucket)
    for each in (*versions["Versions"], *versions["DeleteMarkers"]):
        s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
    cloudformation.delete_stack(StackName=arn)
    until(lambda: status() == "DELETE_COMPLETE", "it is deleted")
    assert bucket not in [each["Name"] for each in s3.list_buckets()["Buckets"]]
