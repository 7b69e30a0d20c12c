"""A comparison from the training data of the last run to its table and its file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from costs.estimate import training as training_costs
from costs.prices import Prices
from local_cloud.connection import LocalCloudError
from local_cloud.recipes_compared.building import Building, Trained
from local_cloud.recipes_compared.variants import VARIANTS, Group, Variant, datasets_of
from vocabulary.lake import LAST_GOOD_REPORT_KEY, dataset_folder
from vocabulary.schemas import DatasetKind

METRICS: Final = (
    "normalized_discounted_cumulative_gain_at_10",
    "mean_reciprocal_rank_at_25",
    "precision_at_10",
    "coverage",
)
_SAMPLE: Final = 20
_LISTED: Final = 10
_KINDS: Final[tuple[DatasetKind, ...]] = ("interactions", "items", "users")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One comparison.

    :param client: a boto3 client of a service by its name.
    :param bucket: the training bucket.
    :param prefix: of the deployment's names.
    """

    client: Callable[[str], Any]
    bucket: str
    prefix: str
    poll: float
    progress: Callable[[str], None]

    def run(self, save: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Compare; answers `run_id`, `interactions`, `variants` and `customers`, all of it plain JSON.

        :param save: gets the answer before anything is taken away: what was paid for is not lost with it.
        :raises LocalCloudError: when there are no training data yet, or a training fails.
        """
        report = self._last_good()
        run_id, personalize = report["run_id"], self.client("personalize")
        there = [kind for kind in _KINDS if self._has(run_id, kind)]
        if "interactions" not in there:
            raise LocalCloudError(f"the training data of run {run_id} are gone: retrain, then compare")
        schemas, role_arn = self._schemas(personalize), self._role(personalize)
        partition = role_arn.split(":")[1]
        build = Building(personalize, f"{self.prefix}-compare", partition, self.poll, self.progress)
        variants = [each for each in VARIANTS if not each.metadata or len(there) > 1]
        sample = self._sample(run_id)
        build.remove()  # what a comparison that was cut off has left
        try:
            groups: dict[Group, str] = {
                group: build.group(
                    group,
                    datasets_of(group, there),
                    schemas=schemas,
                    role_arn=role_arn,
                    location=lambda kind: f"s3://{self.bucket}/{dataset_folder(run_id, kind)}",
                )
                for group in dict.fromkeys(variant.group for variant in variants)
            }
            trained = build.train(groups, variants)
            campaigns = build.campaigns(trained, variants)
            count = report["interactions"]["rows_out"]
            compared = {
                "made": datetime.now(UTC).isoformat(timespec="seconds"),
                "run_id": run_id,
                "interactions": count,
                "variants": [_told(variant, trained[variant.name], count) for variant in variants],
                "customers": self._lists(sample, campaigns),
            }
            save(compared)
            return compared
        finally:
            build.remove()

    def _last_good(self) -> dict[str, Any]:
        s3 = self.client("s3")
        try:
            body = s3.get_object(Bucket=self.bucket, Key=LAST_GOOD_REPORT_KEY)["Body"].read()
        except s3.exceptions.NoSuchKey:
            raise LocalCloudError(
                "no retraining has come through yet: there is nothing to compare on"
            ) from None
        report: dict[str, Any] = json.loads(body)
        return report

    def _has(self, run_id: str, kind: DatasetKind) -> bool:
        folder = dataset_folder(run_id, kind)
        found = self.client("s3").list_objects_v2(Bucket=self.bucket, Prefix=folder, MaxKeys=1)
        return bool(found.get("Contents"))

    def _schemas(self, personalize: Any) -> dict[DatasetKind, str]:
        """The deployment's newest schema of each kind."""
        found: dict[DatasetKind, tuple[Any, str]] = {}
        for page in personalize.get_paginator("list_schemas").paginate():
            for schema in page["schemas"]:
                for kind in _KINDS:
                    made = (schema["creationDateTime"], schema["schemaArn"])
                    if schema["name"].startswith(f"{self.prefix}-{kind}-"):
                        found[kind] = max(found.get(kind, made), made)
        return {kind: arn for kind, (_, arn) in found.items()}

    def _role(self, personalize: Any) -> str:
        """The role that the deployment's own imports read with."""
        for page in personalize.get_paginator("list_dataset_import_jobs").paginate():
            for job in page["datasetImportJobs"]:
                if job["jobName"].startswith(f"{self.prefix}-"):
                    arn = job["datasetImportJobArn"]
                    told = personalize.describe_dataset_import_job(datasetImportJobArn=arn)
                    return str(told["datasetImportJob"]["roleArn"])
        raise LocalCloudError("no import of a retraining is there to take the role of: retrain, then compare")

    def _sample(self, run_id: str) -> list[dict[str, Any]]:
        """The same customers every time, with what they touched last: of those with five touches or more."""
        s3 = self.client("s3")
        with tempfile.TemporaryDirectory(prefix="colorway-compare-") as name, duckdb.connect() as connection:
            folder = dataset_folder(run_id, "interactions")
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=folder):
                for number, found in enumerate(page.get("Contents", ())):
                    s3.download_file(self.bucket, found["Key"], str(Path(name) / f"{number}.csv"))
            connection.execute(
                f"CREATE VIEW touched AS SELECT * FROM read_csv('{name}/*.csv', header = true, quote = '\"',"
                " escape = '\\', nullstr = '', all_varchar = true)"
            )
            rows = connection.execute(
                "SELECT USER_ID FROM touched GROUP BY USER_ID HAVING count(*) BETWEEN 5 AND 500"
                f" ORDER BY md5(USER_ID) LIMIT {_SAMPLE}"
            ).fetchall()
            return [
                {
                    "user_id": user,
                    "touched": [
                        item
                        for (item,) in connection.execute(
                            "SELECT ITEM_ID FROM touched WHERE USER_ID = ?"
                            " ORDER BY CAST(TIMESTAMP AS BIGINT) DESC, ITEM_ID LIMIT 10",
                            [user],
                        ).fetchall()
                    ],
                }
                for (user,) in rows
            ]

    def _lists(
        self, sample: Sequence[Mapping[str, Any]], campaigns: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        runtime = self.client("personalize-runtime")
        return [
            {
                **customer,
                "lists": {
                    name: [
                        item["itemId"]
                        for item in runtime.get_recommendations(
                            campaignArn=arn, userId=customer["user_id"], numResults=_LISTED
                        )["itemList"]
                    ]
                    for name, arn in campaigns.items()
                },
            }
            for customer in sample
        ]


def _told(variant: Variant, trained: Trained, interactions: int) -> dict[str, Any]:
    prices = Prices.of("us-east-1")
    return {
        "name": variant.name,
        "says": variant.says,
        "recipe": variant.recipe,
        "metrics": {name: trained.metrics.get(name) for name in METRICS},
        "seconds": round(trained.seconds, 1),
        "training_hours": trained.training_hours,
        "estimated_cost_usd": round(training_costs(prices, variant.placement, interactions), 2),
    }


def table(compared: Mapping[str, Any]) -> list[str]:
    """The comparison as a person reads it."""
    heads = ("NDCG@10", "MRR@25", "prec@10", "coverage", "took", "on AWS")
    lines = [f"  {'variant':<18}" + "".join(f"{head:>11}" for head in heads), ""]
    for each in compared["variants"]:
        metrics = [each["metrics"][name] for name in METRICS]
        cells = ["–" if value is None else f"{value:.4f}" for value in metrics]
        cells += [f"{each['seconds']:,.1f} s", f"{each['estimated_cost_usd']:.2f} USD"]
        lines.append(f"  {each['name']:<18}" + "".join(f"{cell:>11}" for cell in cells))
        lines.append(f"  {'':<4}{each['says']}")
    return lines
