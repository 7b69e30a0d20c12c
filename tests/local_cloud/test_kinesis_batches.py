from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from local_cloud.kinesis_batches import Outcome, Policy, Record, Stopped, outcome_of, settle


def records(numbers: str, *, arrived: float = 0) -> list[Record]:
    return [{"SequenceNumber": each, "ApproximateArrivalTimestamp": arrived} for each in numbers]


def numbers(batch: list[Record]) -> str:
    return "".join(record["SequenceNumber"] for record in batch)


class Shard:
    """A consumer that writes down what happens: invocations, and `-` before what is discarded."""

    def __init__(self, policy: Policy, function: Callable[[str], Mapping[str, Any]]) -> None:
        self.settings, self.function = policy, function
        self.happened: list[str] = []
        self.waits: list[float] = []
        self.past = ""
        self.now = 0.0

    def policy(self) -> Policy:
        return self.settings

    def invoke(self, batch: list[Record]) -> Mapping[str, Any]:
        self.happened.append(numbers(batch))
        return self.function(numbers(batch))

    def move_past(self, record: Record) -> None:
        assert record["SequenceNumber"] > self.past
        self.past = record["SequenceNumber"]

    def discard(self, batch: list[Record], *, invocations: int) -> None:
        self.happened.append(f"-{numbers(batch)} after {invocations}")

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def settle(self, batch: list[Record]) -> list[str]:
        settle(batch, self, wait=self.wait, now=lambda: self.now)
        assert self.past == batch[-1]["SequenceNumber"]
        return self.happened


def fails_on(bad: str) -> Callable[[str], Mapping[str, Any]]:
    return lambda batch: {"error": True} if set(batch) & set(bad) else {"body": None}


def reports(bad: str) -> Callable[[str], Mapping[str, Any]]:
    return lambda batch: {
        "body": {"batchItemFailures": [{"itemIdentifier": each} for each in batch if each in bad]}
    }


ALL, NONE = Outcome(done=3), Outcome(done=0, failed=True)


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (None, ALL),
        ({}, ALL),
        ({"batchItemFailures": None}, ALL),
        ({"batchItemFailures": []}, ALL),
        ({"batchItemFailures": [{"itemIdentifier": "3"}, {"itemIdentifier": "2"}]}, Outcome(done=1)),
        ({"batchItemFailures": [{"itemIdentifier": "1"}]}, Outcome(done=0)),
        ({"batchItemFailures": [{"itemIdentifier": "2"}, {"itemIdentifier": ""}]}, NONE),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, NONE),
        ({"batchItemFailures": [{"itemidentifier": "2"}]}, NONE),
        ({"batchItemFailures": [{"itemIdentifier": "9"}]}, NONE),
        ("all well", NONE),
    ],
)
def test_a_response_says_where_to_go_on(response: Any, outcome: Outcome) -> None:
    assert outcome_of(records("123"), {"body": response}, reports_failures=True) == outcome
    assert outcome_of(records("123"), {"body": response}, reports_failures=False) == ALL


def test_everything_from_the_lowest_reported_record_is_retried_until_the_quota_is_used() -> None:
    shard = Shard(Policy(reports_failures=True, retries=3), reports("35"))
    assert shard.settle(records("123456")) == ["123456", "3456", "3456", "3456", "-3456 after 4"]


def test_a_failed_batch_is_halved_until_the_bad_record_alone_uses_the_quota() -> None:
    shard = Shard(Policy(bisects=True, retries=1), fails_on("3"))
    assert shard.settle(records("12345")) == [
        "12345", "12", "345", "3", "3", "-3 after 4", "45",
    ]  # fmt: skip


def test_a_partial_response_splits_at_the_record_and_costs_no_retry() -> None:
    shard = Shard(Policy(bisects=True, reports_failures=True, retries=0), reports("3"))
    assert shard.settle(records("1234")) == ["1234", "34", "-34 after 2"]


def test_what_is_not_run_does_not_count_but_what_is_too_old_goes() -> None:
    shard = Shard(Policy(retries=0, longest_age=1), lambda _: {"error": True, "throttle": True})
    batch = records("12", arrived=0) + records("3", arrived=0.5)
    happened = shard.settle(batch)
    assert happened[-1] == "-3 after 0"
    assert [each for each in happened if each.startswith("-")] == ["-12 after 0", "-3 after 0"]
    assert len(happened) > 4


def test_waits_grow_and_no_retry_of_the_same_records_goes_without() -> None:
    shard = Shard(Policy(retries=8), fails_on("1"))
    shard.settle(records("1"))
    assert len(shard.waits) == 8
    assert shard.waits == sorted(shard.waits)
    assert 0.1 <= shard.waits[0] <= shard.waits[-1] <= 2


def test_a_mapping_that_ends_leaves_the_rest_where_it_is() -> None:
    class Ending(Shard):
        def policy(self) -> Policy:
            if self.happened:
                raise Stopped
            return super().policy()

    shard = Ending(Policy(reports_failures=True), reports("2"))
    with pytest.raises(Stopped):
        shard.settle(records("123"))
    assert (shard.past, shard.happened) == ("1", ["123"])


@pytest.mark.parametrize("bisects", [True, False])
@pytest.mark.parametrize("says", [True, False])
def test_no_record_is_left_out_and_none_overtakes_another(bisects: bool, says: bool) -> None:
    batch = "12345678"
    for bad in ("".join(each) for size in range(4) for each in itertools.combinations(batch, size)):
        function = reports(bad) if says else fails_on(bad)
        shard = Shard(Policy(bisects=bisects, reports_failures=says, retries=2), function)
        happened = shard.settle(records(batch))
        gone = "".join(each[1:].split()[0] for each in happened if each.startswith("-"))
        passed = {
            number for each in happened if not each.startswith("-") for number in each if number not in bad
        }
        assert set(gone) | passed == set(batch), bad
        assert set(bad) <= set(gone), bad
        if bisects and not says:
            assert gone == bad


def test_a_policy_is_read_from_the_mapping() -> None:
    assert Policy.of({}, retention=7200) == Policy(longest_age=7200)
    mapping = {
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": True,
        "MaximumRetryAttempts": 0,
        "MaximumRecordAgeInSeconds": 60,
    }
    assert Policy.of(mapping, retention=7200) == Policy(
        reports_failures=True, bisects=True, retries=0, longest_age=60
    )
