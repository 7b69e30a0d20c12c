"""From files of exposures and events to what users add up to, per variant, day and segment, with DuckDB.

A user is exposed from the first request on, and stays in the variant that answered it whether or not
anything was clicked: intention to treat. What was done before is not counted. Both clocks are the
service's own (`exposed_at`, `received_at`), not the client's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb

from experiments.lake_files import LakeFiles
from experiments.plan import DAY_MS, Window
from experiments.sums import Sums
from recommendations.experiment import Experiment
from vocabulary.experiment import METRICS, Metric
from vocabulary.lake import EVENT_COLUMNS, EXPOSURE_COLUMNS, USER_COLUMNS
from vocabulary.table_sql import rows_of

CLICK: Final = "click"
PURCHASE: Final = "purchase"

_MEMORY: Final = "2GB"
"""What DuckDB may keep in memory; the rest goes to disk."""

_Y: Final[dict[Metric, str]] = {
    "conversion": "(purchases > 0)::INT",
    "click_through": "(clicks > 0)::INT",
    "clicks_per_exposure": "clicks",
    "revenue_per_user": "revenue",
}
"""Each metric of a user, over their rows of `so_far` and `users`."""

_D: Final[dict[Metric, str]] = {"clicks_per_exposure": "exposures"}
"""What it is divided by where that is not the user."""


class UnreadableLake(Exception):
    """A file of the lake cannot be read; the message says which and why."""


@dataclass(frozen=True)
class Served:
    """How a variant was answered.

    :param failures: failed calls on the way to the answers.
    :param popular: answers by popular items where the live colour should have answered.
    :param empty: answers without items.
    :param p95_ms: 95th percentile of the time in the serving function.
    """

    exposures: int = 0
    failures: int = 0
    popular: int = 0
    empty: int = 0
    p95_ms: float = 0.0


Totals = dict[Metric, Sums]
"""A variant's sums by metric."""


@dataclass(frozen=True)
class Found:
    """All that a report needs; no user and no unit is in it.

    :param served: by variant; likewise `totals`.
    :param by_day: by index of the day and variant, what all users exposed so far add up to at its end.
    :param by_segment: by segment of the catalogue's users, largest first, and variant.
    :param crossed: users seen in both variants, who are left out.
    """

    served: dict[str, Served] = field(default_factory=dict)
    totals: dict[str, Totals] = field(default_factory=dict)
    by_day: dict[int, dict[str, Totals]] = field(default_factory=dict)
    by_segment: dict[str, dict[str, Totals]] = field(default_factory=dict)
    crossed: int = 0


def first_exposure(files: Sequence[str], experiment: Experiment) -> int | None:
    """When an experiment first showed anything, unix milliseconds; None while it has not."""
    with _database() as connection:
        connection.execute(f"CREATE VIEW exposures AS {rows_of(EXPOSURE_COLUMNS, files)}")
        found = connection.execute(
            "SELECT min(exposed_at) FROM exposures WHERE experiment = ?", [experiment.id]
        ).fetchone()
    return found[0] if found else None


def read(files: LakeFiles, experiment: Experiment, window: Window, *, segments: int = 8) -> Found:
    """Join the exposures of an experiment to what was done after them, within a window.

    Events name users, exposures name units: the one becomes the other by the experiment's own HMAC,
    within the database. Whoever is anonymous goes by their session, as everywhere.

    :param segments: how many are told apart, the largest; users of no or another segment are in none.
    :raises UnreadableLake: when a file is damaged.
    """
    with _database() as connection:
        connection.create_function(
            "unit_of", lambda who: experiment.assign(who).unit_id, ["VARCHAR"], "VARCHAR"
        )
        for name, rows in (
            ("exposures", rows_of(EXPOSURE_COLUMNS, files.exposures)),
            ("events", rows_of(EVENT_COLUMNS, files.events)),
            ("catalogue", rows_of(USER_COLUMNS, files.users)),
        ):
            connection.execute(f"CREATE VIEW {name} AS {rows}")
        span = {"start": window.start_ms, "end": window.end_ms}
        connection.execute(_SHOWN, {"experiment": experiment.id, **span})
        served = {variant: Served(*numbers) for variant, *numbers in connection.execute(_SERVED).fetchall()}
        connection.execute(_USERS)
        connection.execute(_DONE, {"click": CLICK, "purchase": PURCHASE, **span})
        connection.execute(_SO_FAR, {"start": window.start_ms})
        by_day = _days(connection)
        return Found(
            served=served,
            totals=by_day[max(by_day)] if by_day else {},
            by_day=by_day,
            by_segment=_segments(connection, segments),
            crossed=int(connection.execute("SELECT count(*) FROM all_users WHERE crossed").fetchall()[0][0]),
        )


