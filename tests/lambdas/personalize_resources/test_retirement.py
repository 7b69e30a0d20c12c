from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from personalize_resources.retirement import RetireStep, retire_step, sweep_schemas
from tests.lambdas.personalize_resources.fake_personalize import FakePersonalize
from vocabulary.colours import Names, personalize_arn

NAMES = Names("shop", "test")
HERE = {"partition": "aws", "region": "us-east-1", "account": "111122223333"}
DESTRUCTIVE = ("Delete", "Stop")


def arn(kind: str, name: str) -> str:
    return personalize_arn(HERE["partition"], HERE["region"], HERE["account"], kind, name)


GROUP = arn("dataset-group", "shop-test-maize")


def build(fake: FakePersonalize) -> list[Callable[[], Any]]:
    """What a run makes of maize, in order, with two placements and a filter."""
    client = fake.client

    def dataset(kind: str) -> None:
        client.create_dataset(
            name=f"shop-test-maize-{kind}", datasetGroupArn=GROUP, datasetType=kind,
            schemaArn=arn("schema", "shop-test-schema"),
        )  # fmt: skip

    def load(kind: str) -> None:
        client.create_dataset_import_job(
            jobName=f"shop-test-maize-{kind}",
            datasetArn=arn("dataset", f"shop-test-maize/{kind}"),
            dataSource={"dataLocation": "s3://training/runs"},
            roleArn="arn:aws:iam::111122223333:role/import",
        )

    def solution(placement: str) -> None:
        client.create_solution(
            name=f"shop-test-maize-{placement}", datasetGroupArn=GROUP, performAutoTraining=False
        )

    def train(placement: str) -> None:
        client.create_solution_version(solutionArn=arn("solution", f"shop-test-maize-{placement}"))

    def campaign(placement: str) -> None:
        of = arn("solution", f"shop-test-maize-{placement}")
        version = next(each for each in fake.of("SolutionVersion") if each["solutionArn"] == of)
        client.create_campaign(
            name=f"shop-test-maize-{placement}", solutionVersionArn=version["solutionVersionArn"]
        )

    return [
        lambda: client.create_schema(name="shop-test-schema", schema="{}"),
        lambda: client.create_dataset_group(name="shop-test-maize"),
        lambda: dataset("INTERACTIONS"),
        lambda: client.create_event_tracker(name="shop-test-maize", datasetGroupArn=GROUP),
        lambda: dataset("ITEMS"),
        lambda: load("INTERACTIONS"),
        lambda: client.create_filter(name="shop-test-maize-f", datasetGroupArn=GROUP, filterExpression="x"),
        lambda: solution("rows"),
        lambda: solution("similar"),
        lambda: train("rows"),
        lambda: train("similar"),
        lambda: campaign("rows"),
        lambda: campaign("similar"),
    ]


STEPS = len(build(FakePersonalize()))


def step(fake: FakePersonalize, guard: Callable[[], None]) -> RetireStep:
    return retire_step(fake.client, NAMES, "maize", **HERE, guard=guard)


def retire(fake: FakePersonalize) -> None:
    def guard() -> None:
        fake.calls.append(("guard", {}))

    fake.calls.clear()
    for _ in range(40):
        taken = step(fake, guard)
        if taken.gone:
            return
        assert taken.waiting_for
        fake.tick()
    raise AssertionError(f"never gone, waiting for {taken.waiting_for}")


@pytest.mark.parametrize("fails", [False, True], ids=["", "failing"])
@pytest.mark.parametrize("ticks", [0, 1, 2], ids=["just-begun", "in-progress", "settled"])
@pytest.mark.parametrize("made", range(STEPS + 1))
def test_a_colour_left_anywhere_is_retired_to_the_end(made: int, ticks: int, fails: bool) -> None:
    fake = FakePersonalize()
    for create in build(fake)[:made]:
        fake.tick(2)
        create()
    newest = list(fake.resources.values())[-1] if fake.resources else {}
    if fails:
        fake.reasons[newest.get("name", "")] = "Create failed."
    fake.tick(ticks)

    retire(fake)

    assert [each["kind"] for each in fake.resources.values()] == ["Schema"] * min(made, 1)
    for position, (operation, _) in enumerate(fake.calls):
        if operation.startswith(DESTRUCTIVE):
            assert fake.calls[position - 1][0] == "guard", f"{operation} without asking"


def test_nothing_is_asked_for_that_something_else_still_stands_on() -> None:
    fake = FakePersonalize()
    for create in build(fake):
        fake.tick(2)
        create()
    fake.tick(2)

    retire(fake)

    assert fake.operations("refused") == []


def test_a_metric_attribution_that_somebody_made_of_it_keeps_no_colour_there() -> None:
    fake = FakePersonalize()
    for create in build(fake):
        fake.tick(2)
        create()
    fake.client.create_metric_attribution(
        name="newsletter",
        datasetGroupArn=GROUP,
        metrics=[{"eventType": "click", "metricName": "clicks", "expression": "SAMPLECOUNT()"}],
        metricsOutputConfig={"roleArn": "arn:aws:iam::111122223333:role/metrics"},
    )
    fake.tick(2)

    retire(fake)

    assert [each["kind"] for each in fake.resources.values()] == ["Schema"]
    assert fake.operations("refused") == []


def test_nothing_is_touched_once_the_guard_objects() -> None:
    fake = FakePersonalize()
    for create in build(fake):
        fake.tick(2)
        create()
    fake.tick(2)
    before = [dict(each) for each in fake.resources.values()]

    def guard() -> None:
        raise PermissionError("maize is live")

    with pytest.raises(PermissionError):
        step(fake, guard)

    assert list(fake.resources.values()) == before
    assert fake.operations(*DESTRUCTIVE) == []


def test_the_other_colour_and_other_deployments_stay() -> None:
    fake = FakePersonalize()
    for name in ("shop-test-maize", "shop-test-blue", "shop-test2-maize"):
        fake.client.create_dataset_group(name=name)
    fake.tick(2)

    retire(fake)

    assert [each["name"] for each in fake.of("DatasetGroup")] == ["shop-test-blue", "shop-test2-maize"]


def test_says_what_is_waited_for() -> None:
    fake = FakePersonalize()
    for create in build(fake)[:10]:
        fake.tick(2)
        create()

    waiting = step(fake, lambda: None).waiting_for

    version = fake.of("SolutionVersion")[0]["solutionVersionArn"]
    assert f"solution version {version} (CREATE PENDING)" in waiting
    assert fake.of("SolutionVersion")[0]["status"] == "CREATE STOPPING"


def test_sweeps_schemas_that_are_neither_kept_nor_used() -> None:
    fake = FakePersonalize()
    build(fake)[0]()  # shop-test-schema
    build(fake)[1]()
    fake.tick(2)
    build(fake)[2]()  # uses it
    for name in ("shop-test-old", "shop-test-current", "shop-test2-old"):
        fake.client.create_schema(name=name, schema="{}")

    assert sweep_schemas(fake.client, "shop-test", keep=["shop-test-current"], older_than=timedelta(1)) == ()
    assert sweep_schemas(fake.client, "shop-test", keep=["shop-test-current"]) == ("shop-test-old",)

    left = [each["name"] for each in fake.of("Schema")]
    assert left == ["shop-test-schema", "shop-test-current", "shop-test2-old"]
