"""One report, from a deployment: its configuration, the partitions of the horizon, the reading."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from experiments import lake_files
from experiments.configured import Configured, configured
from experiments.lake_files import LakeFiles
from experiments.plan import Window
from experiments.reading import first_exposure, read
from experiments.report import Report, report


def of_deployment(
    client: Callable[[str], Any],
    *,
    identifiers: str,
    bucket: str,
    folder: Path,
    now: datetime,
    wanted: str = "",
) -> Report:
    """Report on the experiment of an environment; reads AppConfig and the lake, and writes neither.

    :param client: a boto3 client of a service by its name.
    :param identifiers: the output `Experiment` of the serving stack.
    :param bucket: the lake.
    :param folder: where copies of its files are kept.
    :param wanted: how the id of an earlier experiment begins.
    :raises NoExperiment: when none was ever configured.
    """
    told = configured(client("appconfig"), identifiers, wanted)
    s3, today = client("s3"), now.astimezone(UTC).date()
    since, began = told.plan.starts, None
    if since is None or since > today:
        # Exposures alone say when it began: events are copied of no more days than are counted
        since = lake_files.first_day(s3, bucket) or today
        lake_files.copy_exposures(s3, bucket, folder, since, today)
        began = first_exposure(LakeFiles.below(folder, since, today).exposures, told.experiment)
    window = told.plan.window(began, today)
    shown = _shown(window, began, today)
    lake_files.copy(s3, bucket, folder, shown.first, min(today, _last(shown)), exposures_since=since)
    return of_folder(folder, told, window, now=now, shown=shown)


def of_folder(
    folder: Path, told: Configured, window: Window, *, now: datetime, shown: Window | None = None
) -> Report:
    """Report from files that are laid out as the lake's are.

    :param window: the days that count.
    :param shown: the days that are read instead, before the first of those: a canary's.
    """
    shown = shown or window
    experiment = told.experiment
    return report(
        read(LakeFiles.below(folder, shown.first, _last(shown)), experiment, shown),
        experiment=experiment.id,
        shares=(experiment.treatment, experiment.control),
        plan=told.plan,
        window=window,
        now=now,
        notes=told.notes,
    )


def _shown(window: Window, began: int | None, today: date) -> Window:
    """The days that count; before they begin, those on which users have been exposed so far."""
    if window.first <= today:
        return window
    first = today if began is None else datetime.fromtimestamp(began / 1000, UTC).date()
    return Window(first, (today - first).days + 1)


def _last(window: Window) -> date:
    """Partitions are by day of arrival: what was shown in the last minutes may lie in the next day's."""
    return window.first + timedelta(days=window.days)