def _days(connection: duckdb.DuckDBPyConnection) -> dict[int, dict[str, Totals]]:
    """Sums at each day's end: what each day adds to them, added up."""
    running: dict[str, Totals] = {}
    found: dict[int, dict[str, Totals]] = {}
    for day, variant, *numbers in connection.execute(_BY_DAY).fetchall():
        before = running.get(variant)
        added = _totals(numbers)
        running[variant] = {name: before[name] + added[name] for name in METRICS} if before else added
        found[day] = dict(running)
    return found


def _segments(connection: duckdb.DuckDBPyConnection, count: int) -> dict[str, dict[str, Totals]]:
    found: dict[str, dict[str, Totals]] = {}
    for segment, variant, *numbers in connection.execute(_BY_SEGMENT, {"count": count}).fetchall():
        found.setdefault(segment, {})[variant] = _totals(numbers)
    return found


def _totals(numbers: Sequence[Any]) -> Totals:
    users, *rest = numbers
    each = len(rest) // len(METRICS)
    return {
        name: Sums(int(users), *(value or 0 for value in rest[place * each : (place + 1) * each]))
        for place, name in enumerate(METRICS)
    }


def _sums() -> str:
    """Of every metric the sums of `Sums`, in its order, over rows with `_sign` 1 (now) and -1 (before)."""
    parts = []
    for name in METRICS:
        y, d = f"({_Y[name]})::DOUBLE", f"({_D.get(name, '1')})::DOUBLE"
        parts += [f"sum(sign * ({y} <> 0)::INT)"]
        parts += [f"sum(sign * {term})" for term in (y, f"{y}**2", f"{y}**3", d, f"{d}**2", f"{y} * {d}")]
    return ", ".join(parts)


@contextmanager
def _database() -> Iterator[duckdb.DuckDBPyConnection]:
    with TemporaryDirectory(prefix="experiment-") as folder:
        connection = duckdb.connect(str(Path(folder) / "read.duckdb"))
        try:
            connection.execute(f"SET memory_limit = '{_MEMORY}'")
            connection.execute(f"SET temp_directory = '{Path(folder) / 'spilled'}'")
            connection.execute("SET preserve_insertion_order = false")
            connection.execute("SET enable_progress_bar = false")
            yield connection
        except (duckdb.InvalidInputException, duckdb.IOException) as error:
            raise UnreadableLake(str(error)) from error
        finally:
            connection.close()


# Ids are kept as the 128 bits of their MD5: a third of the memory, and no id leaves the files
_SHOWN: Final = """
CREATE TABLE shown AS
SELECT any_value(md5_number(unit_id)) AS unit, any_value(variant) AS variant, min(exposed_at) AS exposed_at,
    any_value(source) AS source, any_value(colour) AS colour,
    any_value(coalesce(len(failures), 0)) AS failures, any_value(items) AS items,
    any_value(took_ms) AS took_ms
FROM exposures
WHERE experiment = $experiment AND variant IN ('treatment', 'control')
    AND exposed_at >= $start AND exposed_at < $end
GROUP BY md5_number(request_id)
"""

