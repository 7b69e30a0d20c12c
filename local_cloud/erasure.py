"""Erases a user from a deployment; only says what it would do, unless told to do it.

The work is done by the deployment's own function, file by file: no data of the
lake come here. Whatever breaks off may be begun again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from local_cloud import deployed
from local_cloud.connection import LocalCloudError
from local_cloud.deployed import Cloud
from local_cloud.progress import Progress, Step
from vocabulary.coordination import RUN_LOCK, TABLE_KEY

_AT_ONCE: Final = 4
_FOLDERS_A_CALL: Final = 8
"""Days are many and small; whoever waits sees it go on all the same."""

_PASSES: Final = 3
"""Events of the last minutes, and files that compaction was just writing, show up in a second look."""


_SETTLED_DAYS: Final = 17
"""Older days change no more: Firehose files by day of arrival, and compaction goes back 16 days."""


class ErasureError(LocalCloudError):
    """The erasure cannot begin, or is not complete; the message says what to do."""


@dataclass
class Found:
    """What of a user is in the lake.

    :param rows: of theirs.
    :param files: that hold them.
    :param looked_at: files, with and without rows of theirs.
    """

    rows: int = 0
    files: int = 0
    looked_at: int = 0
    sessions: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)


class Erasure:
    """One user's erasure.

    :param user_id: or the session's id, of somebody who never signed in.
    """

    def __init__(self, cloud: Cloud, user_id: str, progress: Progress) -> None:
        self._cloud = cloud
        self._user_id = user_id
        self._progress = progress
        self._function = deployed.output(cloud, "ErasureFunctionName")
        self._experiments = 0

    def run(self, *, apply: bool) -> dict[str, Any]:
        """Erase, and answer the report that was shown: `{rows, files, exports, colours, unreadable}`.

        :param apply: do it, rather than say what would go.
        :raises ErasureError: as its docstring says.
        """
        if apply:
            self._require_no_run()
        found = self._look(set())
        told = f"{found.rows:,} rows in {found.files:,} files of the lake, {len(found.sessions):,} sessions"
        if not apply and not found.rows:
            self._tell_of_nothing(found)
        elif not apply:
            self._progress.say(
                f"  would go: {told}; training data that runs have left; the user from each colour."
            )
            self._progress.say("  Nothing was touched. To erase: APPLY=1")
        if not apply:
            return {"rows": found.rows, "files": found.files, "unreadable": sorted(found.unreadable)}
        removed = self._remove_all(found)
        with self._progress.step("exports") as step:
            exports = int(self._ask("training-data")["objects"])
            step.says(f"{exports:,} files of training data deleted")
        with self._progress.step("colours") as step:
            colours: list[dict[str, Any]] = self._ask(
                "colours", user_id=self._user_id, erasure_id=f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
            )["colours"]
            for each in colours:
                step.line(f"{each['colour']}: {each['job'] or each['problem']}")
            if not colours:
                step.says("none exists")
        self._tell(removed, colours)
        return {
            "rows": removed.rows,
            "files": removed.files,
            "exports": exports,
            "colours": colours,
            "unreadable": sorted(removed.unreadable),
        }

    def _remove_all(self, found: Found) -> Found:
        """Remove until a look finds nothing more."""
        removed = Found(unreadable=set(found.unreadable))
        sessions = set(found.sessions)
        for _ in range(_PASSES):
            done = self._go_through("remove", "remove", sessions)
            removed.rows += done.rows
            removed.files += done.files
            # Of old days there is nothing more to find, unless another session turned out to be theirs
            left = self._look(sessions | done.sessions, since=_settled() if done.sessions <= sessions else "")
            sessions |= done.sessions
            sessions |= left.sessions
            if not left.rows:
                return removed
        raise ErasureError(
            f"{left.rows} rows of the user are still in the lake: they keep arriving; run this again later"
        )

    def _look(self, sessions: set[str], *, since: str = "") -> Found:
        """
        :param since: days before it are left out, `YYYY-MM-DD`.
        """
        return self._go_through("look", "look", sessions, since=since)

    def _go_through(self, title: str, action: str, sessions: set[str], *, since: str = "") -> Found:
        total = Found()
        with self._progress.step(title) as step, ThreadPoolExecutor(_AT_ONCE) as pool:
            folders: Sequence[str] = [
                folder
                for folder in self._ask("folders")["folders"]
                if folder.rstrip("/").rpartition("day=")[2] >= since
            ]
            # While they were anonymous, recommendations were asked for by the session's id
            units = self._ask("units", user_id=self._user_id, sessions=sorted(sessions))
            self._experiments = int(units["experiments"])
            parts = {
                pool.submit(self._part, action, part, sorted(sessions), units["units"]): len(part)
                for part in (
                    folders[at : at + _FOLDERS_A_CALL] for at in range(0, len(folders), _FOLDERS_A_CALL)
                )
            }
            done = 0
            try:
                for part in as_completed(parts):
                    _add(total, part.result())
                    done += parts[part]
                    _say(step, done, len(folders), total)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return total

    def _part(
        self, action: str, folders: Sequence[str], sessions: Sequence[str], units: Sequence[str]
    ) -> Found:
        total, after = Found(), None
        while True:
            part = self._ask(
                action,
                user_id=self._user_id,
                sessions=sessions,
                units=units,
                folders=folders,
                after=after,
            )
            _add(
                total,
                Found(
                    part["rows"],
                    part["concerned"],
                    part["files"],
                    set(part["sessions"]),
                    set(part["unreadable"]),
                ),
            )
            after = part["after"]
            if after is None:
                return total

    def _tell_of_nothing(self, found: Found) -> None:
        say: Callable[[str], None] = self._progress.say
        say(
            f"  Nothing is kept of {self._user_id!r}: no row in {found.looked_at:,} files of the lake "
            f"(events, snapshots of users, exposures of {self._experiments} experiments)."
        )
        say("  Not looked into: events of the last minutes, on their way to the lake, and the colours, which")
        say("  hold what it holds. APPLY=1 has those that exist delete the user all the same.")
        for key in sorted(found.unreadable):
            say(f"  not looked at, no Parquet: {key}")

    def _tell(self, removed: Found, colours: Sequence[dict[str, Any]]) -> None:
        say: Callable[[str], None] = self._progress.say
        say(f"  {removed.rows:,} rows removed from {removed.files:,} files of the lake.")
        if any(each["job"] for each in colours):
            say(
                "  Personalize works on its jobs for up to a day: aws personalize describe-data-deletion-job."
            )
        say(f"  Experiments by whose salt exposures were looked for: {self._experiments}.")
        say("  Still there until they expire: the stream (a day), the failure queue (14 days), and exposures")
        say("  in the serving function's log (a month).")
        for key in sorted(removed.unreadable):
            say(f"  not looked at, no Parquet: {key}")
        if problems := [each for each in colours if each["problem"]]:
            names = ", ".join(f"{each['colour']} ({each['problem']})" for each in problems)
            raise ErasureError(f"not deleted from {names}: run this again once that is mended")

    def _require_no_run(self) -> None:
        table = self._cloud.table(deployed.output(self._cloud, "CoordinationTableName"))
        item = table.get_item(Key={TABLE_KEY: RUN_LOCK}, ConsistentRead=True).get("Item")
        if item is None:
            return
        holder = str(item["holder"])
        states = self._cloud.client("stepfunctions")
        if states.describe_execution(executionArn=holder)["status"] == "RUNNING":
            raise ErasureError(
                f"a retraining is at work and may have read the user's events already: {holder}. "
                "Erase when it has ended"
            )

    def _ask(self, action: str, **fields: Any) -> dict[str, Any]:
        reply = self._cloud.client("lambda").invoke(
            FunctionName=self._function, Payload=json.dumps({"action": action, **fields}).encode()
        )
        answer: dict[str, Any] = json.loads(reply["Payload"].read())
        if "FunctionError" in reply:
            raise ErasureError(
                f"{answer.get('errorType')}: {answer.get('errorMessage')}; what is done is done, run it again"
            )
        return answer


def _settled() -> str:
    return (datetime.now(UTC) - timedelta(days=_SETTLED_DAYS)).date().isoformat()


def _add(total: Found, part: Found) -> None:
    total.rows += part.rows
    total.files += part.files
    total.looked_at += part.looked_at
    total.sessions |= part.sessions
    total.unreadable |= part.unreadable


def _say(step: Step, done: int, of: int, found: Found) -> None:
    step.says(f"{done:,} of {of:,} days: {found.rows:,} rows in {found.files:,} files")
