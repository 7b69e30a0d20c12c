"""What a metric attribution tells CloudWatch: what came of recommendations, and of whose."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from local_cloud.embedded_metrics import Datum
from local_cloud.personalize.attribution_results import MOST_SOURCES
from local_cloud.personalize.metrics import LoggedMetrics
from local_cloud.personalize.region import AccessRefused
from local_cloud.personalize.service import Personalize
from local_cloud.personalize.state import StateFolder
from tests.local_cloud.personalize.harness import ACCOUNT, ROLE, Cloud, Shop, error_of, interactions_csv
from vocabulary.schemas import INTERACTIONS_SCHEMA

CLICKS = {"eventType": "click", "metricName": "clicks", "expression": "SAMPLECOUNT()"}
REVENUE = {"eventType": "buy", "metricName": "revenue", "expression": "SUM(Items.PRICE)"}
WORTH = {"eventType": "buy", "metricName": "worth", "expression": "SUM(Interactions.EVENT_VALUE)"}
UNDEFINED = "SOURCE_NAME_UNDEFINED"
QUARTER = 15 * 60


@pytest.fixture
def attributed(here: Cloud, shop: Shop) -> str:
    created = here.control.create_metric_attribution(
        name="effect",
        datasetGroupArn=shop.group,
        metrics=[CLICKS, REVENUE, WORTH],
        metricsOutputConfig={"roleArn": ROLE},
    )
    arn = str(created["metricAttributionArn"])
    assert here.settled("metric_attribution", arn)["status"] == "ACTIVE"
    return arn


def sends(cloud: Cloud, shop: Shop, *events: Mapping[str, Any]) -> None:
    now = int(time.time())
    cloud.events.put_events(
        trackingId=shop.tracking_id,
        sessionId="s",
        userId="u",
        eventList=[{"sentAt": now, "itemId": "hat-3", **event} for event in events],
    )


def by(source: str) -> dict[str, Any]:
    return {"metricAttribution": {"eventAttributionSource": source}}


def told(cloud: Cloud, shop: Shop) -> dict[tuple[str, str], float]:
    """The sum of each metric of the attribution, by its name and source."""
    metrics = cloud.service.region.metrics
    assert isinstance(metrics, LoggedMetrics)
    found = {}
    for each in metrics.log.to_json():
        if source := each["dimensions"].get("EVENT_ATTRIBUTION_SOURCE"):
            assert each["dimensions"]["DatasetGroupArn"] == shop.group
            assert all(point["time"] % QUARTER == 0 for point in each["points"])
            found[each["name"], source] = sum(point["sum"] for point in each["points"])
    return found


def test_streamed_events_count_for_whom_they_name(here: Cloud, shop: Shop, attributed: str) -> None:
    """Developer guide, "Guidelines and requirements for a metric attribution": both, one or no source."""
    answer = here.runtime.get_recommendations(campaignArn=shop.campaign, userId="u")
    recommended = {"recommendationId": answer["recommendationId"]}
    sends(
        here,
        shop,
        {"eventType": "click", **recommended},
        {"eventType": "Click", **recommended, **by("newsletter")},
        {"eventType": "click", "itemId": "hat-4"},
        {"eventType": "click", "recommendationId": "RID-of-nobody"},
        {"eventType": "view", **by("newsletter")},
        {"eventType": "buy", "eventValue": 12.5, **recommended},
        {"eventType": "buy", "eventValue": 2, "itemId": "hat-5", **recommended},
        {"eventType": "buy", "itemId": "unheard-of", **by("newsletter")},
    )
    assert told(here, shop) == {
        ("clicks", shop.campaign): 1,
        ("clicks", "newsletter"): 1,
        ("clicks", UNDEFINED): 2,
        ("revenue", shop.campaign): 30 + 50,
        ("revenue", "newsletter"): 0,
        ("worth", shop.campaign): 14.5,
        ("worth", "newsletter"): 0,
    }


def test_an_event_whose_id_was_seen_counts_once(here: Cloud, shop: Shop, attributed: str) -> None:
    """API reference, `Event`, eventId."""
    for _ in range(2):
        sends(here, shop, {"eventType": "click", "eventId": "e1"}, {"eventType": "click", "eventId": "e1"})
    assert told(here, shop) == {("clicks", UNDEFINED): 1}


def test_only_events_of_the_last_fourteen_days_count(here: Cloud, shop: Shop, attributed: str) -> None:
    """Developer guide, the same page; for those to come: CloudWatch API reference, `MetricDatum`."""
    now, day = int(time.time()), 86_400
    sends(
        here,
        shop,
        *({"eventType": "click", "sentAt": now + ahead} for ahead in (-15 * day, -13 * day, 0, day)),
    )
    assert told(here, shop) == {("clicks", UNDEFINED): 2}


def test_a_metric_counts_from_when_it_is_there_until_it_is_gone(
    here: Cloud, shop: Shop, attributed: str
) -> None:
    """Developer guide, the same page: nothing from before; "Deleting a metric attribution": nothing after."""
    click = {"eventType": "click", **by("us")}
    sends(here, shop, click)
    here.control.update_metric_attribution(metricAttributionArn=attributed, removeMetrics=["clicks"])
    for _ in range(2):
        here.control.describe_metric_attribution(metricAttributionArn=attributed)
    sends(here, shop, click)
    here.control.delete_metric_attribution(metricAttributionArn=attributed)
    here.gone("metric_attribution", attributed)
    sends(here, shop, {"eventType": "buy", **by("us")})
    assert told(here, shop) == {("clicks", "us"): 1}


def test_incremental_imports_count_and_full_ones_do_not(here: Cloud, shop: Shop, attributed: str) -> None:
    """Developer guide, "Viewing graphs of metric data in CloudWatch"."""
    now = int(time.time())
    header, *lines = interactions_csv().splitlines()
    clicks = [f"u{n},hat-1,{now},click," for n in range(1000)]
    csv = "\n".join([header, *clicks]) + "\n"
    assert here.imported(shop.interactions, csv, "more", importMode="INCREMENTAL")["status"] == "ACTIVE"
    assert told(here, shop) == {("clicks", UNDEFINED): 1000}
    here.imported(shop.interactions, "\n".join([header, *lines, *clicks]) + "\n", "anew")
    assert told(here, shop) == {("clicks", UNDEFINED): 1000}


def test_a_hundred_sources_are_told_apart(
    here: Cloud, shop: Shop, attributed: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Developer guide, the same page; that the next is left out, rather than refused, is our choice."""
    for start in range(0, MOST_SOURCES + 10, 10):
        sends(here, shop, *({"eventType": "click", **by(f"s{n}")} for n in range(start, start + 10)))
    sends(here, shop, {"eventType": "click"}, {"eventType": "click", **by("s7")})
    counts = told(here, shop)
    assert len(counts) == MOST_SOURCES + 1
    assert counts["clicks", "s7"] == 2
    assert "s100 is left out" in caplog.text
    # The events themselves are kept, with their sources
    accepted = here.service.region.datasets[shop.interactions].events.accepted
    assert accepted[MOST_SOURCES].attribution_source == "s100"


