"""What sets off each alarm of a deployment of everything, and is over again.

Where the local cloud cannot bring the condition about, the metric is put by hand, with the alarm's own
dimensions: those say so in their name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from typing import Any

from local_cloud.delivery_faults import DeliveryFault, DeliveryFaults
from tests.story.deployment import until
from tests.story.provoking import Provocation
from tests.story.trouble import Trouble
from tests.story.watched import HOUR_MS, Watched
from vocabulary.lake import EVENTS_FOLDER, QUARANTINE_FOLDER

HOURS = 0.002
"""An hour is 7.2 seconds."""
DAYS = 0.00005
"""A day is 4.3 seconds."""


@contextmanager
def _requests(watched: Watched, *, at_once: int = 2) -> Iterator[None]:
    with watched.again_and_again(watched.ask, at_once=at_once):
        yield


@contextmanager
def without_campaigns(watched: Watched, colour: str) -> Iterator[None]:
    with watched.serving(variables={"LIVE_COLOUR": colour}), _requests(watched):
        yield


@contextmanager
def _failing(watched: Watched) -> Iterator[None]:
    with watched.serving(Handler="nothing.handle"), _requests(watched):
        yield


@contextmanager
def _slow(watched: Watched) -> Iterator[None]:
    with watched.slow_serving(), _requests(watched, at_once=6):
        yield


@contextmanager
def _without_experiment(watched: Watched) -> Iterator[None]:
    with watched.serving(variables={"EXPERIMENT": "no/such/experiment"}), _requests(watched):
        yield


@contextmanager
def _narrow(watched: Watched) -> Iterator[None]:
    with watched.narrow_api("RecommendationsUrl"), _requests(watched, at_once=4):
        yield


@contextmanager
def _narrow_for_events(watched: Watched) -> Iterator[None]:
    with watched.narrow_api("EventsUrl"), watched.again_and_again(watched.send, at_once=4):
        yield


@contextmanager
def _without_room(watched: Watched) -> Iterator[None]:
    with watched.without_room(), _requests(watched):
        yield


@contextmanager
def _broken_collector(watched: Watched) -> Iterator[None]:
    with watched.broken(watched.function("PUT_BUDGET_MS")), watched.again_and_again(watched.send):
        yield


@contextmanager
def _message_in_failure_queue(watched: Watched) -> Iterator[None]:
    sqs, url = watched.connection.client("sqs"), watched.story.output("FailureQueueUrl")
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"reason": "a trial"}))
    yield
    sqs.purge_queue(QueueUrl=url)


@contextmanager
def _records_that_are_no_events(watched: Watched) -> Iterator[None]:
    kinesis, stream = watched.connection.client("kinesis"), watched.story.output("StreamName")
    with watched.again_and_again(
        lambda: kinesis.put_record(StreamName=stream, Data=b'{"sent_at": "noon"}', PartitionKey="a"), pause=1
    ):
        yield


@contextmanager
def _lake_away(watched: Watched) -> Iterator[None]:
    away = DeliveryFaults(watched.connection).injected(DeliveryFault(failing=True))
    with away, watched.again_and_again(watched.send, pause=1):
        yield


@contextmanager
def _exposures(watched: Watched, **fields: Any) -> Iterator[None]:
    with watched.again_and_again(lambda: watched.expose(**fields), pause=1):
        yield


@contextmanager
def _exposures_without_a_right(watched: Watched) -> Iterator[None]:
    iam, role = watched.connection.client("iam"), watched.subscription()["roleArn"].rpartition("/")[2]
    deny = {"Statement": {"Effect": "Deny", "Action": "firehose:*", "Resource": "*"}}
    iam.put_role_policy(RoleName=role, PolicyName="trial", PolicyDocument=json.dumps(deny))
    with _exposures(watched):
        yield
    iam.delete_role_policy(RoleName=role, PolicyName="trial")


@contextmanager
def _exposures_not_delivered(watched: Watched) -> Iterator[None]:
    stream = watched.subscription()["destinationArn"].rpartition("/")[2]
    fault = DeliveryFault(stream=stream, failing=True)
    with DeliveryFaults(watched.connection).injected(fault), _exposures(watched):
        yield


@contextmanager
def _hourly_looks(watched: Watched) -> Iterator[None]:
    with watched.again_and_again(watched.hourly_look, at_once=3, pause=0.5):
        yield


@contextmanager
def _old_model(watched: Watched) -> Iterator[None]:
    with watched.colour("maize", age_ms=37 * HOUR_MS, live=True), _hourly_looks(watched):
        yield


@contextmanager
def _new_model(watched: Watched) -> Iterator[None]:
    with watched.colour("maize", age_ms=HOUR_MS, live=True), _hourly_looks(watched):
        yield


@contextmanager
def _old_dormant_colour(watched: Watched) -> Iterator[None]:
    with (
        watched.colour("blue", age_ms=15 * HOUR_MS, live=False),
        watched.colour("maize", age_ms=HOUR_MS, live=True),
        _hourly_looks(watched),
    ):
        yield


@contextmanager
def _retraining_with_no_data(watched: Watched) -> Iterator[None]:
    story = watched.story
    execution = story.start()
    states = story.connection.client("stepfunctions")
    until(
        lambda: states.describe_execution(executionArn=execution)["status"] == "FAILED",
        "the retraining is refused",
    )
    yield
    until(lambda: story.groups() == [], "what it left is cleared away")


@contextmanager
def _unreadable_file(watched: Watched) -> Iterator[None]:
    s3, lake = watched.connection.client("s3"), watched.story.output("LakeBucketName")
    name = f"day={date.today() - timedelta(days=4)}/cut-off.parquet"
    s3.put_object(Bucket=lake, Key=f"{EVENTS_FOLDER}/{name}", Body=b"PAR1 and no more")
    compaction = Trouble(watched.story).function("training_data.compaction_handler")
    watched.lambda_.invoke(FunctionName=compaction)
    s3.head_object(Bucket=lake, Key=f"{QUARANTINE_FOLDER}/{name}")
    yield


@contextmanager
def _broken_compaction(watched: Watched) -> Iterator[None]:
    compaction = Trouble(watched.story).function("training_data.compaction_handler")
    invoke = partial(watched.lambda_.invoke, FunctionName=compaction)
    with watched.broken(compaction), watched.again_and_again(invoke, pause=1):
        yield


@contextmanager
def value(watched: Watched, runbook: str, value: float) -> Iterator[None]:
    alarm = watched.find(runbook)
    with watched.again_and_again(lambda: watched.put(alarm, value), pause=0.2):
        yield


@contextmanager
def _answers(watched: Watched, count: float) -> Iterator[None]:
    """So many answers for the placement that has more than the least capacity, every while."""
    alarm = watched.find("campaign-idle")
    metric = alarm["Metrics"][0]["MetricStat"]["Metric"] if "MetricStat" in alarm["Metrics"][0] else None
    metric = metric or alarm["Metrics"][1]["MetricStat"]["Metric"]
    with watched.again_and_again(lambda: watched.put(metric, count), pause=0.2):
        yield


OUT, DEGRADED = "recommendations-out", "recommendations-degraded"
REFUSED, LATE = "events-refused", "events-late"

PROVOCATIONS = (
    Provocation("recommendations-failing", _failing, OUT),
    Provocation("recommendations-starved", _without_room, OUT),
    Provocation("recommendations-falling-back", partial(without_campaigns, colour="maize"), DEGRADED),
    Provocation("recommendations-slow", _slow, DEGRADED),
    Provocation("colour-erring", partial(without_campaigns, colour="maize"), DEGRADED, colour="maize"),
    Provocation("colour-erring", partial(without_campaigns, colour="blue"), DEGRADED, colour="blue"),
    Provocation("colour-falling-back", partial(without_campaigns, colour="maize"), DEGRADED, colour="maize"),
    Provocation("colour-falling-back", partial(without_campaigns, colour="blue"), DEGRADED, colour="blue"),
    Provocation("experiment-unknown", _without_experiment, None),
    Provocation("recommendations-refused", _narrow, None),
    Provocation("events-failing", _broken_collector, REFUSED),
    Provocation(
        "events-throttled", partial(value, runbook="events-throttled", value=1), REFUSED, by_hand=True
    ),
    Provocation("events-behind", partial(value, runbook="events-behind", value=61_000), LATE, by_hand=True),
    Provocation("events-undelivered", _message_in_failure_queue, LATE),
    Provocation("events-limited", _narrow_for_events, None),
    Provocation("lake-delivery-stalled", _lake_away, "lake-delivery-stalled"),
    Provocation("lake-delivery-refusing", _records_that_are_no_events, LATE),  # the forwarder queues them
    Provocation("lake-files-unreadable", _unreadable_file, None),
    Provocation("lake-compaction-failing", _broken_compaction, None),
    Provocation("exposures-unsent", _exposures_without_a_right, None),
    Provocation("exposures-stalled", _exposures_not_delivered, None),
    Provocation("exposures-refusing", partial(_exposures, items="many"), None),
    Provocation("gate-refused", _retraining_with_no_data, None),
    # From here on ever faster clocks: by a slower one, what was put for these would count again
    Provocation("retraining-overdue", _old_model, "retraining-overdue", scale=HOURS, after=_new_model),
    Provocation(
        "first-training-missing",
        _hourly_looks,
        "first-training-missing",
        scale=HOURS / 4,
        after=_new_model,
    ),
    Provocation("dormant-colour-lingering", _old_dormant_colour, None, scale=HOURS),
    Provocation(
        "campaign-idle",
        partial(_answers, count=1),
        None,
        scale=DAYS,
        after=partial(_answers, count=20_000),
        by_hand=True,
    ),
)
