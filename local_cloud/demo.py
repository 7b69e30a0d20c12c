"""The demo: Colorway deployed and trained in a local cloud, and recommendations that follow a customer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError

from local_cloud import comparison, deployed, retraining_progress
from local_cloud.cloud import LocalCloud, Options
from local_cloud.connection import DEFAULT_STATE, Connection, LocalCloudError
from local_cloud.deployment import Deployment, StackProgress
from local_cloud.lake_loading import connect, load
from local_cloud.live_api import LiveApi
from local_cloud.marketplace import generate
from local_cloud.own_data import OwnData, look_at, read
from local_cloud.progress import Progress, Step
from local_cloud.showcase import Product, Showcase

ROOT: Final = Path(__file__).resolve().parent.parent

_SHOWN: Final = 10
_MOVES_WITHIN: Final = 30.0
_LOOK_EVERY: Final = 0.3


def run(options: Options, progress: Progress, *, environ: Mapping[str, str], once: bool) -> None:
    """Run the demo.

    :param environ: may name the user's own data, see `local_cloud.own_data`.
    :param once: end when everything was shown, rather than serve until Ctrl-C.
    :raises LocalCloudError: when a part fails; the message says which and why.
    """
    if own := OwnData.from_environ(environ):
        look_at(connect(), own)  # what is wrong is said now, rather than when all is deployed
    if options.keep and options.kept.exists():
        raise LocalCloudError(
            f"{options.kept} is what an earlier cloud has kept: "
            "go on with `python -m local_cloud serve --keep`, or remove that folder"
        )
    progress.say("\nColorway: collected, trained and served on this machine; no AWS account is used.\n")
    cloud = LocalCloud(options)
    with progress.step("start") as step:
        connection = cloud.start()
        step.says(f"local cloud at {connection.endpoint}, IAM enforced")
    try:
        deploy(connection, options, progress)
        showcase = load_history(connection, progress, own)
        train_first(connection, progress)
        show(LiveApi.of(connection), showcase, progress)
        _say_times(progress)
        if not once:
            _stay_up(cloud, progress)
    except (BotoCoreError, OSError):
        cloud.check()
        raise
    finally:
        cloud.stop()


def deploy(connection: Connection, options: Options, progress: Progress) -> None:
    """Bootstrap the account, and deploy every stack."""
    deployment = Deployment(connection, root=ROOT, state=options.state)
    with progress.step("bootstrap") as step:
        deployment.bootstrap()
        step.says("cdk bootstrap")
    with progress.step("synthesise") as step:
        deployment.synthesise()
        step.says("python app.py, by cdk synth")
    with progress.step("deploy") as step:
        deployment.deploy(synthesise=False, watch=_StackLines(step))


class _StackLines:
    """A line for each stack that is deployed."""

    def __init__(self, step: Step) -> None:
        self._step, self._began = step, step.elapsed

    def __call__(self, stack: StackProgress) -> None:
        if stack.finished:
            self._step.line(f"{stack.stack:<32} {stack.total:>3} resources", self._step.elapsed - self._began)
            self._began = self._step.elapsed
        else:
            self._step.says(f"{stack.stack:<32} {stack.done:>3} of {stack.total}")


def load_history(connection: Connection, progress: Progress, own: OwnData | None = None) -> Showcase:
    """Fill the lake with the user's own data, or with a generated marketplace."""
    database = connect()
    with progress.step("load") as step:
        if own:
            trained = deployed.settings_with(connection, "HISTORY_DAYS")
            history = read(
                database,
                own,
                now=datetime.now(UTC),
                history_days=int(trained["HISTORY_DAYS"]),
                event_types=trained["EVENT_TYPES"].split(","),
                progress=step.line,
            )
        else:
            step.says("generating a sneaker marketplace")
            history = generate(now=datetime.now(UTC)).history(database)
        load(
            connection.client("s3"),
            bucket=deployed.output(connection, "LakeBucketName"),
            history=history,
            progress=step.says,
        )
        return Showcase(database, history)