_SERVED: Final = """
SELECT variant, count(*), sum(failures), count(*) FILTER (source = 'popular' AND colour <> 'none'),
    count(*) FILTER (items = 0), coalesce(approx_quantile(took_ms, 0.95), 0)
FROM shown GROUP BY variant
"""

_USERS: Final = """
CREATE TABLE all_users AS
SELECT unit, min(variant) AS variant, min(exposed_at) AS since, min(variant) <> max(variant) AS crossed
FROM shown GROUP BY unit;
CREATE TABLE users AS SELECT unit, variant, since FROM all_users WHERE NOT crossed
"""

_DONE: Final = """
CREATE TABLE done AS
WITH wanted AS (
    SELECT md5_number(event_id) AS event, coalesce(user_id, session_id) AS who, received_at, event_type, value
    FROM events
    WHERE event_type IN ($click, $purchase) AND received_at >= $start AND received_at < $end
), people AS (
    SELECT who, md5_number(unit_of(who)) AS unit FROM (SELECT DISTINCT who FROM wanted WHERE who IS NOT NULL)
), once AS (
    SELECT any_value(unit) AS unit, min(received_at) AS moment, any_value(event_type) AS event_type,
        any_value(value) AS value
    FROM wanted JOIN people USING (who) WHERE unit IN (SELECT unit FROM users)
    GROUP BY event
)
SELECT unit, moment, (event_type = $click)::INT AS clicks, (event_type = $purchase)::INT AS purchases,
    CASE WHEN event_type = $purchase AND isfinite(value) THEN value ELSE 0 END AS revenue
FROM once JOIN users USING (unit) WHERE moment >= since
"""

_SO_FAR: Final = f"""
CREATE TABLE so_far AS
WITH a_day AS (
    SELECT unit, (exposed_at - $start) // {DAY_MS} AS day, 1 AS exposures, 0 AS clicks, 0 AS purchases,
        0::DOUBLE AS revenue
    FROM shown JOIN users USING (unit)
    UNION ALL
    SELECT unit, (moment - $start) // {DAY_MS}, 0, clicks, purchases, revenue FROM done
), days AS (
    SELECT unit, day, sum(exposures) AS exposures, sum(clicks) AS clicks, sum(purchases) AS purchases,
        sum(revenue) AS revenue
    FROM a_day GROUP BY unit, day
)
SELECT unit, day,
    sum(exposures) OVER still AS exposures, sum(clicks) OVER still AS clicks,
    sum(purchases) OVER still AS purchases, sum(revenue) OVER still AS revenue,
    lead(day) OVER (PARTITION BY unit ORDER BY day) AS until
FROM days WINDOW still AS (PARTITION BY unit ORDER BY day ROWS UNBOUNDED PRECEDING)
"""
"""How each user stands from one day to the next on which anything changes."""

_BY_DAY: Final = f"""
WITH changes AS (
    SELECT day, unit, 1 AS sign, exposures, clicks, purchases, revenue FROM so_far
    UNION ALL
    SELECT until, unit, -1, exposures, clicks, purchases, revenue FROM so_far WHERE until IS NOT NULL
)
SELECT day, variant, sum(sign), {_sums()} FROM changes JOIN users USING (unit)
GROUP BY day, variant ORDER BY day
"""

_BY_SEGMENT: Final = f"""
WITH known AS (
    SELECT md5_number(unit_of(user_id)) AS unit, any_value(segment) AS segment FROM catalogue
    WHERE user_id IS NOT NULL AND segment IS NOT NULL GROUP BY 1
), in_one AS (
    SELECT segment, variant, unit FROM known JOIN users USING (unit)
), largest AS (
    SELECT segment, count(*) AS size FROM in_one GROUP BY segment ORDER BY size DESC, segment LIMIT $count
)
SELECT segment, variant, sum(sign), {_sums()}
FROM (SELECT *, 1 AS sign FROM so_far WHERE until IS NULL)
    JOIN in_one USING (unit) JOIN largest USING (segment)
GROUP BY segment, variant ORDER BY max(size) DESC, segment, variant
"""
