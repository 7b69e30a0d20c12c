"""Each accepted event is in the lake once and in each colour once, whatever fails, comes again or comes late.

One deployment, told in order. Shoppers send events the whole time; colours
open, import, flip and retire; PutEvents, functions, rights and the delivery to
the lake fail, repeat and reorder. A smaller one is part of test_story.py.
"""

from __future__ import annotations

import io
import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Final

import pytest

from local_cloud.alarm_control import AlarmControl
from local_cloud.erasure import Erasure
from local_cloud.progress import Progress
from local_cloud.redrive import redrive
from recommendations.experiment import Experiment
from tests.story.deployment import Story, until
from tests.story.exactly_once import Scene, check_colour, check_lake, counted
from tests.story.whereabouts import Row, undelivered

pytestmark = [pytest.mark.story, pytest.mark.prove]

EVENTS: Final = 2_500
"""To be accepted during each retraining, at least."""

SALT: Final = "the salt of an experiment"

ROUNDS: Final = 4
"""Retrainings after the first."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    story = Story(tmp_path_factory.mktemp("exactly-once"))
    _let_answers_take_their_time(story)
    with story:
        story.load_history()
        yield Scene(story, clients=4)


def _let_answers_take_their_time(story: Story) -> None:
    """Shoppers and faults keep the machine busy: how fast a new colour answers is not what is proved here."""
    settings = story.root / "stacks" / "environment.py"
    limit = "HeartbeatGate(slowest_ms=2000)"
    assert limit in settings.read_text()
    settings.write_text(settings.read_text().replace(limit, "HeartbeatGate(slowest_ms=60_000)"))


def test_01_a_first_colour_opens_imports_and_flips_among_events_and_failures(scene: Scene) -> None:
    colour = scene.retrain_in_trouble(seed=1, events=EVENTS)
    scene.drain()
    lake = check_lake(scene)
    found, twice = check_colour(scene, lake, colour)
    assert len(found.bulk) > 50  # both ways were in use
    assert len(found.streamed) > 50
    assert scene.ledger.answers.keys() & {429, 500, 502, 503}
    assert twice <= scene.ledger.sent_again


def test_02_a_colour_that_is_rebuilt_beside_the_live_one_has_each_event_once_too(scene: Scene) -> None:
    for number in range(ROUNDS):
        repeated = scene.trouble.repeat_records(seed=number, share=0.2)
        assert repeated > 50
        colour = scene.retrain_in_trouble(seed=2 + number, events=EVENTS)
        scene.drain()
        lake = check_lake(scene)
        assert len(lake.raw) >= len(lake.view) + repeated
        _, twice = check_colour(scene, lake, colour)
        assert twice <= scene.ledger.sent_again
        assert [each.colour for each in scene.open_colours()] == [colour]
    assert len(scene.ledger.accepted()) >= (ROUNDS + 1) * EVENTS
    assert scene.outgoing_read == ROUNDS
    assert scene.trouble.seen.keys() >= {"lake away", "lake twice, in any order"}


def test_03_events_at_the_very_cutoff_go_one_way_or_the_other(scene: Scene) -> None:
    (colour,) = scene.open_colours()
    found = scene.colours.read(colour.dataset_group_arn)
    edges = [row for row in scene.lake().view if row.session_id == f"edge-{colour.cutoff}"]
    ways = {
        row.received_at - colour.cutoff: (found.bulk[row.serial], found.streamed[row.serial]) for row in edges
    }
    assert ways == {-1: (1, 0), 0: (0, 1), 1: (0, 1)}


def test_04_the_whole_stream_delivered_again_changes_nothing(scene: Scene) -> None:
    scene.trouble.replay_the_stream()
    scene.drain()
    (colour,) = scene.open_colours()
    check_colour(scene, check_lake(scene), colour.colour)


def test_05_what_personalize_does_not_take_waits_in_the_failure_queue_and_is_redriven_once(
    scene: Scene,
) -> None:
    sqs, url = scene.story.connection.client("sqs"), scene.story.output("FailureQueueUrl")

    def waiting() -> int:
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])

    impatient = scene.trouble.configured(scene.trouble.forwarder, Environment={"PATIENCE_SECONDS": "0.1"})
    before = waiting()
    with impatient, scene.trouble.put_events(error="ThrottlingException"):
        for number in range(3):
            scene.shoppers.send("edge-user", f"unlucky-{number}", 5)
        until(lambda: waiting() >= before + 15, "the failure queue has the events")
    (colour,) = scene.open_colours()
    quietly = Progress(io.StringIO())
    would = redrive(scene.story.connection, quietly, apply=False)
    assert waiting() >= before + 15
    did = redrive(scene.story.connection, quietly, apply=True)
    assert did == would
    assert did["placed"] >= 15
    assert waiting() == did["hopeless"] == did["put_off"] == 0
    scene.drain()
    check_colour(scene, check_lake(scene), colour.colour)


def test_06_late_and_malformed_records_block_nothing_and_have_a_place_and_a_count(scene: Scene) -> None:
    (colour,) = scene.open_colours()
    since = int(time.time() * 1000)
    scene.late.add(scene.put_on_stream(colour.cutoff - 1, "late"))
    kinesis, stream = scene.story.connection.client("kinesis"), scene.story.output("StreamName")
    kinesis.put_record(StreamName=stream, Data=b"no event at all", PartitionKey="garbage")
    scene.drain()
    check_colour(scene, check_lake(scene), colour.colour)

    # A function's log is written when it has ended, which may be after Personalize has its events
    until(lambda: counted(scene, "EventsLate", since) == 1, "the late one is counted, and no other")
    until(lambda: counted(scene, "EventsMalformed", since) == 1, "the malformed one is counted")
    messages = scene.story.connection.client("sqs").receive_message(
        QueueUrl=scene.story.output("FailureQueueUrl"), MaxNumberOfMessages=10
    )["Messages"]
    assert [json.loads(message["Body"])["reason"] for message in messages] == ["not JSON: JSONDecodeError"]
    bucket = scene.story.output("LakeBucketName")
    until(
        lambda: undelivered(scene.story.connection, bucket) == [b"no event at all"], "Firehose sets it aside"
    )


def test_07_while_nothing_reaches_the_lake_on_call_is_paged_and_then_nothing_is_missing(scene: Scene) -> None:
    cloudwatch = scene.story.connection.client("cloudwatch")

    def state() -> str:
        (alarm,) = (
            each
            for page in cloudwatch.get_paginator("describe_alarms").paginate()
            for each in page["MetricAlarms"]
            if each["AlarmDescription"].endswith("#lake-delivery-stalled")
        )
        return str(alarm["StateValue"])

    clock = AlarmControl(scene.story.connection)
    clock.scale(0.02)  # 15 minutes are 18 seconds
    try:
        with scene.trouble.lake(failing=True):
            scene.shoppers.send("edge-user", "while-the-lake-is-away", 5)
            until(lambda: state() == "ALARM", "the alarm goes off", within=120)
        until(lambda: state() == "OK", "the alarm goes out", within=120)
    finally:
        clock.scale(1)
    scene.drain()
    check_lake(scene)


def test_08_a_user_who_is_erased_is_in_neither_lake_nor_colour_and_nobody_else_is_missing(
    scene: Scene,
) -> None:
    (colour,) = scene.open_colours()
    before, accepted = scene.lake(), scene.ledger.accepted()
    in_colour = scene.colours.read(colour.dataset_group_arn)
    streamed_to = Counter(accepted[serial].user_id for serial in in_colour.streamed if serial in accepted)
    victim = next(user for user, _ in streamed_to.most_common() if user not in (None, "edge-user"))
    assert victim is not None
    sessions = {row.session_id for row in before.raw if row.user_id == victim}

    def theirs(row: Row) -> bool:
        return row.user_id == victim or (row.user_id is None and row.session_id in sessions)

    gone = {row.serial for row in before.raw if theirs(row)}
    assert gone & set(in_colour.streamed)

    scene.experiment(SALT)
    asked_for = (victim, min(sessions), "edge-user")  # the session's, while nobody had signed in
    *theirs_shown, anothers = [Experiment(SALT, 0, 0).assign(who).unit_id for who in asked_for]
    scene.expose(*theirs_shown, anothers)
    until(lambda: scene.exposed() == {*theirs_shown, anothers}, "the lake has their exposures")

    report = Erasure(scene.story.connection, victim, Progress(io.StringIO())).run(apply=True)
    assert report["rows"] >= len([row for row in before.raw if theirs(row)])  # and what history had of them
    assert [each["problem"] for each in report["colours"]] == [None]
    after = scene.lake()
    assert sorted(map(str, after.raw)) == sorted(str(row) for row in before.raw if not theirs(row))
    assert scene.exposed() == {anothers}
    personalize = scene.story.connection.client("personalize")
    job = report["colours"][0]["job"]

    def deleted() -> bool:
        found = personalize.describe_data_deletion_job(dataDeletionJobArn=job)["dataDeletionJob"]
        assert found["status"] != "FAILED", found
        return bool(found["status"] == "COMPLETED")

    until(deleted, "Personalize forgets the user")
    left = scene.colours.read(colour.dataset_group_arn)
    assert set(left.bulk) == set(in_colour.bulk) - gone
    assert set(left.streamed) == set(in_colour.streamed) - gone
