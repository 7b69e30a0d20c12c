"""The serving stack in a local cloud, over campaigns that were trained on a small catalogue."""

from __future__ import annotations

import http.client
import json
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from local_cloud.connection import Connection
from local_cloud.deployment import Deployment
from local_cloud.live_api import local_url
from tests.story.serving.app import ENVIRONMENT
from vocabulary.schemas import INTERACTIONS_SCHEMA, ITEMS_SCHEMA

PROJECT: Final = Path(__file__).resolve().parents[3]
BRANDS: Final = ("aero", "bolt", "crest")
SALT: Final = "the salt of a test of serving"
SHARES: Final = {"exempt": 4000, "control": 3000, "treatment": 3000}


def brand_of(item_id: str) -> str:
    return BRANDS[int(item_id[1:]) % 3]


class Served:
    """Deployed, with maize live and an experiment running.

    :param folder: for the project's app and its templates.
    """

    def __init__(self, cloud: Connection, folder: Path) -> None:
        self.cloud = cloud
        root = folder / "project"
        root.mkdir()
        shutil.copy(Path(__file__).parent / "app.py", root)
        shutil.copy(PROJECT / "cdk.json", root)
        for sources in ("constructs", "lambdas", "stacks"):
            (root / sources).symlink_to(PROJECT / sources)
        deployment = Deployment(cloud, root=root, state=folder)
        deployment.bootstrap()
        deployment.deploy("colorway-serving-data")
        names = ENVIRONMENT.names
        cloud.client("ssm").put_parameter(Name=names.live_pointer, Value="maize", Overwrite=True)
        data = deployment.outputs()["colorway-serving-data"]
        self.bucket, self.lake_bucket = data["TrainingBucketName"], data["LakeBucketName"]
        self.pages, self.notices = data["OnCallTopicArn"], data["NoticesTopicArn"]
        self._train()
        deployment.deploy("colorway-serving-serving", synthesise=False)
        self.outputs = deployment.outputs()["colorway-serving-serving"]
        self.experiment({"enabled": True, "salt": SALT, "allocation": SHARES})
        self.url = local_url(cloud, self.outputs["RecommendationsUrl"])
        deployment.deploy("colorway-serving-events", synthesise=False)
        events = deployment.outputs()["colorway-serving-events"]
        self.events_url = local_url(cloud, events["EventsUrl"])
        keys = cloud.client("apigateway")
        self.key = keys.get_api_key(apiKey=self.outputs["ApiKeyId"], includeValue=True)["value"]

    def experiment(self, configuration: dict[str, Any]) -> None:
        """Deploy a configuration, as docs/operations.md says."""
        appconfig = self.cloud.client("appconfig")
        application, environment, profile = self.outputs["Experiment"].split("/")
        version = appconfig.create_hosted_configuration_version(
            ApplicationId=application,
            ConfigurationProfileId=profile,
            Content=json.dumps(configuration).encode(),
            ContentType="application/json",
        )["VersionNumber"]
        appconfig.start_deployment(
            ApplicationId=application,
            EnvironmentId=environment,
            DeploymentStrategyId=self.outputs["ExperimentStrategy"],
            ConfigurationProfileId=profile,
            ConfigurationVersion=str(version),
        )

    def ask(
        self,
        target: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        key: str | None = "",
        headers: Mapping[str, str] | None = None,
        url: str | None = None,
    ) -> tuple[int, Mapping[str, str], Any]:
        """Send a request as it stands, nothing escaped or mended; answers status, headers and JSON or text.

        :param target: path and query below the stage, as sent.
        :param key: of the API; None sends none.
        :param url: of another API than that of recommendations.
        """
        parts = urlsplit(url or self.url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
        sent = {**({} if key is None else {"x-api-key": key or self.key}), **(headers or {})}
        if body is not None:
            sent.setdefault("content-type", "application/json")
        try:
            connection.request(method, parts.path.rstrip("/") + target, body, sent)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        told = {name.lower(): value for name, value in answer.getheaders()}
        try:
            return answer.status, told, json.loads(text)
        except ValueError:
            return answer.status, told, text

    def _train(self) -> None:
        """By hand what a retraining does: three campaigns and two filters over 60 users and 45 items."""
        s3, personalize = self.cloud.client("s3"), self.cloud.client("personalize")
        prefix = f"{ENVIRONMENT.names.prefix}-maize"
        rows = ["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE"]
        for n in range(1800):
            item = (n % 60 % 3 + 3 * (n * 7 // 60 % 15)) % 45
            kind = "purchase" if n % 7 == 0 else "view"
            rows.append(f"u{n % 60},i{item},{1_790_000_000 + n},{kind},")
        columns = [field["name"] for field in json.loads(ITEMS_SCHEMA)["fields"]]
        items = [",".join(columns)]
        for n in range(45):
            known = {"ITEM_ID": f"i{n}", "BRAND": brand_of(f"i{n}")}
            items.append(",".join(known.get(column, "") for column in columns))
        for kind, lines in (("interactions", rows), ("items", items)):
            s3.put_object(
                Bucket=self.bucket, Key=f"runs/hand/{kind}/data.csv", Body="\n".join(lines).encode()
            )
        for placement in ENVIRONMENT.placements:
            popular = {"items": [{"item_id": f"i{n}", "count": 45 - n} for n in range(45)]}
            s3.put_object(
                Bucket=self.bucket, Key=f"popular/{placement.name}.json", Body=json.dumps(popular).encode()
            )
        group = personalize.create_dataset_group(name=prefix)["datasetGroupArn"]
        self._active(lambda: personalize.describe_dataset_group(datasetGroupArn=group)["datasetGroup"])
        role = next(
            each["Arn"]
            for each in self.cloud.client("iam").list_roles()["Roles"]
            if "ImportRole" in each["RoleName"] and "serving" in each["RoleName"]
        )
        for kind, schema in (("interactions", INTERACTIONS_SCHEMA), ("items", ITEMS_SCHEMA)):
            schema_arn = personalize.create_schema(name=f"{prefix}-{kind}", schema=schema)["schemaArn"]
            dataset = personalize.create_dataset(
                name=f"{prefix}-{kind}", schemaArn=schema_arn, datasetGroupArn=group, datasetType=kind
            )["datasetArn"]
            self._active(lambda arn=dataset: personalize.describe_dataset(datasetArn=arn)["dataset"])  # type: ignore[misc]
            job = personalize.create_dataset_import_job(
                jobName=f"{prefix}-{kind}",
                datasetArn=dataset,
                dataSource={"dataLocation": f"s3://{self.bucket}/runs/hand/{kind}/"},
                roleArn=role,
            )["datasetImportJobArn"]
            self._active(
                lambda arn=job: personalize.describe_dataset_import_job(datasetImportJobArn=arn)[  # type: ignore[misc]
                    "datasetImportJob"
                ]
            )
        for placement in ENVIRONMENT.placements:
            name = f"{prefix}-{placement.name}"
            solution = personalize.create_solution(
                name=name,
                datasetGroupArn=group,
                recipeArn=placement.recipe_arn("aws"),
                performAutoTraining=False,
            )["solutionArn"]
            self._active(lambda arn=solution: personalize.describe_solution(solutionArn=arn)["solution"])  # type: ignore[misc]
            version = personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
            self._active(
                lambda arn=version: personalize.describe_solution_version(solutionVersionArn=arn)[  # type: ignore[misc]
                    "solutionVersion"
                ]
            )
            campaign = personalize.create_campaign(
                name=name, solutionVersionArn=version, minProvisionedTPS=1
            )["campaignArn"]
            self._active(lambda arn=campaign: personalize.describe_campaign(campaignArn=arn)["campaign"])  # type: ignore[misc]
            for filter_name, expression in placement.filters.items():
                made = personalize.create_filter(
                    name=f"{name}-{filter_name}", datasetGroupArn=group, filterExpression=expression
                )["filterArn"]
                self._active(lambda arn=made: personalize.describe_filter(filterArn=arn)["filter"])  # type: ignore[misc]

    @staticmethod
    def _active(describe: Callable[[], Any], within: float = 60) -> None:
        deadline = time.monotonic() + within
        while (found := describe())["status"] != "ACTIVE":
            assert "FAILED" not in found["status"], found
            assert time.monotonic() < deadline, f"not ACTIVE within {within:.0f} s: {found}"
            time.sleep(0.05)
