"""`python -m benchmarks.pictures`: take the pictures of docs/images afresh, from a local cloud that runs.

Start `make demo` first. This sends it visitors and retrains it a few times, compares recipes, puts an
experiment that is over into its lake (of users who are made up, with a known effect), and takes each page by
a browser; `make browser` installs what that needs. Look at what it has taken: what a picture shows differs
from run to run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import duckdb

from local_cloud import demo, deployed
from local_cloud.connection import DEFAULT_STATE, Connection, connect, free_port
from local_cloud.live_api import ApiError, LiveApi
from local_cloud.progress import Progress
from recommendations.experiment import Experiment
from vocabulary.lake import EVENT_COLUMNS, EVENTS_FOLDER, EXPOSURE_COLUMNS, EXPOSURES_FOLDER, Column

ROOT: Final = Path(__file__).resolve().parent.parent
BROWSERS: Final = ROOT / ".venv" / "browsers"

DAYS: Final = 14
EXPERIMENT: Final = Experiment("the salt of the pictures", control=3000, treatment=3000)
LIFT: Final = 0.14
"""What treatment buys more often."""

_READY_WITHIN: Final = 120
"""Seconds; a page loads itself while it copies the lake, or reads the experiment."""

_WIDE: Final = (1280, 800)
_DOWN_TO: Final = {"inspector-models": "Now", "inspector-night": "Alarms", "experiment": "By segment"}
"""The heading that a page's picture ends above."""

_SPACE: Final = 10
_TYPES: Final = {"string": "VARCHAR", "array<string>": "VARCHAR[]", "int": "INTEGER"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pictures", description=__doc__)
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE, help="of the local cloud")
    parser.add_argument("--nights", type=int, default=5, help="how often it is retrained first")
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--width", type=int, help="another one, to see how pages bear it: into elsewhere")
    given = parser.parse_args()
    connection, progress = connect(given.state), Progress()
    environ = {**connection.environ(), "PYTHONPATH": os.pathsep.join(("lambdas", "."))}
    with visitors(LiveApi.of(connection)):
        for _ in range(given.nights):
            demo.retrain(connection, progress)
    compared = given.state / "compared-local.json"
    if given.nights or not compared.exists():
        compare = [sys.executable, "-m", "local_cloud", "compare", "--state", str(given.state)]
        subprocess.run(compare, cwd=ROOT, env=environ, check=True)
    begin_experiment(connection, datetime.now(UTC).date())
    customers = json.loads(compared.read_text())["customers"]
    customer = max(customers, key=lambda each: len(set(each["touched"])))
    given.into.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(prefix="pictures-") as copies,
        inspector(given.state, Path(copies), environ) as url,
    ):
        take(url, pages_of(customer), given.into, given.width)
    return 0


def pages_of(customer: Mapping[str, Any]) -> dict[str, str]:
    """The address of each picture.

    :param customer: one that `make compare` made lists for.
    """
    touched = list(dict.fromkeys(customer["touched"]))[:5][::-1]
    columns = urlencode({"column": ["live", "compared:interactions-only"]}, doseq=True)
    return {
        "inspector": f"/customers/{customer['user_id']}?{columns}",
        "inspector-what-if": "/try?" + urlencode({"touch": touched, "was": touched[:-1]}, doseq=True),
        "inspector-models": "/models",
        "inspector-night": "/watch?refresh=off",
        "experiment": "/experiment",
    }


@contextmanager
def visitors(api: LiveApi) -> Iterator[None]:
    """Customers of the generated marketplace, who ask and look at what they are recommended."""
    over, draw = threading.Event(), random.Random(5)

    def visit() -> None:
        while not over.wait(0.5):
            user_id = f"u{draw.randrange(1, 3000):05}"
            try:
                items = api.recommendations(user_id)["items"]
                api.send(user_id, [{"event_type": "view", "item_id": each["item_id"]} for each in items[:2]])
            except ApiError as error:
                print(error, file=sys.stderr)

    thread = threading.Thread(target=visit)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def begin_experiment(connection: Connection, today: date) -> None:
    """Deploy the experiment's configuration, with the lake's files of the days since it began."""
    first = today - timedelta(days=DAYS + 1)
    put_traffic(connection.client("s3"), deployed.output(connection, "LakeBucketName"), first)
    application, environment, profile = deployed.output(connection, "Experiment").split("/")
    appconfig = connection.client("appconfig")
    told = {
        "enabled": True,
        "salt": EXPERIMENT.salt,
        "allocation": {"exempt": 4000, "control": EXPERIMENT.control, "treatment": EXPERIMENT.treatment},
        "plan": {"primary": "conversion", "days": DAYS, "starts": str(first)},
    }
    of_profile = {"ApplicationId": application, "ConfigurationProfileId": profile}
    version = appconfig.create_hosted_configuration_version(
        **of_profile, Content=json.dumps(told).encode(), ContentType="application/json"
    )["VersionNumber"]
    appconfig.start_deployment(
        **of_profile,
        EnvironmentId=environment,
        ConfigurationVersion=str(version),
        DeploymentStrategyId=deployed.output(connection, "ExperimentStrategy"),
    )


