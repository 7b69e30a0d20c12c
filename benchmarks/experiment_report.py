"""`python -m benchmarks.experiment_report --users 1000000`: how long the experiment's report takes.

Makes exposures and events of two weeks by SQL, with no effect in them, and reads them in this process.
"""

from __future__ import annotations

import argparse
import resource
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from experiments.configured import Configured
from experiments.plan import Plan, Window
from experiments.reporting import of_folder
from experiments.text import as_text
from recommendations.experiment import Experiment

FIRST = date(2026, 11, 2)
DAYS = 14
EXPERIMENT = Experiment("the salt of the benchmark", 5000, 5000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--exposures", type=int, default=10, help="of each user")
    parser.add_argument("--events", type=int, default=10, help="of each user, a third of them clicks")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="experiment-benchmark-") as name:
        folder = Path(name)
        start = time.monotonic()
        _make(folder, given.users, given.exposures, given.events)
        size = sum(path.stat().st_size for path in folder.rglob("*.parquet")) / 2**20
        print(f"made {given.users:,} users in {time.monotonic() - start:.0f} s, {size:,.0f} MiB of Parquet")
        now = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(days=DAYS + 1)
        start = time.monotonic()
        report = of_folder(folder, Configured(EXPERIMENT, Plan(days=DAYS), []), Window(FIRST, DAYS), now=now)
        took = time.monotonic() - start
        print(as_text(report))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"read and reported in {took:.1f} s; the process took at most {peak:,.0f} MiB")


def _make(folder: Path, users: int, exposures: int, events: int) -> None:
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    connection.create_function("unit_of", lambda who: EXPERIMENT.assign(who).unit_id, ["VARCHAR"], "VARCHAR")
    connection.create_function(
        "variant_of", lambda who: EXPERIMENT.assign(who).variant, ["VARCHAR"], "VARCHAR"
    )
    connection.execute(
        "CREATE TABLE people AS SELECT user_id, unit_of(user_id) AS unit_id, variant_of(user_id) AS variant "
        f"FROM (SELECT 'user-' || range AS user_id FROM range({users}))"
    )
    start = int(datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC).timestamp() * 1000)
    for day in range(DAYS):
        low = start + day * 86_400_000
        for table, query in (
            ("exposures", _EXPOSURES.format(experiment=EXPERIMENT.id, share=exposures / DAYS, low=low)),
            ("events", _EVENTS.format(share=events / DAYS, low=low)),
        ):
            path = folder / table / f"day={FIRST + timedelta(days=day)}"
            path.mkdir(parents=True)
            connection.execute(f"COPY ({query}) TO '{path / 'a.parquet'}'")
    path = folder / f"catalogue/users/day={FIRST}"
    path.mkdir(parents=True)
    connection.execute(
        "COPY (SELECT user_id, 'segment ' || hash(user_id) % 6 AS segment FROM people) "
        f"TO '{path / 'a.parquet'}'"
    )
    connection.close()


_EXPOSURES = """
SELECT {low} + (random() * 86400000)::BIGINT AS exposed_at, uuid()::VARCHAR AS request_id,
    '{experiment}' AS experiment, unit_id, variant, 'recommended-for-you' AS placement, 'maize' AS colour,
    'maize' AS answered_by, 'personalize' AS source, NULL::VARCHAR AS recommendation_id, 12 AS items,
    []::VARCHAR[] AS failures, random() * 100 AS took_ms
FROM people, range(2) AS twice WHERE random() < {share} / 2
"""

_EVENTS = """
SELECT uuid()::VARCHAR AS event_id, {low} + (random() * 86400000)::BIGINT AS received_at, {low} AS sent_at,
    'session ' || user_id AS session_id, user_id,
    CASE WHEN dice < 0.6 THEN 'view' WHEN dice < 0.97 THEN 'click' ELSE 'purchase' END AS event_type,
    'item' AS item_id, exp(3 + random()) AS value, NULL::VARCHAR AS properties, []::VARCHAR[] AS impression,
    NULL::VARCHAR AS recommendation_id
FROM (SELECT user_id, random() AS dice FROM people, range(2) AS twice WHERE random() < {share} / 2)
"""


if __name__ == "__main__":
    main()