def test_a_restart_keeps_who_was_named(here: Cloud, shop: Shop, attributed: str, tmp_path: Path) -> None:
    sends(here, shop, {"eventType": "click", **by("newsletter")})
    with here.service.region.store.turn():
        StateFolder(tmp_path).keep(here.service.region)
    service = Personalize(
        account=ACCOUNT,
        region="us-east-1",
        control=here.shared,
        storage=here.bucket,
        state=StateFolder(tmp_path),
    )
    known = service.region.store.get("MetricAttribution", attributed).members["sources"]
    event = service.region.datasets[shop.interactions].events.accepted[-1]
    service.close()
    assert (known, event.attribution_source) == (["newsletter"], "newsletter")


class Closed:
    """CloudWatch under a role that may not put metrics."""

    def put(
        self, data: Sequence[Datum], *, role_arn: str | None = None, attribution_arn: str | None = None
    ) -> None:
        if role_arn is not None:
            raise AccessRefused(role_arn)


def test_a_role_that_may_not_put_metrics_is_found_out_at_the_creation(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Giving Amazon Personalize access to CloudWatch"; the words are ours."""
    here.service.region.metrics = Closed()
    arn = here.control.create_metric_attribution(
        name="effect", datasetGroupArn=shop.group, metrics=[CLICKS], metricsOutputConfig={"roleArn": ROLE}
    )["metricAttributionArn"]
    failed = here.settled("metric_attribution", arn)
    assert failed["status"] == "CREATE FAILED"
    assert "CloudWatch" in failed["failureReason"]


def test_events_are_taken_though_their_metrics_are_not(here: Cloud, shop: Shop, attributed: str) -> None:
    here.service.region.metrics = Closed()
    sends(here, shop, {"eventType": "click", "itemId": "hat-9"})
    assert here.service.region.datasets[shop.interactions].events.accepted[-1].item_id == "hat-9"


def test_what_can_be_summed_are_numbers(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Creating a metric attribution": "only numeric columns"."""
    for column in ("Items.BRAND", "Interactions.EVENT_TYPE", "Items.NONE"):
        metric = {**REVENUE, "expression": f"SUM({column})"}
        error = error_of(
            lambda metric=metric: here.control.create_metric_attribution(  # type: ignore[misc]
                name="e",
                datasetGroupArn=shop.group,
                metrics=[metric],
                metricsOutputConfig={"roleArn": ROLE},
            )
        )
        assert (error["Code"], column in error["Message"]) == ("InvalidInputException", True)


def test_events_without_a_type_cannot_be_counted(here: Cloud) -> None:
    """Developer guide, "Guidelines and requirements": the dataset "must have an EVENT_TYPE column"."""
    document = json.loads(INTERACTIONS_SCHEMA)
    document["fields"] = [field for field in document["fields"] if field["name"] != "EVENT_TYPE"]
    group = here.group()
    here.dataset(group, here.schema(json.dumps(document), "untyped"))
    error = error_of(
        lambda: here.control.create_metric_attribution(
            name="e", datasetGroupArn=group, metrics=[CLICKS], metricsOutputConfig={"roleArn": ROLE}
        )
    )
    assert (error["Code"], "EVENT_TYPE" in error["Message"]) == ("InvalidInputException", True)


def test_an_export_shows_the_source_of_a_streamed_event(here: Cloud) -> None:
    """Developer guide, "Schema requirements": EVENT_ATTRIBUTION_SOURCE is a reserved column."""
    document = json.loads(INTERACTIONS_SCHEMA)
    document["fields"].append({"name": "EVENT_ATTRIBUTION_SOURCE", "type": ["null", "string"]})
    group = here.group()
    dataset = here.dataset(group, here.schema(json.dumps(document), "with-source"))
    _, tracking_id = here.tracker(group)
    event = {"eventType": "click", "sentAt": 1, "itemId": "i", **by("newsletter")}
    here.events.put_events(trackingId=tracking_id, sessionId="s", eventList=[event])
    arn = here.control.create_dataset_export_job(
        jobName="out",
        datasetArn=dataset,
        ingestionMode="PUT",
        roleArn=ROLE,
        jobOutput={"s3DataDestination": {"path": "s3://bucket/out/"}},
    )["datasetExportJobArn"]
    assert here.settled("dataset_export_job", arn)["status"] == "ACTIVE"
    assert here.bucket.objects["out/out.csv"].decode().splitlines()[-1].endswith(",newsletter")
