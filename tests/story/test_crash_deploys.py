"""Deploys at any moment of a retraining, deploys that fail or come late, and a destroy during one."""

from __future__ import annotations

from functools import partial

import pytest

from local_cloud.deployment import DeploymentError
from tests.story.crashes import Crashes
from tests.story.deployment import Story, until
from tests.story.proof import Proof
from vocabulary.phases import PHASES

pytestmark = [pytest.mark.story, pytest.mark.prove]

RECONCILED_WITHIN = 60.0
"""Seconds from the end of a deploy until the alias serves what the pointer names."""

SERVING = "colorway-local-serving"
TRAINING = "colorway-local-training"

FAILS = """
        fails = cdk.CfnResource(
            self, "Fails", type="AWS::SSM::Parameter", properties={{"Type": "SecureString", "Value": "no"}}
        )
        fails.node.add_dependency({after})
"""
"""A resource that CloudFormation refuses once all before it has been changed."""


def change_code(story: Story, number: int) -> None:
    for function in ("recommendations", "training_data"):
        handler = story.root / "lambdas" / function / "handler.py"
        handler.write_text(handler.read_text() + f"\n_DEPLOYED_{number} = True\n")
    flip = story.root / "lambdas" / "retraining" / "flip_handler.py"
    flip.write_text(flip.read_text() + f"\n_DEPLOYED_{number} = True\n")


def change_setting(story: Story, number: int) -> None:
    environments = story.root / "stacks" / "environment.py"
    changed = f"time_budget=cdk.Duration.millis({2000 + number})"
    environments.write_text(
        environments.read_text()
        + f'\nENVIRONMENTS = {{"local": replace(ENVIRONMENTS["local"], {changed})}}\n'
    )


def change_schema(story: Story, number: int) -> None:
    schemas = story.root / "lambdas" / "vocabulary" / "schemas.py"
    before, after = f'"version": "1.{number - 1}"', f'"version": "1.{number}"'
    assert before in schemas.read_text()
    schemas.write_text(schemas.read_text().replace(before, after))


def edit(story: Story, name: str, before: str, after: str) -> None:
    """Change the source of a stack."""
    path = story.root / "stacks" / name
    source = path.read_text()
    assert source.count(before) == 1, f"{name} has not one {before!r}"
    path.write_text(source.replace(before, after))


def test_01_a_deploy_in_any_phase_keeps_the_live_colour_and_does_not_break_the_run(
    live: Crashes, proof: Proof
) -> None:
    tasks = list(live.tasks("retraining"))
    firsts = [next((task for task in tasks if task.startswith(f"{phase}: ")), None) for phase in PHASES]
    for number, state in enumerate(filter(None, firsts), 1):
        with live.story.steady_traffic(pause=0.2) as traffic:
            was = live.story.pointer()
            live.faults.set(live.fault("retraining", state, how="hold", times=1))
            execution = live.start()
            until(lambda: live.faults.struck() != [], f"{state} is held", within=120)
            for change in (change_code, change_setting, change_schema):
                change(live.story, number)
            live.story.deployment.deploy()
            live.faults.set()
            until(partial(live.has_ended, execution), "the run ends", within=300)
        proof.has_succeeded(state, live.ending(execution, was=was, traffic=traffic))
    proof.is_given()


def test_02_a_change_set_made_before_a_flip_and_executed_after_it_is_put_right(live: Crashes) -> None:
    change_code(live.story, 1002)
    live.story.deployment.prepare(SERVING, "early")
    assert live.story.retrain()["outcome"] == "done"
    with live.story.steady_traffic(pause=0.1) as traffic:
        cloudformation = live.connection.client("cloudformation")
        cloudformation.execute_change_set(StackName=SERVING, ChangeSetName="early")
        until(lambda: live.stack_status(SERVING) == "UPDATE_COMPLETE", "the stack is updated")
        until(lambda: live.left_behind() == [], "alias and pointer agree", within=RECONCILED_WITHIN)
    assert (traffic.failures, set(traffic.sources)) == ([], {"personalize"})
    assert set(traffic.colours) == {live.story.pointer()}


def test_03_an_update_that_fails_after_a_flip_is_put_right(live: Crashes) -> None:
    assert live.story.retrain()["outcome"] == "done"
    change_code(live.story, 1003)
    before = (live.story.root / "stacks" / "serving.py").read_text()
    (live.story.root / "stacks" / "serving.py").write_text(
        before.rstrip() + "\n" + FAILS.format(after="self.service.alias")
    )
    with live.story.steady_traffic(pause=0.1) as traffic:
        with pytest.raises(DeploymentError, match="Fails"):
            live.story.deployment.deploy(SERVING)
        assert live.stack_status(SERVING) == "UPDATE_ROLLBACK_COMPLETE"
        until(lambda: live.left_behind() == [], "alias and pointer agree", within=RECONCILED_WITHIN)
    (live.story.root / "stacks" / "serving.py").write_text(before)
    assert (traffic.failures, set(traffic.sources)) == ([], {"personalize"})
    assert set(traffic.colours) == {live.story.pointer()}


def test_04_the_purge_replaced_rolled_back_and_removed_loses_nothing(live: Crashes) -> None:
    schedules = live.schedules()
    assert len(schedules) == 2
    training = live.story.root / "stacks" / "training.py"
    original = training.read_text()

    edit(live.story, "training.py", 'self, "Purge", names', 'self, "Purge2", names')
    live.story.deployment.deploy(TRAINING)
    assert (live.left_behind(), live.schedules()) == ([], schedules)

    edit(live.story, "training.py", 'self, "Purge2", names', 'self, "Purge3", names')
    renamed = training.read_text()
    training.write_text(renamed.rstrip() + "\n" + FAILS.format(after="purge"))
    with pytest.raises(DeploymentError, match="Fails"):
        live.story.deployment.deploy(TRAINING)
    assert (live.left_behind(), live.schedules()) == ([], schedules)

    start, end = renamed.index("        purge = Purge("), renamed.index("        # Were it started before")
    without = renamed[:start] + renamed[end:].replace(
        "after=[self.retraining, purge]", "after=[self.retraining]"
    )
    training.write_text(without)
    live.story.deployment.deploy(TRAINING)
    assert (live.left_behind(), live.schedules()) == ([], schedules)

    training.write_text(original)
    live.story.deployment.deploy(TRAINING)
    assert (live.left_behind(), live.schedules()) == ([], schedules)
    assert live.story.retrain()["outcome"] == "done"


def test_05_a_destroy_during_a_run_leaves_nothing(live: Crashes) -> None:
    live.faults.set()
    live.start()
    until(lambda: any(call.state == "train: start" for call in live.faults.seen()), "it trains", within=120)
    live.story.deployment.destroy()
    until(lambda: live.faults.at_work() == 0, "nothing is at work any more")
    personalize = live.connection.client("personalize")
    assert personalize.list_dataset_groups()["datasetGroups"] == []
    assert personalize.list_solutions()["solutions"] == []
    assert personalize.list_campaigns()["campaigns"] == []
    assert personalize.list_schemas()["schemas"] == []
