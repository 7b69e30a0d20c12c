from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Match, Template

from colorway.data_lake import DataLake
from colorway.training_bucket import TrainingBucket
from colorway.training_data_function import TrainingDataFunction
from vocabulary.colours import Names
from vocabulary.placements import Placement


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    return wheels_in(tmp_path / "wheels")


def wheels_in(folder: Path, content: str = "pass") -> Path:
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "duckdb-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr(zipfile.ZipInfo("duckdb/__init__.py"), content)
    return folder


def define(app: cdk.App, wheels: Path, **changed: Any) -> tuple[cdk.Stack, TrainingDataFunction]:
    stack = cdk.Stack(app, "Stack")
    settings: dict[str, Any] = {
        "lake": DataLake(stack, "Lake", database_name="lake", keep_data=False),
        "training_bucket": TrainingBucket(stack, "Training", keep_data=False).bucket,
        "names": Names("colorway", "test"),
        "placements": [Placement(name="recommended-for-you")],
        "history_days": 90,
        "event_types": ["view", "purchase"],
        "minimum_interactions": 1000,
        "runtime": lambda_.Runtime.PYTHON_3_13,
        "architecture": lambda_.Architecture.ARM_64,
        "wheels": wheels,
        **changed,
    }
    return stack, TrainingDataFunction(stack, "TrainingData", **settings)


def test_it_has_a_quarter_of_an_hour_and_room_for_a_window_of_events(cdk_app: cdk.App, wheels: Path) -> None:
    stack, _ = define(cdk_app, wheels)
    Template.from_stack(stack).has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Handler": "training_data.handler.handle",
            "Timeout": 900,
            "MemorySize": 3008,
            "EphemeralStorage": {"Size": 4096},
            "Layers": Match.any_value(),
            "Environment": {
                "Variables": Match.object_like(
                    {"EVENT_TYPES": "view,purchase", "HISTORY_DAYS": "90", "MINIMUM_INTERACTIONS": "1000"}
                )
            },
        },
    )


def test_it_may_read_the_lake_and_write_runs_and_nothing_else(cdk_app: cdk.App, wheels: Path) -> None:
    stack, training_data = define(cdk_app, wheels)
    role = training_data.function.role
    assert role is not None
    logical_id = stack.get_logical_id(role.node.find_child("DefaultPolicy").node.default_child)  # type: ignore[arg-type]
    policy = Template.from_stack(stack).find_resources("AWS::IAM::Policy")[logical_id]
    allowed = {
        (action, where)
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
        for where in places(statement["Resource"])
    }
    assert allowed == {
        ("s3:GetObject", "Lake /events/*"),
        ("s3:GetObject", "Lake /catalogue/items/*"),
        ("s3:GetObject", "Lake /catalogue/users/*"),
        ("s3:ListBucket", "Lake "),
        ("s3:PutObject", "Training /runs/*"),
        ("s3:AbortMultipartUpload", "Training /runs/*"),
        ("s3:GetObject", "Training /runs/*"),
        ("s3:GetObject", "Training /last-good/report.json"),
        ("s3:ListBucket", "Training "),
    }
    listings = [
        statement["Condition"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "s3:ListBucket"
    ]
    assert [listing["StringLike"]["s3:prefix"] for listing in listings] == [
        ["events/*", "catalogue/items/*", "catalogue/users/*"],
        ["last-good/report.json"],
    ]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def places(resources: Any) -> list[str]:
    """`Lake /events/*`: the construct of the bucket and the path."""
    found = []
    for resource in as_list(resources):
        arn, path = (resource["Fn::Join"][1]) if "Fn::Join" in resource else (resource, "")
        found.append(f"{arn['Fn::GetAtt'][0].partition('Bucket')[0]} {path}")
    return found


def test_two_checkouts_give_the_same_template_and_other_wheels_another(tmp_path: Path) -> None:
    def synthesised(folder: str, content: str = "pass") -> Any:
        app = cdk.App(outdir=str(tmp_path / folder / "out"))
        for number in range(len(folder)):  # objects made before must not show
            cdk.Stack(app, f"Other{number}")
        stack, _ = define(app, wheels_in(tmp_path / folder / "wheels", content))
        return Template.from_stack(stack).to_json()

    here = synthesised("here")
    assert synthesised("quite/another/place") == here
    assert synthesised("changed", "changed = True") != here


def test_the_layer_holds_the_wheels_unpacked_where_python_looks(cdk_app: cdk.App, wheels: Path) -> None:
    define(cdk_app, wheels)
    assembly = cdk_app.synth()
    assert list(Path(assembly.directory).glob("asset.*/python/duckdb/__init__.py"))


def test_missing_wheels_name_the_command_that_downloads_them(cdk_app: cdk.App, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="run `make wheels`"):
        define(cdk_app, tmp_path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"memory_mib": 512}, "memory_mib must be at least 1769, got 512"),
        ({"event_types": ["a,b"]}, "event_types must be without ',', got 'a,b'"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(
    cdk_app: cdk.App, wheels: Path, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        define(cdk_app, wheels, **changed)