def put_traffic(s3: Any, bucket: str, first: date, users: int = 30_000) -> None:
    """Exposures and what users did after them, a file for each day."""
    database = duckdb.connect(config={"threads": 1})  # so that a seed draws the same people again
    for name, of in (("variant_of", lambda who: EXPERIMENT.assign(who).variant), ("unit_of", _unit_of)):
        database.create_function(name, of, ["VARCHAR"], "VARCHAR")
    start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp() * 1000)
    database.execute(
        f"""
        SELECT setseed(0.1);
        CREATE TABLE people AS
        SELECT 'made-up-' || n AS who, variant_of(who) AS variant, unit_of(who) AS unit,
            {start} + floor(random() * {DAYS - 1} * 86400000)::BIGINT AS since, random() AS draw
        FROM range({users}) AS r(n);
        DELETE FROM people WHERE variant = 'exempt';
        CREATE TABLE shown AS
        SELECT people.*, since + (n * random() * 3600000)::BIGINT AS happened, who || '-' || n AS request
        FROM people, range(6) AS r(n) WHERE n = 0 OR random() < 0.5;
        CREATE TABLE done AS
        SELECT who, since + 3600000 AS happened, 'purchase' AS kind,
            exp(3.5 + 0.5 * (random() + random() - 1)) AS value
        FROM people WHERE draw < 0.12 * (1 + {LIFT} * (variant = 'treatment')::INT)
        UNION ALL
        SELECT who, happened + 60000, 'click', NULL FROM shown WHERE random() < 0.3
        """
    )
    treated = "variant = 'treatment'"
    exposure = {
        "exposed_at": "happened",
        "request_id": "request",
        "unit_id": "unit",
        "variant": "variant",
        "experiment": f"'{EXPERIMENT.id}'",
        "placement": "'recommended-for-you'",
        "colour": "'maize'",
        "answered_by": f"CASE WHEN {treated} THEN 'maize' END",
        "source": f"CASE WHEN {treated} THEN 'personalize' ELSE 'control' END",
        "items": "25",
        "failures": "[]",
        "took_ms": f"CASE WHEN {treated} THEN 40 ELSE 4 END + random() * 20",
    }
    event = {
        "event_id": "who || kind || happened",
        "received_at": "happened",
        "sent_at": "happened",
        "session_id": "who",
        "user_id": "who",
        "event_type": "kind",
        "item_id": "'made-up'",
        "value": "value",
    }
    with TemporaryDirectory(prefix="pictures-") as name:
        for day in range(DAYS + 1):
            of_day = f"happened BETWEEN {start + day * 86_400_000} AND {start + (day + 1) * 86_400_000 - 1}"
            for folder, table, columns, given in (
                (EXPOSURES_FOLDER, "shown", EXPOSURE_COLUMNS, exposure),
                (EVENTS_FOLDER, "done", EVENT_COLUMNS, event),
            ):
                file = Path(name) / "a.parquet"
                rows = f"SELECT {_row(columns, given)} FROM {table} WHERE {of_day}"
                database.execute(f"COPY ({rows}) TO '{file}'")
                key = f"{folder}/day={first + timedelta(days=day)}/made-up.parquet"
                s3.upload_file(str(file), bucket, key)


def _unit_of(who: str) -> str:
    return EXPERIMENT.assign(who).unit_id


def _row(columns: Iterable[Column], given: Mapping[str, str]) -> str:
    return ", ".join(
        f'CAST({given.get(each.name, "NULL")} AS {_TYPES.get(each.type, each.type)}) AS "{each.name}"'
        for each in columns
    )


@contextmanager
def inspector(state: Path, copies: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """The inspector, as `make inspect` opens it; its address."""
    port = free_port()
    where = ["--no-browser", "--port", str(port), "--state", str(state), "--copies", str(copies)]
    process = subprocess.Popen([sys.executable, "-m", "inspector", *where], cwd=ROOT, env=dict(environ))
    url = f"http://127.0.0.1:{port}"
    try:
        while not _answers(url):
            if process.poll() is not None:
                raise SystemExit("error: the inspector has ended; it says why above")
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/static/style.css", timeout=2):
            return True
    except (URLError, OSError):
        return False


def executable() -> str | None:
    """The machine's browser, or None for the one that `make browser` has Playwright install into .venv."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")  # as scripts/browser.sh
    if path := next(filter(None, map(shutil.which, names)), None):
        return path
    os.environ["PLAYWRIGHT_BROWSERS_PATH"] = str(BROWSERS)
    return None


def take(url: str, pages: Mapping[str, str], into: Path, width: int | None) -> None:
    """Each page's picture, as somebody sees it who has just come, and down to a heading where one is near."""
    from playwright.sync_api import sync_playwright

    press: dict[str, Callable[[Any], Any]] = {
        "inspector-what-if": lambda page: page.get_by_role("button", name="Send these sessions").click()
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        page: Any = browser.new_context(
            viewport={"width": width or _WIDE[0], "height": _WIDE[1]}, color_scheme="light"
        ).new_page()
        for name, path in pages.items():
            page.goto(url + path)
            page.locator("meta[http-equiv=refresh]").wait_for(state="detached", timeout=_READY_WITHIN * 1000)
            if name in press and page.get_by_role("button", name="Send these sessions").count():
                press[name](page)
            page.wait_for_load_state("networkidle")
            clip = None
            if name in _DOWN_TO and width is None:
                end = page.get_by_role("heading", name=_DOWN_TO[name]).bounding_box()
                clip = {"x": 0, "y": 0, "width": _WIDE[0], "height": end["y"] - _SPACE}
            page.screenshot(path=into / f"{name}.png", full_page=bool(clip) or width is not None, clip=clip)
            print(f"{into / name}.png: {path}")
        browser.close()


if __name__ == "__main__":
    raise SystemExit(main())
