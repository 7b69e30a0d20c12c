"""Worked examples, each with the arithmetic beside it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from costs.__main__ import Alarms, alarms_in, report
from costs.estimate import HOURS, NIGHTS, Use, alternatives, by_generation, campaign, month, night, training
from costs.prices import Prices
from stacks.environment import ENVIRONMENTS
from vocabulary.drops import Drop
from vocabulary.placements import Placement

PRICES = Prices.of("us-east-1")
V1 = Placement(name="row")
V2 = Placement(name="row", recipe="aws-user-personalization-v2")
NOTHING = Use(requests=0, events=0, users=0, history_days=90)
SHOP = Use(requests=3e6, events=1e7, users=1e5, history_days=90)


def test_an_idle_campaign_costs_its_minimum() -> None:
    assert campaign(PRICES, V1, 0, 1) == pytest.approx(3600 / 1000 * 0.0556)
    assert campaign(PRICES, V2, 0, HOURS) == pytest.approx(3.6 * 730 * 0.15)


def test_a_busy_campaign_costs_what_is_asked_by_tiers() -> None:
    asked = 100e6  # 72 million at the first price, 28 million at the second
    assert campaign(PRICES, V1, asked, HOURS) == pytest.approx(72_000 * 0.0556 + 28_000 * 0.0278)


def test_the_paid_floor_grows_with_the_capacity_asked_for() -> None:
    twice = Placement(name="row", min_provisioned_tps=2)
    assert campaign(PRICES, twice, 0, 24) == pytest.approx(2 * campaign(PRICES, V1, 0, 24))


def test_a_known_drop_costs_what_it_provides_above_the_floor_lead_and_all() -> None:
    once = Drop(placement="row", starts="2026-12-04T09:00", hours=1.5, tps=101)
    weekly = Drop(placement="row", starts="FRI 09:00", hours=1.5, tps=101)
    more = (
        100 * 2 * 3600 / 1000 * 0.0556
    )  # 100/s above the floor, for an hour and a half and half an hour before
    without = month(PRICES, [V1], NOTHING, alarms=0).total
    assert month(PRICES, [V1], NOTHING, alarms=0, drops=[once]).total - without == pytest.approx(more)
    every_week = month(PRICES, [V1], NOTHING, alarms=0, drops=[weekly]).total - without
    assert every_week == pytest.approx(more * 730 / 168)


def test_a_training_costs_what_the_published_ones_did() -> None:
    assert training(PRICES, V1, 100_000) == pytest.approx(2.135 * 0.24)
    assert training(PRICES, V1, 25e6) == pytest.approx(53.9 * 0.24)
    assert training(PRICES, V2, 5e6) == pytest.approx(10)


def test_a_month_holds_its_nights() -> None:
    estimate = month(PRICES, [V1], SHOP, alarms=20)
    without = month(PRICES, [V1], SHOP, alarms=20, nights=0)
    assert estimate.total - without.total == pytest.approx(
        NIGHTS * night(PRICES, [V1], SHOP.trained_on).total
    )


def test_the_idle_floor_is_what_stands_whether_or_not_anybody_comes() -> None:
    estimate = month(PRICES, [V1], NOTHING, alarms=20, nights=0)
    standing = campaign(PRICES, V1, 0, HOURS) + 730 * 0.045 + 46 * 0.30 + 20 * 0.10 + 3
    assert estimate.total == pytest.approx(standing)


def test_delivery_to_the_lake_is_billed_by_pieces_of_5_kb_events_and_exposures_alike() -> None:
    half = Use(requests=1e6, events=1e6, users=0, history_days=90, measured=0.5)
    delivered = month(PRICES, [V1], half, alarms=0, nights=0).of("Amazon Data Firehose")
    decompressed = 0.5e6 * 700 / 1e9 * 0.00325
    assert delivered == pytest.approx(1.5e6 * 5120 / 1e9 * (0.029 + 0.018) + decompressed)


def test_the_stream_bills_each_event_as_a_whole_kb_where_it_is_written_and_as_it_is_where_it_is_read() -> (
    None
):
    million = replace(NOTHING, events=1e6)
    stream = month(PRICES, [V1], million, alarms=0, nights=0).of("Amazon Kinesis")
    assert stream == pytest.approx(730 * 0.045 + 1e6 * 1024 / 1e9 * 0.08 + 2 * 1e6 * 350 / 1e9 * 0.04)


def test_functions_take_time_for_requests_and_for_each_event_twice() -> None:
    def functions(use: Use) -> float:
        return month(PRICES, [V1], use, alarms=0, nights=0).of("AWS Lambda")

    asked = 1e6 * (0.2 / 1e6 + 0.5 * 0.06 * 0.0000133334)
    assert functions(replace(NOTHING, requests=1e6)) == pytest.approx(asked)
    collected = 1e6 * (0.2 / 1e6 + 0.5 * 0.015 * 0.0000133334)
    forwarded = 1e6 * (0.2 / 20 / 1e6 + 0.25 * 0.01 * 0.0000133334)
    assert functions(replace(NOTHING, events=1e6)) == pytest.approx(collected + forwarded)


def test_training_data_that_spark_makes_are_a_job_s_and_no_function_s() -> None:
    spark = night(PRICES, [V1], 1e8, glue_workers=4)
    assert spark.of("AWS Glue") == pytest.approx(4 * 0.25 * 0.44)
    assert spark.of("AWS Lambda") == 0
    outgrown = replace(ENVIRONMENTS["prod"], training_engine="glue", glue_workers=10)
    text = report(outgrown, SHOP, alarms=Alarms(20, 4), today=date(2026, 11, 25))
    assert "| AWS Glue | 10 workers for 15 minutes | 1.10 |" in text
    assert "| AWS Glue | 30.4 nights | 33.44 |" in text
    assert "- Spark takes 15 minutes a night, which nobody has measured" in text


def test_an_alarm_costs_by_the_metrics_that_it_looks_at(tmp_path: Path) -> None:
    stat = {"MetricStat": {"Metric": {}, "Period": 60, "Stat": "Sum"}}
    resources = {
        "Plain": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}},
        "Of": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {"Metrics": [{"Expression": "a + b"}, stat, stat]},
        },
        "OfAlarms": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {}},
    }
    (tmp_path / "a.template.json").write_text(json.dumps({"Resources": resources}))
    assert alarms_in(tmp_path) == Alarms(3, 1)


def test_logs_are_of_answers_of_events_and_of_either_s_access() -> None:
    def logs(use: Use) -> float:
        return month(PRICES, [V1], use, alarms=0, nights=0).of("Amazon CloudWatch") - (46 * 0.30 + 3)

    assert logs(replace(NOTHING, requests=1e6)) == pytest.approx(1e6 * (700 + 150) / 1e9 * 0.50)
    assert logs(replace(NOTHING, events=1e6)) == pytest.approx(1e6 * (550 + 150) / 1e9 * 0.50)


def test_events_that_are_streamed_to_personalize_are_billed_as_imported_ones() -> None:
    million = month(PRICES, [V1], replace(NOTHING, events=1e6), alarms=0, nights=0)
    nothing = month(PRICES, [V1], NOTHING, alarms=0, nights=0)
    more = million.of("Amazon Personalize") - nothing.of("Amazon Personalize")
    assert more == pytest.approx(1e6 * 350 / 1e9 * 0.05)


def test_a_share_of_requests_is_a_share() -> None:
    with pytest.raises(ValueError, match=r"measured must be 0 to 1, got 60"):
        Use(requests=0, events=0, users=0, history_days=90, measured=60)


def test_what_is_kept_ready_and_the_firewall_cost_whether_or_not_anybody_comes() -> None:
    plain = month(PRICES, [V1], NOTHING, alarms=20, nights=0).total
    guarded = month(PRICES, [V1], NOTHING, alarms=20, nights=0, ready=10, firewall=True).total
    assert guarded - plain == pytest.approx(10 * 0.5 * 730 * 3600 * 0.0000033334 + 5 + 4 * 1)


def test_two_standing_campaigns_cost_more_than_two_colours_in_turn() -> None:
    ways = {each.name: each.cost for each in alternatives(PRICES, [V1], SHOP)}
    colours, standing, nightly, weekly, idle = ways.values()
    assert standing > colours > nightly > weekly > idle


def test_both_generations_are_compared_where_a_recipe_has_both() -> None:
    similar = Placement(name="similar", recipe="aws-similar-items")
    assert [each.name for each in by_generation(PRICES, [V2, similar], SHOP)] == [
        "aws-user-personalization",
        "aws-user-personalization-v2",
    ]
    assert by_generation(PRICES, [similar], SHOP) == []


@pytest.mark.parametrize("events", [-1, math.nan, math.inf])
def test_a_use_that_is_none_is_refused_by_name(events: float) -> None:
    with pytest.raises(ValueError, match=f"events must be 0 or more, got {events}"):
        Use(requests=0, events=events, users=0, history_days=90)


def test_the_report_tells_total_night_ways_assumptions_and_old_prices() -> None:
    text = report(ENVIRONMENTS["dev"], SHOP, alarms=Alarms(20, 4), today=date(2027, 7, 1))
    for part in ("a month", "One night", "two standing campaigns", "Assumptions", "Old prices", "disagree"):
        assert part in text


def test_the_report_says_what_every_other_way_costs_more_or_less() -> None:
    dev = ENVIRONMENTS["dev"]
    text = report(dev, SHOP, alarms=Alarms(20, 4), today=date(2026, 11, 25))
    ways = {each.name: each.cost for each in alternatives(PRICES, dev.placements, SHOP)}
    this, standing, in_place, *_ = ways.values()
    assert f"| two standing campaigns | {standing - this:,.2f} more than this |" in text
    assert f"| {this - in_place:,.2f} less than this | {in_place:,.2f} |" in text


def test_the_report_s_idle_floor_has_neither_nights_nor_drops() -> None:
    dev = ENVIRONMENTS["dev"]
    always = Drop(placement="recommended-for-you", starts="09:00", hours=5, tps=100)
    for environment in (dev, replace(dev, drops=(always,))):
        text = report(environment, SHOP, alarms=Alarms(20, 4), today=date(2026, 11, 25))
        idle = month(PRICES, dev.placements, NOTHING, alarms=20, composites=4, nights=0).total
        assert f"Idle floor: {idle:,.2f}" in text


def test_functions_are_priced_by_their_architecture() -> None:
    arm = month(PRICES, [V1], SHOP, alarms=0, ready=10)
    x86 = month(PRICES, [V1], SHOP, alarms=0, ready=10, architecture="x86_64")
    requests = (3e6 + 1e7 + 1e7 / 20) / 1e6 * 0.20
    of_arm, of_x86 = (each.of("AWS Lambda") - requests for each in (arm, x86))
    assert of_x86 / of_arm == pytest.approx(1.25, rel=1e-4)
    prod = ENVIRONMENTS["prod"]
    text = report(prod, SHOP, alarms=Alarms(20, 4), today=date(2026, 11, 25))
    assert prod.architecture.name == "arm64"
    assert f"| 10 containers kept ready | {10 * 0.5 * 730 * 3600 * 0.0000033334:.2f} |" in text
