"""What the export of training data takes, beside the least that it could take.

    python -m benchmarks.training_data --events 1e6 1e7 1e8

For each size: a generated clickstream (benchmarks/clickstream.py, kept in
.colorway/bench), the floor, and the export as the function runs it, files copied
from the lake included. The floor reads the same columns of the same Parquet and
writes a CSV of about the same rows, by DuckDB, in one query. Each runs in a
process of its own with the function's memory. CPU seconds are the figure to
compare where the machine is shared; up to ten million events pandas does the same,
where it is installed (with pyarrow).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from benchmarks.clickstream import CUTOFF, DAYS, Clickstream, clickstream
from benchmarks.folder_s3 import FolderS3

ROOT: Final = Path(__file__).resolve().parent.parent
CACHE: Final = ROOT / ".colorway" / "bench"
TYPES: Final = ("view", "click", "add-to-cart", "purchase")
_PANDAS_UP_TO: Final = 10_000_000


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=float, nargs="+", default=[1e6], help="sizes (default 1e6)")
    parser.add_argument("--memory", type=int, default=3008, help="MiB of the function (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=1, help="of each; the least CPU counts")
    parser.add_argument("--only", choices=list(_KINDS), help=argparse.SUPPRESS)
    told = parser.parse_args(arguments)
    if told.only:
        print(json.dumps(measured(_KINDS[told.only], int(told.events[0]), told.memory)))
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, load {load:.1f}")
    print(f"function of {told.memory} MiB; floor and export each in a process of its own\n")
    print(
        f"{'events':>12} {'what':>7} {'s':>8} {'CPU s':>8} {'events/s':>11}"
        f" {'peak MiB':>9} {'disk MB':>8}  ratio"
    )
    for events in map(int, told.events):
        made = clickstream(events, cache=CACHE, progress=_progress)
        kinds = ["floor", "export"]
        if events <= _PANDAS_UP_TO and find_spec("pandas") and find_spec("pyarrow"):
            kinds.append("pandas")
        results = {kind: _least(kind, events, told.memory, told.rounds) for kind in kinds}
        floor = results["floor"]
        for kind, result in results.items():
            ratio = f"{floor['cpu'] / result['cpu']:.2f} of the floor's speed by CPU, "
            ratio += f"{floor['seconds'] / result['seconds']:.2f} by the clock"
            print(
                f"{events:>12,} {kind:>7} {result['seconds']:>8.1f} {result['cpu']:>8.1f} "
                f"{events / result['seconds']:>11,.0f} {result['rss_mib']:>9,.0f}"
                f" {result['disk'] / 1e6:>8,.0f}"
                f"  {ratio if kind != 'floor' else ''}"
            )
        print(
            f"{'':>12} {made.size / 1e6:,.0f} MB of Parquet; {results['export']['rows']:,} interactions; "
            f"disk {results['export']['disk'] / made.size:.2f} per byte of Parquet\n"
        )
    return 0


def measured(work: Callable[[Clickstream, Path, int], int], events: int, memory: int) -> dict[str, Any]:
    """Do it, and answer `seconds`, `cpu`, `rss_mib`, `disk` (most bytes at one time) and `rows`."""
    made = clickstream(events, cache=CACHE, progress=_progress)
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(dir=CACHE, prefix="run-") as name,
        _watched(Path(name)) as most_disk,
    ):
        rows = work(made, Path(name), memory)
        seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "seconds": seconds,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "rss_mib": after.ru_maxrss * unit / 2**20,
        "disk": most_disk[0],
        "rows": rows,
    }


def export(made: Clickstream, folder: Path, memory: int) -> int:
    """The function's own export; answers how many interactions it wrote."""
    from training_data.export import Export
    from training_data.lake_files import Lake
    from training_data.settings import Settings
    from vocabulary.placements import Placement

    settings = Settings(
        environment="bench",
        lake_bucket=made.folder.name,
        training_bucket="training",
        placements=(Placement(name="recommended-for-you"),),
        history_days=DAYS,
        event_types=TYPES,
        minimum_interactions=1000,
        memory_mib=memory,
    )
    written = folder / "buckets"
    written.mkdir()
    (written / made.folder.name).symlink_to(made.folder)
    s3 = FolderS3(written)
    work = folder / "work"
    work.mkdir()
    cutoff = int(CUTOFF.timestamp() * 1000)
    answer = Export(settings, Lake(s3, settings.lake_bucket), s3, work).run("bench", cutoff)
    return int(answer["interactions"])


