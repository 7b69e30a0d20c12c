"""Dataset groups of a comparison: made, trained, and taken away again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_cloud.connection import LocalCloudError
from local_cloud.recipes_compared.variants import Group, Variant
from vocabulary.schemas import DatasetKind


@dataclass(frozen=True)
class Trained:
    """A model: its version's ARN, its offline metrics, how long it took, and the hours that are billed."""

    version_arn: str
    metrics: dict[str, float]
    seconds: float
    training_hours: float


@dataclass(frozen=True)
class Building:
    """Makes and removes what a comparison needs.

    :param personalize: a boto3 client.
    :param prefix: of the names of everything that is made, and of nothing else.
    :param partition: of ARNs.
    :param poll: seconds between looks.
    :param progress: told in words what is being waited for.
    """

    personalize: Any
    prefix: str
    partition: str
    poll: float
    progress: Callable[[str], None]

    def group(
        self,
        group: Group,
        datasets: Sequence[DatasetKind],
        *,
        schemas: Mapping[DatasetKind, str],
        role_arn: str,
        location: Callable[[DatasetKind], str],
    ) -> str:
        """A dataset group with its data imported; answers its ARN.

        :param location: S3 folder of a kind's CSV files.
        :raises LocalCloudError: when the Region's quota has no room for it, or an import fails.
        """
        client, name = self.personalize, f"{self.prefix}-{group}"
        try:
            arn: str = client.create_dataset_group(name=name)["datasetGroupArn"]
        except client.exceptions.LimitExceededException as error:
            raise LocalCloudError(
                f"{name}: {error}. A comparison needs two dataset groups beside those that are there: delete "
                "what is not needed, or ask for more (Service Quotas, Amazon Personalize)"
            ) from None
        self._active("dataset_group", arn)
        jobs = []
        for kind in datasets:
            dataset = client.create_dataset(
                name=f"{name}-{kind}", datasetType=kind, schemaArn=schemas[kind], datasetGroupArn=arn
            )["datasetArn"]
            self._active("dataset", dataset)
            jobs.append(
                client.create_dataset_import_job(
                    jobName=f"{name}-{kind}-{int(time.time())}",
                    datasetArn=dataset,
                    dataSource={"dataLocation": location(kind)},
                    roleArn=role_arn,
                )["datasetImportJobArn"]
            )
        for job in jobs:
            self._active("dataset_import_job", job)
        return arn

    def train(self, group_arns: Mapping[Group, str], variants: Sequence[Variant]) -> dict[str, Trained]:
        """Train each variant's model, side by side; answers by the variant's name."""
        client = self.personalize
        versions: dict[tuple[Group, str], str] = {}
        for variant in variants:
            if (variant.group, variant.model) in versions:
                continue
            solution = client.create_solution(
                name=f"{self.prefix}-{variant.group}-{variant.model}",
                datasetGroupArn=group_arns[variant.group],
                recipeArn=variant.placement.recipe_arn(self.partition),
                performAutoTraining=False,
            )["solutionArn"]
            self._active("solution", solution)
            version = client.create_solution_version(solutionArn=solution, trainingMode="FULL")
            versions[variant.group, variant.model] = version["solutionVersionArn"]
        trained = {key: self._trained(arn) for key, arn in versions.items()}
        return {variant.name: trained[variant.group, variant.model] for variant in variants}

    def campaigns(self, trained: Mapping[str, Trained], variants: Sequence[Variant]) -> dict[str, str]:
        """A campaign over each variant's model; answers ARNs by the variant's name."""
        arns = {
            variant.name: self.personalize.create_campaign(
                name=f"{self.prefix}-{variant.name}",
                solutionVersionArn=trained[variant.name].version_arn,
                minProvisionedTPS=1,
                **(
                    {"campaignConfig": {"itemExplorationConfig": variant.exploration}}
                    if variant.exploration
                    else {}
                ),
            )["campaignArn"]
            for variant in variants
        }
        for arn in arns.values():
            self._active("campaign", arn)
        return arns

    def remove(self) -> None:
        """Take away everything of the prefix, also what an earlier comparison may have left."""
        for group in self._of_prefix("dataset_groups", {}):
            of_group = {"datasetGroupArn": group}
            solutions = [*self._list("solutions", of_group)]
            for solution in solutions:
                of_solution = {"solutionArn": solution["solutionArn"]}
                self._stop_versions(of_solution)
                self._delete(
                    "campaign", [each["campaignArn"] for each in self._list("campaigns", of_solution)]
                )
            self._delete("solution", [each["solutionArn"] for each in solutions])
            datasets = [each["datasetArn"] for each in self._list("datasets", of_group)]
            for dataset in datasets:
                self._await_imports(dataset)  # nothing stops one, and until it ends its dataset stays
            self._delete("dataset", datasets)
            self._delete("dataset_group", [group])

    def _trained(self, version_arn: str) -> Trained:
        began = time.monotonic()
        told = self._active("solution_version", version_arn)
        metrics = self.personalize.get_solution_metrics(solutionVersionArn=version_arn)["metrics"]
        lasted = (told["lastUpdatedDateTime"] - told["creationDateTime"]).total_seconds()
        seconds = lasted or time.monotonic() - began
        return Trained(version_arn, metrics, seconds, float(told.get("trainingHours", 0)))

    def _active(self, kind: str, arn: str) -> dict[str, Any]:
        """Wait until something is ACTIVE.

        :raises LocalCloudError: when it fails, with Personalize's reason.
        """
        while True:
            told = self._describe(kind, arn)
            status = told["status"]
            if status == "ACTIVE":
                return told
            if "FAILED" in status or "STOP" in status:
                raise LocalCloudError(f"{arn}: {status}: {told.get('failureReason', 'no reason given')}")
            self.progress(f"{arn.partition(':')[2].rpartition(':')[2]}: {status.lower()}")
            time.sleep(self.poll)

    def _describe(self, kind: str, arn: str) -> dict[str, Any]:
        answer = getattr(self.personalize, f"describe_{kind}")(**{_argument(kind): arn})
        told: dict[str, Any] = answer[_argument(kind).removesuffix("Arn")]
        return told

    def _stop_versions(self, of_solution: Mapping[str, str]) -> None:
        for version in self._list("solution_versions", of_solution):
            arn = version["solutionVersionArn"]
            if version["status"] in ("CREATE PENDING", "CREATE IN_PROGRESS"):
                self.personalize.stop_solution_version_creation(solutionVersionArn=arn)
            while self._describe("solution_version", arn)["status"] not in _AT_REST:
                time.sleep(self.poll)

    def _await_imports(self, dataset: str) -> None:
        for job in self._list("dataset_import_jobs", {"datasetArn": dataset}):
            arn = job["datasetImportJobArn"]
            while self._describe("dataset_import_job", arn)["status"] not in _AT_REST:
                self.progress(f"{arn.rpartition('/')[2]}: waiting for its end, to remove it")
                time.sleep(self.poll)

    def _delete(self, kind: str, arns: Sequence[str]) -> None:
        for arn in arns:
            if self._stays(kind, arn):
                getattr(self.personalize, f"delete_{kind}")(**{_argument(kind): arn})
        for arn in arns:
            self.progress(f"removing {arn.rpartition(':')[2]}")
            while not self._is_gone(kind, arn):
                time.sleep(self.poll)

    def _stays(self, kind: str, arn: str) -> bool:
        """Wait until something is at rest; False where it is being deleted, or gone."""
        while not self._is_gone(kind, arn):
            status = self._describe(kind, arn)["status"]
            if status in _AT_REST:
                return True
            if status.startswith("DELETE"):
                break
            time.sleep(self.poll)
        return False

    def _is_gone(self, kind: str, arn: str) -> bool:
        try:
            self._describe(kind, arn)
        except self.personalize.exceptions.ResourceNotFoundException:
            return True
        return False

    def _of_prefix(self, what: str, of: Mapping[str, str]) -> list[str]:
        named = [each for each in self._list(what, of) if each["name"].startswith(f"{self.prefix}-")]
        return [each["datasetGroupArn"] for each in named]

    def _list(self, what: str, of: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        member = _camel(what)
        for page in self.personalize.get_paginator(f"list_{what}").paginate(**of):
            yield from page[member]


_AT_REST = ("ACTIVE", "CREATE FAILED", "CREATE STOPPED")


def _argument(kind: str) -> str:
    return f"{_camel(kind)}Arn"


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
