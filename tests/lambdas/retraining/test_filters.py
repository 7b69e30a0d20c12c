from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from retraining.filters import FilterFailed, FiltersPending, create_filters, require_filters
from retraining.plan import plan
from retraining.settings import Settings
from tests.lambdas.retraining.test_plan import SETTINGS, STARTED
from vocabulary.placements import Placement

EXPRESSION = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")'


class AlreadyExists(Exception):
    pass


class Personalize:
    """Makes filters that are ACTIVE at once, unless `status` says otherwise."""

    def __init__(self, status: str = "ACTIVE") -> None:
        self.exceptions = SimpleNamespace(ResourceAlreadyExistsException=AlreadyExists)
        self.status = status
        self.filters: dict[str, dict[str, str]] = {}

    def create_filter(self, **request: str) -> None:
        if request["name"] in self.filters:
            raise AlreadyExists
        self.filters[request["name"]] = request

    def describe_filter(self, *, filterArn: str) -> dict[str, Any]:
        assert filterArn.rpartition("/")[2] in self.filters
        return {"filter": {"status": self.status, "failureReason": "no such column"}}


def settings() -> Settings:
    row = Placement(name="row", filters={"not-bought": EXPRESSION}, metadata=("BRAND",))
    return replace(SETTINGS, placements=(row,))


def test_each_colour_has_filters_of_its_own_and_a_second_attempt_makes_none() -> None:
    personalize, known = Personalize(), settings()
    for _ in range(2):
        create_filters(personalize, known, colour="blue", placement="row")
    (made,) = personalize.filters.values()
    assert made == {
        "name": f"{known.names.prefix}-blue-row-not-bought",
        "datasetGroupArn": known.dataset_group_arn("blue"),
        "filterExpression": EXPRESSION,
    }
    require_filters(personalize, known, colour="blue", placement="row")


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        ("CREATE IN_PROGRESS", FiltersPending, "not-bought of row is CREATE IN_PROGRESS"),
        ("CREATE FAILED", FilterFailed, "not-bought of row: no such column"),
    ],
)
def test_a_colour_without_its_filters_does_not_go_live(status: str, kind: type[Exception], says: str) -> None:
    personalize, known = Personalize(status), settings()
    create_filters(personalize, known, colour="blue", placement="row")
    with pytest.raises(kind, match=says):
        require_filters(personalize, known, colour="blue", placement="row")


def test_a_campaign_hands_out_metadata_where_the_placement_wants_them() -> None:
    placements = plan(settings(), None, STARTED)["placements"]
    assert placements["row"]["campaign_config"] == {"EnableMetadataWithRecommendations": True}