def floor(made: Clickstream, folder: Path, memory: int) -> int:
    """Read the columns needed and write the CSV, with no rule but the cheapest."""
    from training_data.database import database

    types = ", ".join(f"'{kind}'" for kind in TYPES)
    with database(folder, memory_mib=memory) as engine:
        [(rows,)] = engine.rows(
            f"COPY (SELECT user_id AS USER_ID, item_id AS ITEM_ID,"
            f" CAST(floor(sent_at / 1000.0) AS BIGINT) AS TIMESTAMP, event_type AS EVENT_TYPE,"
            f" value AS EVENT_VALUE FROM read_parquet('{made.folder}/events/*/*.parquet')"
            # Conditions that hold always, for columns that are read to decide and not to write
            f" WHERE event_type IN ({types}) AND user_id IS NOT NULL AND event_id <> ''"
            f" AND session_id <> '' AND received_at > 0)"
            f" TO '{folder}/floor.csv'"
            f" (FORMAT csv, DELIMITER ',', QUOTE '\"', ESCAPE '\\', NULLSTR '', HEADER)"
        )
    return int(rows)


def with_pandas(made: Clickstream, folder: Path, memory: int) -> int:
    """The rules as a script with pandas would have them: fewer than the function's, and no report."""
    import pandas  # type: ignore[import-untyped,import-not-found,unused-ignore]

    columns = [
        "event_id",
        "received_at",
        "sent_at",
        "session_id",
        "user_id",
        "event_type",
        "item_id",
        "value",
    ]
    frame = pandas.concat(
        pandas.read_parquet(file, columns=columns)
        for file in sorted((made.folder / "events").rglob("*.parquet"))
    )
    frame = frame.sort_values("received_at").drop_duplicates("event_id")
    known = frame[frame.user_id.notna()].groupby("session_id").user_id.agg(["nunique", "first"])
    owners = known[known["nunique"] == 1]["first"]
    frame["user_id"] = frame.user_id.fillna(frame.session_id.map(owners))
    items = pandas.read_parquet(made.folder / "catalogue" / "items", columns=["item_id"])
    frame = frame[
        frame.event_type.isin(TYPES) & frame.user_id.notna() & frame.item_id.isin(set(items.item_id))
    ]
    frame["TIMESTAMP"] = frame[["sent_at", "received_at"]].min(axis=1) // 1000
    frame = frame[frame.TIMESTAMP >= 946_684_800]
    out = frame[["user_id", "item_id", "TIMESTAMP", "event_type", "value"]].drop_duplicates()
    out.to_csv(folder / "pandas.csv", index=False)
    return len(out)


_KINDS: Final[dict[str, Callable[[Clickstream, Path, int], int]]] = {
    "floor": floor,
    "export": export,
    "pandas": with_pandas,
}


def _least(kind: str, events: int, memory: int, rounds: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.training_data", "--only", kind]
    command += ["--events", str(events), "--memory", str(memory)]
    results = []
    for _ in range(rounds):
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=_environ()
        )
        results.append(json.loads(done.stdout))
    return min(results, key=lambda result: float(result["cpu"]))


def _environ() -> dict[str, str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "lambdas"), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path}


@contextmanager
def _watched(folder: Path) -> Iterator[list[int]]:
    """Measures the disk that a folder takes; the answer's one element is the most that was seen."""
    most, stop = [0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.2):
            size = 0
            for path in list(folder.rglob("*")):
                try:
                    size += 0 if path.is_symlink() else path.stat().st_blocks * 512
                except FileNotFoundError:
                    continue
            most[0] = max(most[0], size)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield most
    finally:
        stop.set()
        watcher.join()


def _progress(text: str) -> None:
    sys.stderr.write(f"\r{text}   ")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
