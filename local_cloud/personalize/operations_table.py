"""docs/personalize-operations.md: which operations of the three services the local cloud has.

`python -m local_cloud.personalize.operations_table > docs/personalize-operations.md` writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from local_cloud.personalize.models import SERVICES, Service, model_of
from local_cloud.personalize.service import CONTROL_PLANE, DATA_PLANE

ABSENT: Final[Mapping[str, str]] = {
    "CreateBatchSegmentJob": "user segments are not for a shop's pages",
    "GetActionRecommendations": "action recipes",
    "PutActions": "action recipes",
    "PutActionInteractions": "action recipes",
}
"""Why an operation is not there."""

NOTES: Final[Mapping[str, str]] = {
    "CreateBatchInferenceJob": "without theme generation",
    "CreateSolution": "without performAutoML",
    "DescribeBatchSegmentJob": "there never is one",
    "ListBatchSegmentJobs": "always empty",
    "GetRecommendations": "`context` by columns of texts",
    "GetPersonalizedRanking": "`context` by columns of texts",
}

_HEAD: Final = """\
# Operations of Amazon Personalize in the local cloud

Generated from botocore's models of the three services and from the code that answers
(`python -m local_cloud.personalize.operations_table`); a test keeps it true. An operation
that is absent answers `InvalidInputException` with the message "… is not in the local
cloud", after the request was held to its model. How to use them: [Personalize on a
laptop](personalize-local.md).
"""


def rows() -> Iterator[tuple[Service, str, bool, str]]:
    """Service, operation, whether it is there, and what to know of it."""
    there = {**CONTROL_PLANE, **DATA_PLANE}
    for service in SERVICES:
        for operation in model_of(service).operation_names:
            is_there = operation in there
            yield service, operation, is_there, (NOTES.get(operation, "") if is_there else ABSENT[operation])


def document() -> str:
    listed = list(rows())
    lines = [_HEAD]
    for service in SERVICES:
        of_service = [row for row in listed if row[0] == service]
        present = sum(is_there for _, _, is_there, _ in of_service)
        lines.append(f"## {service}: {present} of {len(of_service)}\n")
        lines.append("| operation | here | |\n|---|---|---|")
        lines += [
            f"| {operation} | {'yes' if is_there else '**no**'} | {note} |"
            for _, operation, is_there, note in of_service
        ]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(document(), end="")
