"""Every operation of the three services answers, and the table says which way."""

from __future__ import annotations

import json
from pathlib import Path

from local_cloud.personalize.operations_table import ABSENT, NOTES, document, rows
from local_cloud.personalize.service import CONTROL_PLANE, DATA_PLANE
from tests.local_cloud.personalize.harness import Cloud

ROOT = Path(__file__).resolve().parents[3]


def test_the_table_in_the_documents_is_of_this_code() -> None:
    written = (ROOT / "docs" / "personalize-operations.md").read_text(encoding="utf-8")
    assert written == document(), (
        "python -m local_cloud.personalize.operations_table > docs/personalize-operations.md"
    )


def test_what_is_absent_is_absent_and_every_note_is_of_an_operation() -> None:
    listed = {operation for _, operation, _, _ in rows()}
    assert listed >= {*ABSENT, *NOTES}
    assert {operation for _, operation, there, _ in rows() if not there} == set(ABSENT)
    assert listed >= {*CONTROL_PLANE, *DATA_PLANE}


def test_what_can_never_be_made_lists_as_nothing(here: Cloud) -> None:
    assert here.control.list_batch_segment_jobs()["batchSegmentJobs"] == []


def test_an_absent_operation_says_so_after_the_request_was_checked(here: Cloud) -> None:
    answer = here.service.answer(path="/actions", headers={}, body=json.dumps({"datasetArn": "x"}).encode())
    assert "regular expression pattern" in json.loads(answer.body)["message"]
