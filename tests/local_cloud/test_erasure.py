"""`make erase`: looks, removes until nothing is left, and reports what it could not reach."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_cloud.erasure import Erasure, ErasureError
from local_cloud.progress import Progress

TODAY = datetime.now(UTC).date()
FOLDERS = [f"events/day={TODAY}/", f"events/day={TODAY - timedelta(days=40)}/"]


class FakeDeployment:
    """A deployment with rows of session and user in two folders.

    :param arriving: rows that turn up in the first folder right after each removal.
    :param running: whether a retraining is at work.
    """

    stack_prefix = ""

    def __init__(
        self,
        rows: dict[str, list[tuple[str, str | None]]],
        *,
        arriving: list[list[tuple[str, str | None]]] | None = None,
        colours: list[dict[str, Any]] | None = None,
        running: bool = False,
    ) -> None:
        self.rows = rows
        self.arriving = list(arriving or ())
        self.colours = [{"colour": "blue", "job": "job", "problem": None}] if colours is None else colours
        self.running = running
        self.steps: list[str] = []
        self.looked_at: list[str] = []

    def client(self, service: str, **_: Any) -> Any:
        return self

    def table(self, name: str) -> Any:
        return self

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {"Item": {"holder": "arn:run"}} if self.running else {}

    def describe_execution(self, executionArn: str) -> dict[str, str]:
        return {"status": "RUNNING"}

    def get_paginator(self, operation: str) -> FakeDeployment:
        return self

    def paginate(self) -> list[dict[str, Any]]:
        names = ("ErasureFunctionName", "CoordinationTableName")
        outputs = [{"OutputKey": name, "OutputValue": name} for name in names]
        return [{"Stacks": [{"StackName": "s", "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}]}]

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        event = json.loads(Payload)
        self.steps.append(event["action"])
        return {"Payload": io.BytesIO(json.dumps(self._answer(event)).encode())}

    def _answer(self, event: dict[str, Any]) -> dict[str, Any]:
        match event["action"]:
            case "folders":
                return {"folders": FOLDERS}
            case "units":
                return {"units": units_of(event), "experiments": 1}
            case "training-data":
                return {"objects": 2}
            case "colours":
                return {"colours": self.colours}
        assert event["units"] == units_of(event), "of all sessions that are known by then"
        parts = [self._of_folder(folder, event) for folder in event["folders"]]
        return {
            **{name: sum(part[name] for part in parts) for name in ("rows", "concerned", "files")},
            "sessions": sorted({each for part in parts for each in part["sessions"]}),
            "unreadable": [],
            "after": None,
        }

    def _of_folder(self, folder: str, event: dict[str, Any]) -> dict[str, Any]:
        user, known = event["user_id"], event["sessions"]
        rows = self.rows[folder]
        self.looked_at.append(folder)
        theirs = [row for row in rows if row[1] == user or (row[1] is None and row[0] in known)]
        if event["action"] == "remove":
            self.rows[folder] = [row for row in rows if row not in theirs]
            if folder == FOLDERS[0] and self.arriving:
                self.rows[folder] += self.arriving.pop(0)
        sessions = sorted({session for session, owner in theirs if owner == user})
        return {"rows": len(theirs), "concerned": int(bool(theirs)), "files": 1, "sessions": sessions}


def units_of(event: dict[str, Any]) -> list[str]:
    return [f"unit of {each}" for each in (event["user_id"], *event["sessions"])]


def rows() -> dict[str, list[tuple[str, str | None]]]:
    return {FOLDERS[0]: [("s1", None), ("s2", "u2")], FOLDERS[1]: [("s1", "u1"), ("s3", None)]}


def erase(cloud: Any, *, apply: bool = True) -> tuple[dict[str, Any], str]:
    out = io.StringIO()
    report = Erasure(cloud, "u1", Progress(out)).run(apply=apply)
    return report, out.getvalue()


def test_a_look_changes_nothing_and_says_how_to_go_on() -> None:
    cloud = FakeDeployment(rows())
    report, said = erase(cloud, apply=False)
    assert cloud.rows == rows()
    assert set(cloud.steps) == {"units", "folders", "look"}
    assert report["rows"] == 1
    assert "APPLY=1" in said


def test_of_somebody_unknown_it_says_that_nothing_is_kept_and_what_was_looked_at() -> None:
    cloud = FakeDeployment({folder: [("s2", "u2")] for folder in FOLDERS})
    report, said = erase(cloud, apply=False)
    assert report["rows"] == 0
    assert "Nothing is kept of 'u1': no row in 2 files of the lake" in said
    assert "exposures of 1 experiments" in said
    assert "would go" not in said


def test_rows_of_a_session_go_in_every_folder_once_the_session_is_known_to_be_theirs() -> None:
    cloud = FakeDeployment(rows())
    report, said = erase(cloud)
    assert cloud.rows == {FOLDERS[0]: [("s2", "u2")], FOLDERS[1]: [("s3", None)]}
    assert (report["rows"], report["exports"], report["colours"]) == (2, 2, cloud.colours)
    assert "blue: job" in said
    # To find their sessions, to remove, and to see that nothing is left, where something may have come since
    assert [cloud.looked_at.count(folder) for folder in FOLDERS] == [3, 2]
    assert "failure queue (14 days)" in said
    assert "looked for: 1." in said


def test_what_arrives_meanwhile_is_removed_too() -> None:
    cloud = FakeDeployment(rows(), arriving=[[("s9", "u1")]])
    assert erase(cloud)[0]["rows"] == 3
    assert cloud.rows[FOLDERS[0]] == [("s2", "u2")]


def test_it_says_so_when_they_never_stop_arriving() -> None:
    cloud = FakeDeployment(rows(), arriving=[[("s9", "u1")]] * 9)
    with pytest.raises(ErasureError, match="still in the lake"):
        erase(cloud)


def test_it_does_not_begin_while_a_retraining_may_have_read_them() -> None:
    cloud = FakeDeployment(rows(), running=True)
    with pytest.raises(ErasureError, match=r"arn:run"):
        erase(cloud)
    assert cloud.steps == []


def test_a_colour_that_refuses_is_an_error_after_all_else_is_done() -> None:
    problem = {"colour": "blue", "job": None, "problem": "LimitExceededException: later"}
    cloud = FakeDeployment(rows(), colours=[problem])
    with pytest.raises(ErasureError, match=r"not deleted from blue \(LimitExceededException: later\)"):
        erase(cloud)
    assert cloud.rows[FOLDERS[1]] == [("s3", None)]
