from __future__ import annotations

from typing import Any

from personalize_resources import lifecycle
from personalize_resources.responses import FAILED_CREATE, Outcome
from tests.lambdas.personalize_resources.cloudformation import CloudFormation
from tests.lambdas.personalize_resources.fake_personalize import FakePersonalize

SCHEMA = {"Name": "shop-schema", "Schema": '{"type": "record"}'}
GROUP = {"Name": "shop-group"}


class Stack:
    """Requests about resources of one Personalize."""

    def __init__(self, **delivery: Any) -> None:
        self.personalize = FakePersonalize()
        client = self.personalize.client
        self.cloudformation = CloudFormation(
            lambda event, memory: lifecycle.step(client, event, memory),
            tick=self.personalize.tick,
            **delivery,
        )

    def create(self, kind: str, properties: dict[str, Any]) -> Outcome:
        return self.cloudformation.request("Create", f"Custom::Personalize{kind}", properties)

    def update(self, kind: str, arn: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self.cloudformation.request(
            "Update", f"Custom::Personalize{kind}", new, old=old, physical_id=arn
        )

    def delete(self, kind: str, arn: str) -> Outcome:
        return self.cloudformation.request("Delete", f"Custom::Personalize{kind}", {}, physical_id=arn)

    def all_seven(self) -> dict[str, tuple[dict[str, Any], Outcome]]:
        """Properties and outcome of one resource of each kind, created in order."""
        made: dict[str, tuple[dict[str, Any], Outcome]] = {}

        def make(kind: str, **properties: Any) -> str:
            made[kind] = properties, self.create(kind, properties)
            assert made[kind][1].error is None
            return made[kind][1].physical_id

        schema = make("Schema", **SCHEMA)
        group = make("DatasetGroup", **GROUP)
        make("Dataset", Name="d", DatasetType="Interactions", DatasetGroupArn=group, SchemaArn=schema)
        make("EventTracker", Name="t", DatasetGroupArn=group)
        make("Filter", Name="f", DatasetGroupArn=group, FilterExpression="EXCLUDE ItemID")
        solution = make("Solution", Name="s", DatasetGroupArn=group)
        client = self.personalize.client
        version = client.create_solution_version(solutionArn=solution)["solutionVersionArn"]
        self.personalize.tick(2)
        make("Campaign", Name="c", SolutionVersionArn=version, MinProvisionedTPS="1")
        return made


def test_creates_each_kind_and_answers_when_it_is_active() -> None:
    stack = Stack()

    made = stack.all_seven()

    for kind, (_, outcome) in made.items():
        resource = stack.personalize.resources[outcome.physical_id]
        assert resource["kind"] == kind
        assert resource.get("status", "ACTIVE") == "ACTIVE"
        assert outcome.attributes["Arn"] == outcome.physical_id
    tracker = made["EventTracker"][1]
    tracking_id = stack.personalize.resources[tracker.physical_id]["trackingId"]
    assert tracker.attributes["TrackingId"] == tracking_id
    assert stack.personalize.of("Solution")[0]["performAutoTraining"] is False
    assert stack.personalize.of("Campaign")[0]["minProvisionedTPS"] == 1


def test_deletes_each_kind_and_answers_when_it_is_gone() -> None:
    stack = Stack()
    made = stack.all_seven()

    for kind in reversed(made):
        outcome = stack.delete(kind, made[kind][1].physical_id)
        assert outcome == Outcome(physical_id=made[kind][1].physical_id)
        assert made[kind][1].physical_id not in stack.personalize.resources

    assert stack.personalize.resources == {}
    assert stack.delete("DatasetGroup", made["DatasetGroup"][1].physical_id).error is None


def test_a_create_delivered_twice_is_one_create() -> None:
    stack = Stack()
    made = stack.all_seven()
    before = set(stack.personalize.resources)

    for kind, (properties, outcome) in made.items():
        assert stack.create(kind, properties) == outcome

    assert set(stack.personalize.resources) == before


def test_a_name_that_another_resource_has_is_taken() -> None:
    stack = Stack()
    stack.create("Schema", SCHEMA)

    outcome = stack.create("Schema", {**SCHEMA, "Schema": '{"type": "array"}'})

    assert outcome.physical_id == FAILED_CREATE  # so that the roll-back leaves the other one alone
    assert outcome.error is not None
    assert "Personalize Schema 'shop-schema': the name is taken by arn:aws:personalize:" in outcome.error
    assert "another schema" in outcome.error


def test_a_create_waits_for_its_namesake_to_be_gone() -> None:
    stack = Stack()
    first = stack.create("DatasetGroup", GROUP)
    stack.personalize.client.delete_dataset_group(datasetGroupArn=first.physical_id)

    assert stack.create("DatasetGroup", GROUP).error is None
    assert stack.personalize.operations("Create") == ["CreateDatasetGroup"] * 4


def test_a_create_waits_for_others_that_are_under_way_and_not_for_a_quota() -> None:
    stack = Stack()
    stack.personalize.most_coming = 1
    stack.personalize.client.create_dataset_group(name="another")
    group = stack.create("DatasetGroup", GROUP)
    assert group.error is None
    stack.create("EventTracker", {"Name": "t", "DatasetGroupArn": group.physical_id})
    second = stack.create("EventTracker", {"Name": "u", "DatasetGroupArn": group.physical_id})
    assert "has an event tracker already" in str(second.error)


def test_a_right_that_was_just_granted_may_take_a_while_to_be_known() -> None:
    stack = Stack()
    stack.personalize.denials = 5
    assert stack.create("Schema", SCHEMA).error is None
    assert 5 < stack.cloudformation.time < 30


def test_a_right_that_is_missing_is_named_within_a_minute() -> None:
    stack = Stack()
    stack.personalize.denials = 1_000_000
    assert "not authorized to perform: personalize:CreateSchema" in str(stack.create("Schema", SCHEMA).error)
    assert 30 < stack.cloudformation.time < 60


def test_says_what_failed_and_why_and_lets_cloudformation_delete_it() -> None:
    stack = Stack()
    stack.personalize.reasons["shop-group"] = "The role cannot use the key."

    outcome = stack.create("DatasetGroup", GROUP)

    says = "Personalize DatasetGroup 'shop-group': CREATE FAILED: The role cannot use the key."
    assert outcome.error == says
    assert stack.delete("DatasetGroup", outcome.physical_id).error is None
    assert stack.personalize.resources == {}


def test_says_which_call_was_refused() -> None:
    gone = "arn:aws:personalize:us-east-1:111122223333:dataset-group/gone"

    outcome = Stack().create("EventTracker", {"Name": "t", "DatasetGroupArn": gone})

    assert outcome.error is not None
    assert "Personalize EventTracker 't'" in outcome.error
    assert (
        f"ResourceNotFoundException) when calling the CreateEventTracker operation: Resource Arn {gone}"
        in (outcome.error)
    )


def test_deleting_what_never_came_to_be_asks_personalize_nothing() -> None:
    stack = Stack()

    assert stack.delete("Campaign", FAILED_CREATE) == Outcome(physical_id=FAILED_CREATE)
    assert stack.personalize.calls == []


def test_a_schema_in_use_is_left_behind() -> None:
    stack = Stack()
    made = stack.all_seven()

    assert stack.delete("Schema", made["Schema"][1].physical_id).error is None
    assert made["Schema"][1].physical_id in stack.personalize.resources


def test_anything_else_in_use_is_waited_for() -> None:
    stack = Stack()
    made = stack.all_seven()
    solution, campaign = made["Solution"][1].physical_id, made["Campaign"][1].physical_id
    calls = stack.personalize.calls
    tick = stack.cloudformation.tick

    def campaign_goes_after_three_refusals() -> None:
        if [operation for operation, _ in calls].count("DeleteSolution") == 3:
            stack.personalize.client.delete_campaign(campaignArn=campaign)
        tick()

    stack.cloudformation.tick = campaign_goes_after_three_refusals

    assert stack.delete("Solution", solution).error is None
    assert solution not in stack.personalize.resources


def test_gives_up_while_cloudformation_still_listens() -> None:
    stack = Stack()
    made = stack.all_seven()
    started = stack.cloudformation.time

    outcome = stack.delete("Solution", made["Solution"][1].physical_id)

    assert outcome.error is not None
    assert "not done within 3600 s" in outcome.error
    assert "is used by Campaign" in outcome.error
    assert outcome.physical_id == made["Solution"][1].physical_id
    assert 3300 < stack.cloudformation.time - started < 3600
    assert stack.cloudformation.invocations > 4  # none of which lived longer than 900 s


def test_goes_on_in_another_invocation_without_creating_twice() -> None:
    stack = Stack(lives=30.2)  # hands over after the first quarter of a second

    outcome = stack.create("DatasetGroup", GROUP)

    assert outcome.error is None
    assert stack.cloudformation.invocations == 2
    assert stack.personalize.operations("Create") == ["CreateDatasetGroup"]


def test_a_campaign_is_updated_in_place() -> None:
    stack = Stack()
    before, made = stack.all_seven()["Campaign"]

    outcome = stack.update("Campaign", made.physical_id, before, {**before, "MinProvisionedTPS": "5"})

    assert outcome.physical_id == made.physical_id
    assert stack.personalize.of("Campaign")[0]["minProvisionedTPS"] == 5
    update = next(given for operation, given in stack.personalize.calls if operation == "UpdateCampaign")
    assert update == {"campaignArn": made.physical_id, "minProvisionedTPS": 5}


def test_a_failed_update_of_a_campaign_says_why() -> None:
    stack = Stack()
    before, made = stack.all_seven()["Campaign"]
    stack.personalize.reasons["c"] = "No capacity."

    outcome = stack.update("Campaign", made.physical_id, before, {**before, "MinProvisionedTPS": "5"})

    assert outcome.error == "Personalize Campaign 'c': CREATE FAILED: No capacity."
    assert outcome.physical_id == made.physical_id
    rolled_back = stack.update("Campaign", made.physical_id, {**before, "MinProvisionedTPS": "5"}, before)
    assert rolled_back.error is None


def test_any_other_change_makes_a_new_resource() -> None:
    stack = Stack()
    before, made = stack.all_seven()["Filter"]
    after = {**before, "Name": "f2", "FilterExpression": "INCLUDE ItemID"}

    outcome = stack.update("Filter", made.physical_id, before, after)

    assert outcome.error is None
    assert outcome.physical_id != made.physical_id  # CloudFormation then deletes the old one
    assert [each["name"] for each in stack.personalize.of("Filter")] == ["f", "f2"]
    rolled_back = stack.update("Filter", outcome.physical_id, after, before)
    assert rolled_back.physical_id == made.physical_id


def test_an_update_with_a_slip_is_rolled_back_to_what_was() -> None:
    stack = Stack()
    for kind, (properties, made) in stack.all_seven().items():
        slip = {**properties, **({"CampaignConfig": "x"} if kind == "Campaign" else {"Nmae": "x"})}
        failed = stack.update(kind, made.physical_id, properties, slip)
        assert failed.error is not None
        assert failed.physical_id == made.physical_id
        # What CloudFormation asks for next: the old properties in place of those that failed
        assert stack.update(kind, made.physical_id, slip, properties) == made
        assert len(stack.personalize.of(kind)) == 1


def test_a_replacement_needs_a_name_of_its_own() -> None:
    stack = Stack()
    group = stack.create("DatasetGroup", GROUP).physical_id
    before = {"Name": "s", "DatasetGroupArn": group, "EventType": "purchase"}
    made = stack.create("Solution", before)
    without = {key: value for key, value in before.items() if key != "EventType"}

    for after in ({**before, "EventType": "view"}, without):
        outcome = stack.update("Solution", made.physical_id, before, after)
        assert outcome.physical_id == made.physical_id
        assert outcome.error is not None
        assert "another eventType: choose another name" in outcome.error


def test_a_replacement_that_fails_is_taken_away_again() -> None:
    stack = Stack()
    before, made = stack.all_seven()["Filter"]
    stack.personalize.reasons["f2"] = "Invalid Expression"

    outcome = stack.update("Filter", made.physical_id, before, {**before, "Name": "f2"})

    assert outcome.error == "Personalize Filter 'f2': CREATE FAILED: Invalid Expression"
    assert outcome.physical_id == made.physical_id
    stack.personalize.tick(2)
    assert [each["name"] for each in stack.personalize.of("Filter")] == ["f"]
