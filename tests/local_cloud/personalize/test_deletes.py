"""What can be deleted when: developer guide, "Requirements for deleting Amazon Personalize resources"."""

from __future__ import annotations

from tests.local_cloud.personalize.harness import ROLE, Cloud, Shop, error_of


def test_nothing_is_deleted_before_what_needs_it(here: Cloud, shop: Shop) -> None:
    control = here.control
    filter_arn = control.create_filter(
        name="bought",
        datasetGroupArn=shop.group,
        filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")',
    )["filterArn"]
    here.settled("filter", filter_arn)
    steps = [
        ("campaign", shop.campaign),
        ("filter", filter_arn),
        ("solution", shop.solution),
        ("event_tracker", shop.tracker),
        ("dataset", shop.interactions),
        ("dataset", shop.items),
        ("dataset_group", shop.group),
    ]

    def delete(kind: str, arn: str) -> None:
        camel = "".join(part.capitalize() for part in kind.split("_"))
        getattr(control, f"delete_{kind}")(**{f"{camel[0].lower()}{camel[1:]}Arn": arn})

    blocked = [("solution", shop.solution), ("dataset", shop.interactions), ("dataset_group", shop.group)]
    for kind, arn in [*blocked, ("schema", shop.schema)]:
        assert error_of(lambda kind=kind, arn=arn: delete(kind, arn))["Code"] == "ResourceInUseException"  # type: ignore[misc]
    for kind, arn in steps:
        delete(kind, arn)
        assert error_of(lambda kind=kind, arn=arn: delete(kind, arn))["Code"] == "ResourceInUseException"  # type: ignore[misc]
        here.gone(kind, arn)
        assert error_of(lambda kind=kind, arn=arn: delete(kind, arn))["Code"] == "ResourceNotFoundException"  # type: ignore[misc]
    delete("schema", shop.schema)
    assert control.list_solution_versions()["solutionVersions"] == []
    assert control.list_dataset_import_jobs()["datasetImportJobs"] == []


def test_a_filter_or_a_tracker_keeps_the_interactions(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Deleting a dataset to delete all of its data"."""
    here.control.delete_campaign(campaignArn=shop.campaign)
    here.gone("campaign", shop.campaign)
    error = error_of(lambda: here.control.delete_dataset(datasetArn=shop.interactions))
    assert shop.tracker in error["Message"]
    here.control.delete_event_tracker(eventTrackerArn=shop.tracker)
    here.gone("event_tracker", shop.tracker)
    here.control.delete_dataset(datasetArn=shop.interactions)


def test_a_solution_in_training_is_stopped_first(here: Cloud, shop: Shop) -> None:
    """API reference, "DeleteSolution" and "StopSolutionVersionCreation"."""
    control = here.control
    control.delete_campaign(campaignArn=shop.campaign)
    here.gone("campaign", shop.campaign)
    version = control.create_solution_version(solutionArn=shop.solution)["solutionVersionArn"]
    assert error_of(lambda: control.delete_solution(solutionArn=shop.solution))["Code"] == (
        "ResourceInUseException"
    )
    control.stop_solution_version_creation(solutionVersionArn=version)
    assert here.settled("solution_version", version)["status"] == "CREATE STOPPED"
    control.delete_solution(solutionArn=shop.solution)
    here.gone("solution", shop.solution)


def test_nothing_new_is_made_of_a_solution_that_is_being_deleted(here: Cloud, shop: Shop) -> None:
    """API reference, "DeleteSolution": its versions go with it; "CreateCampaign": ResourceInUseException."""
    here.control.delete_campaign(campaignArn=shop.campaign)
    here.gone("campaign", shop.campaign)
    here.shared.clock.set_time("realistic")
    here.control.delete_solution(solutionArn=shop.solution)
    for call in (
        lambda: here.campaign(shop.version, "late"),
        lambda: here.campaign(f"{shop.solution}/$LATEST", "late"),
        lambda: here.control.create_batch_inference_job(
            jobName="late",
            solutionVersionArn=shop.version,
            roleArn=ROLE,
            jobInput={"s3DataSource": {"path": "s3://bucket/in/"}},
            jobOutput={"s3DataDestination": {"path": "s3://bucket/out/"}},
        ),
    ):
        assert error_of(call)["Code"] == "ResourceInUseException"


def test_a_dataset_group_that_there_is_not_is_said_to_be_missing(here: Cloud) -> None:
    """Text as seen: stored output of delete_dataset_group in a notebook of aws-samples."""
    arn = "arn:aws:personalize:us-east-1:123456789012:dataset-group/none"
    error = error_of(lambda: here.control.delete_dataset_group(datasetGroupArn=arn))
    assert error == {
        "Code": "ResourceNotFoundException",
        "Message": f"The given dataset group does not exist: {arn}",
    }
