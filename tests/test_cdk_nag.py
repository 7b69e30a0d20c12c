"""cdk-nag's AwsSolutions pack over the environments on AWS: each finding is acknowledged, with a reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
import pytest
from cdk_nag import AwsSolutionsChecks

from app import define
from stacks.environment import DEV, PROD, Environment

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Acknowledged:
    """Findings that are as they should be.

    :param rule: all of its name, as a regular expression.
    :param where: begins or ends the construct's path, after the stack, as a regular expression.
    """

    rule: str
    where: str
    reason: str

    def covers(self, finding: tuple[str, str]) -> bool:
        rule, path = finding
        return bool(
            re.fullmatch(f"AwsSolutions-{self.rule}", rule) and re.search(self.where, path.partition("/")[2])
        )


_PERSONALIZE = "(campaign|dataset-group|dataset-import-job|dataset|data-deletion-job|filter|schema|solution)"

ACKNOWLEDGED = (
    Acknowledged(
        "S1",
        "^(Lake|Training)/Bucket/",
        "Server access logs would need a third bucket; who reads these two is in CloudTrail's data events, "
        "which an account that must know turns on for all its buckets.",
    ),
    Acknowledged(
        "APIG3",
        "DeploymentStage",
        "A firewall costs a fixed sum: requests_per_address brings one for recommendations, in PROD. "
        "Events are taken from the shop's own systems, each behind the API's limits.",
    ),
    Acknowledged(
        "APIG4", "/Api/Default/", "DEV's methods ask for an API key, PROD's for Signature Version 4."
    ),
    Acknowledged(
        "APIG6",
        "DeploymentStage",
        "Execution logs carry paths and headers, which name users. The access log names the route only.",
    ),
    Acknowledged("COG4", "/Api/Default/", "Callers are the shop's systems, not people with an account here."),
    Acknowledged(
        "IAM4.*AWSLambdaBasicExecutionRole.*",
        "Role/Resource$",
        "Three actions on logs, and what everybody expects of a function's role.",
    ),
    Acknowledged(
        "IAM4.*AmazonAPIGatewayPushToCloudWatchLogs.*",
        "CloudWatchRole/",
        "The policy that API Gateway asks for: one role serves all of an account's APIs.",
    ),
    Acknowledged(
        f"IAM5.*:personalize:.*:{_PERSONALIZE}/colorway-\\w+-\\*\\]",
        "",
        "What belongs to a colour is made at night: its names are not known before, the prefix is.",
    ),
    Acknowledged(
        r"IAM5.*:personalize:.*:event-tracker/\*\]",
        "^(Personalize|Functions|Retraining|Purge)/",
        "Personalize gives an event tracker an id of its own, so that its ARN has no name to narrow it by.",
    ),
    Acknowledged(
        r"IAM5.*:personalize:.*:metric-attribution/\*\]",
        "^(Functions/Retire|Purge)/",
        "Somebody's own, of whatever name: only those of a colour's dataset group are listed and deleted.",
    ),
    Acknowledged(
        r"IAM5\[Resource::\*\]",
        "^(Clickstream/Forwarder|Redrive|Personalize|Functions/Retire|Retraining|Purge|"
        "Recommendations/Experiment)/",
        "Actions that know no resource: Personalize's List calls and PutEvents, X-Ray, deliveries of logs, "
        "and what AppConfig asks of an alarm.",
    ),
    Acknowledged(
        r"IAM5\[Resource::(<Functions\w+\.Arn>|<TrainingData\w+\.Arn>|<LakeCompaction\w+\.Arn>|.*Function\w+Arn\w+):\*\]",
        "Policy/Resource$",
        "The versions and aliases of one function.",
    ),
    Acknowledged(
        r"IAM5\[Resource::.*Bucket\w+(\.Arn>)?/(events|events-undelivered|events-unreadable|exposures|"
        r"exposures-undelivered|catalogue/items|"
        r"catalogue/users|runs|erasures|popular)/\*(\.json)?\]",
        "Policy/Resource$",
        "The objects of one folder of one bucket.",
    ),
    Acknowledged(
        r"IAM5\[Resource::<\w+Bucket\w+\.Arn>/\*\]",
        "^BucketEmptying/",
        "Every object of two buckets: they are emptied because they go.",
    ),
    Acknowledged(
        r"IAM5\[Resource::arn:aws:appconfig:.*/hostedconfigurationversion/\*\]",
        "^(Erasure|HostedVersions)/",
        "Every version of one configuration: whoever is erased may have been part of any, and all "
        "go with their stack.",
    ),
    Acknowledged(
        r"IAM5\[Resource::arn:aws:states:.*:execution:.*\]",
        "^(Retraining/AskWhoRuns|Functions/Plan|Purge)/",
        "The executions of our own state machines.",
    ),
    Acknowledged(
        r"IAM5\[Resource::arn:aws:cloudformation:.*:stack/colorway-\w+-serving/\*\]",
        "^Functions/Flip/",
        "One stack: what follows its name is the id that CloudFormation gave it.",
    ),
    Acknowledged(
        "KDF1",
        "LakeDelivery/Default/DeliveryStream$",
        "Its source is a stream that is encrypted; the rule knows direct puts only.",
    ),
    Acknowledged(
        "L1",
        "/(Function|Starter|Collector|Forwarder|Plan|Projection|Training|Flip|Retire)/Resource$",
        "Python 3.13 is what the tests run on; a newer runtime is one setting, once they do.",
    ),
    Acknowledged(
        "SF1",
        "^Retraining/",
        "Errors are logged. All events would put counts and names of every night into logs that "
        "GetExecutionHistory keeps for 90 days anyway.",
    ),
    Acknowledged("SQS3", "FailureQueue/", "It is where others put what they fail on: nobody consumes it."),
)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """Rule and construct of everything that is found in DEV and PROD."""
    return {
        finding
        for environment in (DEV, PROD)
        for finding in _find(environment, tmp_path_factory.mktemp(environment.name))
    }


def _find(environment: Environment, into: Path) -> Iterator[tuple[str, str]]:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = cdk.App(context={**context, "aws:cdk:bundling-stacks": []}, outdir=str(into))
    define(app, environment)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with pytest.raises(RuntimeError, match="Validation"):
        app.synth()
    (report,) = json.loads((into / "validation-report.json").read_text())["pluginReports"]
    assert report["pluginName"] == "AwsSolutions"
    for violation in report["violations"]:
        for construct in violation["violatingConstructs"]:
            yield violation["ruleName"], construct["constructPath"]


def test_nothing_is_found_that_is_not_acknowledged(both: set[tuple[str, str]]) -> None:
    assert len(both) > 100
    assert [each for each in sorted(both) if not any(known.covers(each) for known in ACKNOWLEDGED)] == []


def test_nothing_is_acknowledged_that_is_not_found(both: set[tuple[str, str]]) -> None:
    unused = [known for known in ACKNOWLEDGED if not any(known.covers(each) for each in both)]
    assert [known.rule for known in unused] == []
