from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from personalize_resources.conversion import parameters
from personalize_resources.kinds import KINDS, Kind, kind_of

MODEL = botocore.session.get_session().get_service_model("personalize")


def input_of(operation: str) -> Any:
    return MODEL.operation_model(operation).input_shape


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_the_table_agrees_with_the_service_model(kind: Kind) -> None:
    create = input_of(f"Create{kind.name}")
    described = MODEL.operation_model(f"Describe{kind.name}").output_shape.members[kind.member]
    summaries = MODEL.operation_model(f"List{kind.name}s").output_shape.members[kind.list_member]

    assert set(create.required_members) <= set(kind.properties) <= set(create.members)
    assert set(kind.defaults) <= set(kind.properties)
    assert {*kind.properties, *kind.attributes, kind.arn_member} <= set(described.members)
    assert {"name", kind.arn_member} <= set(summaries.member.members)
    assert ("status" in described.members) == kind.has_status
    for verb in ("Describe", "Delete"):
        assert list(input_of(f"{verb}{kind.name}").members) == [kind.arn_member]
    if kind.updatable:
        assert set(input_of(f"Update{kind.name}").members) == {*kind.updatable, kind.arn_member}
        assert "status" in described.members[kind.update_path].members


def test_reads_the_strings_that_cloudformation_makes_of_numbers_and_booleans() -> None:
    solution = parameters(
        KINDS["Solution"],
        {
            "ServiceToken": "arn:aws:lambda:us-east-1:111122223333:function:maker",
            "ServiceTimeout": "3600",
            "Name": "shop-test-rows",
            "PerformHPO": "true",
            "SolutionConfig": {
                "AlgorithmHyperParameters": {"hidden_dimension": "55"},
                "HpoConfig": {"HpoResourceConfig": {"MaxNumberOfTrainingJobs": "4"}},
                "TrainingDataConfig": {"ExcludedDatasetColumns": {"Items": ["PRICE"]}},
            },
        },
        MODEL,
    )

    assert solution == {
        "name": "shop-test-rows",
        "performHPO": True,
        "performAutoTraining": False,
        "solutionConfig": {
            "algorithmHyperParameters": {"hidden_dimension": "55"},
            "hpoConfig": {"hpoResourceConfig": {"maxNumberOfTrainingJobs": "4"}},
            "trainingDataConfig": {"excludedDatasetColumns": {"Items": ["PRICE"]}},
        },
    }
    campaign = parameters(KINDS["Campaign"], {"Name": "a", "MinProvisionedTPS": "2"}, MODEL)
    assert campaign == {"name": "a", "minProvisionedTPS": 2}


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({"MinProvisionedTPS": "many"}, "MinProvisionedTPS must be a number, got 'many'"),
        ({"MinTPS": "1"}, "MinTPS is unknown, allowed: Name, SolutionVersionArn, MinProvisionedTPS"),
        (
            {"CampaignConfig": {"SyncWithLatestSolutionVersion": "yes"}},
            "CampaignConfig.SyncWithLatestSolutionVersion must be true or false, got 'yes'",
        ),
    ],
)
def test_an_unfit_property_is_named(properties: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parameters(KINDS["Campaign"], properties, MODEL)


def test_an_unknown_resource_type_is_named() -> None:
    with pytest.raises(ValueError, match="Custom::PersonalizeRecipe"):
        kind_of("Custom::PersonalizeRecipe")
