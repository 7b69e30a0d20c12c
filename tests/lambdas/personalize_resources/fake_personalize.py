"""Amazon Personalize in memory: what comes and goes takes ticks, and what is used cannot be deleted.

Preconditions: developer guide, "Deleting Amazon Personalize resources".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.lambdas.personalize_resources.wire import Refusal, client

_NEXT = {
    "CREATE PENDING": "CREATE IN_PROGRESS",
    "CREATE IN_PROGRESS": "ACTIVE",
    "CREATE STOPPING": "CREATE STOPPED",
    "DELETE PENDING": "DELETE IN_PROGRESS",
}
_COMING = ("CREATE PENDING", "CREATE IN_PROGRESS", "CREATE STOPPING")
_PATHS = {
    "Schema": "schema",
    "DatasetGroup": "dataset-group",
    "Dataset": "dataset",
    "DatasetImportJob": "dataset-import-job",
    "EventTracker": "event-tracker",
    "Filter": "filter",
    "MetricAttribution": "metric-attribution",
    "Solution": "solution",
    "SolutionVersion": "solution",
    "Campaign": "campaign",
}
_HOLD_DATASETS = ("Filter", "EventTracker", "MetricAttribution")
_SUMMARY = ("name", "status", "creationDateTime", "failureReason")


def _member(kind: str) -> str:
    return kind[0].lower() + kind[1:]


@dataclass
class FakePersonalize:
    """`client` is a boto3 client of it.

    `calls` holds every operation and its parameters; a test may put its own marks between.
    `reasons` makes the creation of what has that name fail, with that reason. `most_coming` of a kind may be
    under way at a time. So many calls as `denials` are not allowed.
    """

    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    page_size: int = 1
    most_coming: int = 1000
    denials: int = 0

    def __post_init__(self) -> None:
        self.client = client("personalize", self._answer)

    def tick(self, times: int = 1) -> None:
        """Let time pass: everything that is coming or going is one status further."""
        for _ in range(times):
            for arn, resource in list(self.resources.items()):
                self._advance(resource)
                if update := resource.get("latestCampaignUpdate"):
                    self._advance(update)
                    if update["status"] == "ACTIVE":
                        changes = {key: update[key] for key in ("minProvisionedTPS",) if key in update}
                        resource.update(changes)
                if resource.get("status") == "GONE":
                    del self.resources[arn]

    def _advance(self, resource: dict[str, Any]) -> None:
        status = resource.get("status", "")
        reason = self.reasons.get(resource.get("name", ""))
        if status == "CREATE IN_PROGRESS" and reason:
            resource.update(status="CREATE FAILED", failureReason=reason)
        elif status == "DELETE IN_PROGRESS":
            resource["status"] = "GONE"
        elif status in _NEXT:
            resource["status"] = _NEXT[status]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [resource for resource in self.resources.values() if resource["kind"] == kind]

    def operations(self, *beginnings: str) -> list[str]:
        """The operations called that begin so."""
        return [operation for operation, _ in self.calls if operation.startswith(beginnings)]

    def _answer(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((operation, given))
        if self.denials > 0:
            self.denials -= 1
            raise Refusal("AccessDeniedException", f"not authorized to perform: personalize:{operation}")
        if operation == "StopSolutionVersionCreation":
            return self._stop(self._existing(given["solutionVersionArn"]))
        for verb in ("Create", "Describe", "Delete", "Update", "List"):
            if operation.startswith(verb):
                kind = operation.removeprefix(verb)
                return {
                    "Create": self._create,
                    "Describe": self._describe,
                    "Delete": self._delete,
                    "Update": self._update,
                    "List": self._list,
                }[verb](kind, given)
        raise NotImplementedError(operation)

    def _create(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        for key, value in given.items():
            if key.endswith("Arn") and key not in ("recipeArn", "roleArn"):
                self._require_active(self._existing(value))
        arn = self._arn(kind, given)
        if arn in self.resources:
            raise Refusal(
                "ResourceAlreadyExistsException", f"Another resource with Arn {arn} already exists."
            )
        if sum(each.get("status") in _COMING for each in self.of(kind)) >= self.most_coming:
            raise Refusal(
                "LimitExceededException",
                f"More than {self.most_coming} resources with PENDING or IN_PROGRESS status.",
            )
        if kind == "EventTracker":
            if any(each["datasetGroupArn"] == given["datasetGroupArn"] for each in self.of(kind)):
                raise Refusal("LimitExceededException", "The dataset group has an event tracker already.")
            given = {**given, "trackingId": str(uuid4())}
        resource = {**given, "kind": kind, f"{_member(kind)}Arn": arn, "creationDateTime": datetime.now(UTC)}
        if kind == "Dataset":
            resource["datasetType"] = given["datasetType"].upper()
        if kind == "Campaign":  # ListCampaigns finds it by its solution
            resource["solutionArn"] = given["solutionVersionArn"].rpartition("/")[0]
        if kind != "Schema":
            resource["status"] = "CREATE PENDING"
        self.resources[arn] = resource
        answer = {f"{_member(kind)}Arn": arn}
        return answer | ({"trackingId": given["trackingId"]} if kind == "EventTracker" else {})

    def _arn(self, kind: str, given: dict[str, Any]) -> str:
        match kind:
            case "Dataset":
                name = f"{given['datasetGroupArn'].rpartition('/')[2]}/{given['datasetType'].upper()}"
            case "SolutionVersion":
                name = f"{given['solutionArn'].rpartition('/')[2]}/{uuid4().hex[:8]}"
            case "EventTracker":
                name = uuid4().hex[:8]
            case "DatasetImportJob":
                name = given["jobName"]
            case _:
                name = given["name"]
        return f"arn:aws:personalize:us-east-1:111122223333:{_PATHS[kind]}/{name}"

    def _require_active(self, resource: dict[str, Any]) -> None:
        if resource.get("status", "ACTIVE") != "ACTIVE":
            raise Refusal("ResourceInUseException", f"{resource['kind']} is {resource['status']}")

    def _existing(self, arn: str) -> dict[str, Any]:
        if arn not in self.resources:
            raise Refusal("ResourceNotFoundException", f"Resource Arn {arn} does not exist.")
        return self.resources[arn]

    def _describe(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        return {_member(kind): dict(self._existing(given[f"{_member(kind)}Arn"]))}

    def _update(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        campaign = self._existing(given["campaignArn"])
        if campaign.get("latestCampaignUpdate", {}).get("status") in _COMING:
            raise Refusal("ResourceInUseException", "The campaign is being updated.")
        campaign["latestCampaignUpdate"] = {**given, "name": campaign["name"], "status": "CREATE PENDING"}
        return {"campaignArn": given["campaignArn"]}

    def _list(self, kinds: str, given: dict[str, Any]) -> dict[str, Any]:
        kind = kinds.removesuffix("s")
        parents = {key: value for key, value in given.items() if key.endswith("Arn")}
        found = [each for each in self.of(kind) if parents.items() <= each.items()]
        start = int(given.get("nextToken", "0"))
        end = start + self.page_size
        arn = f"{_member(kind)}Arn"
        summaries = [
            {key: value for key, value in each.items() if key in (*_SUMMARY, arn)}
            for each in found[start:end]
        ]
        more = {"nextToken": str(end)} if end < len(found) else {}
        return {("Filters" if kind == "Filter" else f"{_member(kind)}s"): summaries, **more}

    def _stop(self, version: dict[str, Any]) -> dict[str, Any]:
        if version["status"] not in ("CREATE PENDING", "CREATE IN_PROGRESS"):
            raise Refusal("InvalidInputException", "There is nothing to stop.")
        version["status"] = "CREATE STOPPING"
        return {}

    def _delete(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        arn = given[f"{_member(kind)}Arn"]
        resource = self._existing(arn)
        status = resource.get("status", "ACTIVE")
        if status in _COMING or status.startswith("DELETE"):
            raise Refusal("ResourceInUseException", f"{arn} is {status}")
        if users := self._users(kind, arn, resource):
            self.calls.append(("refused", given))
            raise Refusal("ResourceInUseException", f"{arn} is used by {', '.join(users)}")
        if kind == "Schema":
            del self.resources[arn]
            return {}
        resource["status"] = "DELETE PENDING"
        for version in self.of("SolutionVersion") if kind == "Solution" else []:
            if version["solutionArn"] == arn:
                del self.resources[version["solutionVersionArn"]]
        for job in self.of("DatasetImportJob") if kind == "Dataset" else []:
            if job["datasetArn"] == arn:
                del self.resources[job["datasetImportJobArn"]]
        return {}

    def _users(self, kind: str, arn: str, resource: dict[str, Any]) -> list[str]:
        in_group = [
            each
            for each in self.resources.values()
            if each.get("datasetGroupArn") == resource.get("datasetGroupArn") and each is not resource
        ]
        solutions = [each["solutionArn"] for each in in_group if each["kind"] == "Solution"]
        versions = [each for each in self.of("SolutionVersion") if each["solutionArn"] in (*solutions, arn)]
        training = [each for each in versions if each["status"] in _COMING]
        served = [version["solutionVersionArn"] for version in versions]
        campaigns = [each for each in self.of("Campaign") if each["solutionVersionArn"] in served]
        match kind:
            case "Schema":
                users = [each for each in self.of("Dataset") if each["schemaArn"] == arn]
            case "Solution":
                own = f"{arn}/"
                users = [each for each in training if each["solutionArn"] == arn]
                users += [each for each in campaigns if each["solutionVersionArn"].startswith(own)]
            case "Dataset":
                jobs = [each for each in self.of("DatasetImportJob") if each["datasetArn"] == arn]
                users = [each for each in jobs if each["status"] in _COMING] + training + campaigns
                users += [each for each in in_group if each["kind"] in _HOLD_DATASETS]
            case "DatasetGroup":
                users = [each for each in in_group if each["kind"] != "DatasetGroup"]
            case _:
                users = []
        return [each["kind"] for each in users]