def train_first(connection: Connection, progress: Progress) -> None:
    """Train, unless the run that the deployment has started by itself does.

    It is mostly over by now, in vain for lack of data; on a slow machine it comes late enough to find them.
    """
    state_machine = deployed.output(connection, "RetrainingArn")
    while execution := retraining_progress.running(connection, state_machine):
        if retraining_progress.follow(connection, execution, progress).get("outcome") == "done":
            return
    retrain(connection, progress)


def retrain(connection: Connection, progress: Progress) -> None:
    """Start a retraining and show it until the new colour is live.

    :raises LocalCloudError: when it fails, or did nothing; the message says why.
    """
    execution = retraining_progress.start(connection, deployed.output(connection, "RetrainingArn"))
    outcome = retraining_progress.follow(connection, execution, progress)
    if outcome.get("outcome") != "done":
        raise LocalCloudError(f"nothing was retrained: {outcome.get('says', outcome)}")


def show(api: LiveApi, showcase: Showcase, progress: Progress) -> None:
    """Show one customer's recommendations, and how three events of another taste move them.

    :raises LocalCloudError: when they do not move in time.
    """
    customer = showcase.customer()
    before = api.recommendations(customer, num_results=str(_SHOWN))
    old = _products(showcase, before)
    progress.say(f"\nThe first recommendation, {progress.elapsed:.0f} s after the start:\n")
    progress.say(f"  curl -H 'x-api-key: {api.key}' '{api.url_for(customer)}'\n")
    progress.say(f"What customer {customer} touched last:\n")
    progress.say("\n".join(comparison.touches_table(showcase.touches(customer))))
    progress.say(f"\nRecommended for {customer} (colour {before['colour']}, from {before['source']}):\n")
    progress.say("\n".join(comparison.list_table(old)))

    others = showcase.another_taste(customer)
    progress.say(f"\nNow {customer} views three products of another taste (POST {api.events_url}events):\n")
    progress.say("\n".join(comparison.list_table(others)))
    api.send(customer, [{"event_type": "view", "item_id": each.item_id} for each in others])
    sent = time.monotonic()
    new, last = old, None
    while new == old or new != last:  # until they have moved, and moved for all three
        if time.monotonic() - sent > _MOVES_WITHIN:
            raise LocalCloudError(
                f"the recommendations of {customer} are the same {_MOVES_WITHIN:.0f} s after three events"
            )
        time.sleep(_LOOK_EVERY)
        new, last = _products(showcase, api.recommendations(customer, num_results=str(_SHOWN))), new
    progress.say(f"\nAnd {time.monotonic() - sent:.1f} s later:\n")
    progress.say("\n".join(comparison.change_table(old, new, progress.width)))


def _products(showcase: Showcase, answer: Mapping[str, Any]) -> list[Product]:
    return [showcase.product(item["item_id"]) for item in answer["items"]]


def _say_times(progress: Progress) -> None:
    each = ", ".join(f"{title} {seconds:.1f}" for title, seconds in progress.took.items())
    progress.say(f"\nSeconds: {each}; {progress.elapsed:.0f} in all.")


def _stay_up(cloud: LocalCloud, progress: Progress) -> None:
    """Serve until Ctrl-C.

    :raises LocalCloudError: when the local cloud ends by itself.
    """
    state = cloud.options.state
    make, env = ("", "") if state == DEFAULT_STATE else (f" STATE={state}", f" --state {state}")
    progress.say(
        "\nIt stays up until Ctrl-C. Meanwhile, from another terminal:\n\n"
        f"  make inspect{make}   look at it in a browser\n"
        f"  make status{make}    what is live, and how good it is\n"
        f"  make retrain{make}   move the traffic to the other colour\n\n"
        f'Any AWS tool works on it: eval "$(.venv/bin/python -m local_cloud env{env})", or with\n'
        f"credentials test and test, aws --endpoint-url {cloud.connection.endpoint} --region us-east-1\n"
    )
    try:
        cloud.wait()
    except KeyboardInterrupt:
        progress.say("\nStopping.")
