from __future__ import annotations

import pytest

from retraining.run_lock import LockHeldError, RunLock
from tests.lambdas.retraining.fakes import Table

FIRST, SECOND = "execution:first", "execution:second"


def lock(table: Table, running: set[str]) -> RunLock:
    return RunLock(table, running.__contains__)


def test_a_second_run_is_refused_and_told_who_is_at_work() -> None:
    table = Table()
    lock(table, {FIRST}).acquire(FIRST, run_id="1", now=0)
    with pytest.raises(LockHeldError, match=FIRST):
        lock(table, {FIRST, SECOND}).acquire(SECOND, run_id="2", now=1)


def test_the_lock_of_a_run_that_ended_without_giving_it_back_is_taken_over() -> None:
    table = Table()
    lock(table, {FIRST}).acquire(FIRST, run_id="1", now=0)
    lock(table, {SECOND}).acquire(SECOND, run_id="2", now=1)
    assert lock(table, set()).holder() == SECOND


def test_of_two_that_find_the_lock_free_only_one_gets_it() -> None:
    table = Table()

    def the_other_is_quicker() -> None:
        table.before_write = lambda: None
        lock(table, {FIRST}).acquire(FIRST, run_id="1", now=0)

    table.before_write = the_other_is_quicker
    with pytest.raises(LockHeldError, match="quicker"):
        lock(table, {FIRST, SECOND}).acquire(SECOND, run_id="2", now=0)
    assert lock(table, set()).holder() == FIRST


def test_giving_back_a_lock_that_another_holds_leaves_it() -> None:
    table = Table()
    lock(table, {FIRST}).acquire(FIRST, run_id="1", now=0)
    lock(table, set()).release(SECOND)
    assert lock(table, set()).holder() == FIRST


def test_a_repeated_step_takes_the_lock_once_more_without_harm() -> None:
    table = Table()
    for _ in range(2):
        lock(table, {FIRST}).acquire(FIRST, run_id="1", now=0)
    assert lock(table, set()).holder() == FIRST


def test_a_put_whose_answer_was_lost_and_that_is_repeated_has_taken_the_lock() -> None:
    table = Table()

    def the_first_put_went_through() -> None:
        table.before_write = lambda: None
        lock(table, set()).acquire(FIRST, run_id="1", now=0)

    table.before_write = the_first_put_went_through
    lock(table, set()).acquire(FIRST, run_id="1", now=0)
    assert lock(table, set()).holder() == FIRST
