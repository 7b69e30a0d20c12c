"""Filters: which items a request may be answered with.

Supported: INCLUDE and EXCLUDE of ItemID by Interactions.EVENT_TYPE or fields of Items, AND and OR,
several expressions joined by "|", an IF on fields of CurrentUser, and fields of CurrentItem and
CurrentUser as values.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from local_cloud.personalize.errors import invalid
from local_cloud.personalize.filter_grammar import (
    EVERY_EVENT,
    Condition,
    Current,
    Expression,
    Parameter,
    parse_expressions,
    parse_literals,
)
from local_cloud.personalize.streamed import Touch

LOOK_BACK: Final = 100
"""How many of a user's newest interactions of each event type a filter sees."""

COMPARISONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
"""Of two values, or of an array and a value: then element by element."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a filter knows of one request.

    :param item: the columns of an item.
    :param user: the columns of the user that the request names, `current_item` those of the item.
    """

    touches: Iterable[Touch]
    item: Callable[[str], Mapping[str, Any]]
    user: Mapping[str, Any]
    current_item: Mapping[str, Any]


Values: TypeAlias = Collection[str | float]
Alternatives: TypeAlias = list[list[tuple[Condition, Values]]]
"""Conditions with the values of a request, of which all of one list must be met."""


@dataclass(frozen=True)
class Applied:
    """A filter in one request.

    :param includes: one of these must be met, where there are any.
    :param excludes: and none of these.
    """

    includes: list[Alternatives]
    excludes: list[Alternatives]
    lets_nothing_pass: bool


@dataclass(frozen=True)
class Filter:
    expressions: tuple[Expression, ...]

    def uses_interactions(self) -> bool:
        return any(c.dataset == "interactions" for e in self.expressions for a in e.alternatives for c in a)

    def apart(self) -> tuple[Filter, Filter] | None:
        """What goes by items, and what EXCLUDEs by interactions: an item must pass both.

        None where an INCLUDE goes by interactions, which makes it one with the others.
        """
        by_items: list[Expression] = []
        by_interactions: list[Expression] = []
        for expression in self.expressions:
            used = any(c.dataset == "interactions" for tests in expression.alternatives for c in tests)
            if used and expression.includes:
                return None
            (by_interactions if used else by_items).append(expression)
        return Filter(tuple(by_items)), Filter(tuple(by_interactions))

    def fields(self) -> frozenset[str]:
        """The distinct fields of datasets, e.g. `items.PRICE`: quotas count them."""
        return frozenset(
            f"{condition.dataset}.{condition.field}"
            for expression in self.expressions
            for conditions in [*expression.alternatives, expression.on_user]
            for condition in conditions
        )

    def uses_current_user(self) -> bool:
        return any(expression.on_user for expression in self.expressions) or self._uses("user")

    def uses_current_item(self) -> bool:
        return self._uses("item")

    def _uses(self, current: str) -> bool:
        return any(
            isinstance(value, Current) and value.of == current
            for expression in self.expressions
            for conditions in expression.alternatives
            for condition in conditions
            for value in condition.values
        )

    def allows(self, facts: Facts, given: Mapping[str, str]) -> Callable[[str], bool]:
        """Which items may be in the answer.

        :param given: the request's `filterValues`.
        :raises Refused: InvalidInputException when an INCLUDE lacks the value of a parameter.
        """
        applied = self.applied(facts, given)
        includes = [_one_of(alternatives, facts) for alternatives in applied.includes]
        excludes = [_one_of(alternatives, facts) for alternatives in applied.excludes]

        def allowed(item_id: str) -> bool:
            if applied.lets_nothing_pass or any(test(item_id) for test in excludes):
                return False
            return not includes or any(test(item_id) for test in includes)

        return allowed

    def applied(self, facts: Facts, given: Mapping[str, str]) -> Applied:
        """What is left of the expressions in one request; parameters as for `allows`."""
        values = {name: parse_literals(name, text) for name, text in given.items()}
        includes: list[Alternatives] = []
        excludes: list[Alternatives] = []
        for expression in self.expressions:
            alternatives = _applied(expression, facts, values)
            if alternatives is not None:
                (includes if expression.includes else excludes).append(alternatives)
        asked_to_include = any(expression.includes for expression in self.expressions)
        return Applied(includes, excludes, lets_nothing_pass=asked_to_include and not includes)


def _applied(
    expression: Expression, facts: Facts, given: Mapping[str, Collection[str | float]]
) -> Alternatives | None:
    """The conditions with their values; None when the expression does not count in this request."""
    alternatives: Alternatives = []
    for conditions in expression.alternatives:
        tests = []
        for condition in conditions:
            values = _resolved(condition, given, facts, required=expression.includes)
            if values is None:
                break  # An EXCLUDE whose parameter has no value is left out
            tests.append((condition, values))
        else:
            alternatives.append(tests)
    for condition in expression.on_user:
        values = _resolved(condition, given, facts, required=expression.includes)
        if values is None or not matches(condition.op, facts.user.get(condition.field), values):
            return None
    return alternatives or None


def _one_of(alternatives: Alternatives, facts: Facts) -> Callable[[str], bool]:
    tested = [[_item_test(condition, values, facts) for condition, values in each] for each in alternatives]
    return lambda item_id: any(all(test(item_id) for test in tests) for tests in tested)


def _item_test(condition: Condition, values: Values, facts: Facts) -> Callable[[str], bool]:
    if condition.dataset == "items":
        if condition.field == "ITEM_ID":
            return lambda item_id: matches(condition.op, item_id, values)
        return lambda item_id: matches(condition.op, facts.item(item_id).get(condition.field), values)
    return touched(condition, values, facts.touches).__contains__


def touched(condition: Condition, values: Values, touches: Iterable[Touch]) -> set[str]:
    """The items that meet a condition on Interactions."""
    wanted = {str(value).lower() for value in values}
    seen: dict[str, int] = {}
    found = set()
    newest_first = sorted(touches, key=lambda touch: touch.timestamp)
    newest_first.reverse()  # Of one second, who came last comes first
    for touch in newest_first:
        kind = (touch.event_type or "").lower()
        seen[kind] = seen.get(kind, 0) + 1
        is_in = EVERY_EVENT in wanted or kind in wanted
        if seen[kind] <= LOOK_BACK and is_in != (condition.op in ("NOT IN", "!=")):
            found.add(touch.item_id)
    return found


def matches(op: str, actual: Any, values: Values) -> bool:
    """Whether a field has one of the values, or compares with the only one as `op` says.

    A field without a value meets only NOT IN and !=."""
    if isinstance(actual, str) and "|" in actual and op in ("IN", "NOT IN", "=", "!="):
        # A field with several categories
        has = any(part in values for part in actual.split("|"))
        return has == (op in ("IN", "="))
    if op in ("IN", "NOT IN"):
        return any(_same(actual, value) for value in values) == (op == "IN")
    if not values:
        return False
    value = next(iter(values))
    if actual is None:
        return op == "!="
    number = number_of(value) if isinstance(actual, (int, float)) else None
    if number is not None:
        return bool(COMPARISONS[op](actual, number))
    return bool(COMPARISONS[op](str(actual), str(value)))


def _same(actual: Any, value: str | float) -> bool:
    if isinstance(actual, (int, float)):
        return actual == number_of(value)
    return bool(actual == value)


def number_of(value: str | float) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _resolved(
    condition: Condition, given: Mapping[str, Collection[str | float]], facts: Facts, *, required: bool
) -> Collection[str | float] | None:
    values: list[str | float] = []
    for value in condition.values:
        if isinstance(value, Current):
            values.extend(_values_of(facts.current_item if value.of == "item" else facts.user, value.field))
        elif not isinstance(value, Parameter):
            values.append(value)
        elif value.name in given:
            values.extend(given[value.name])
        elif required:
            raise invalid(f"The filter needs a value for the parameter {value.name}")
        else:
            return None
    if not values and any(isinstance(value, Current) for value in condition.values):
        return None if not required else []
    if condition.op not in ("IN", "NOT IN") and len(values) != 1:
        raise invalid(f"The filter compares {condition.field} with one value, got {len(values)}")
    return values


def _values_of(record: Mapping[str, Any], field: str) -> list[str | float]:
    """Of a field with several categories, each."""
    value = record.get(field)
    if value is None:
        return []
    return list(value.split("|")) if isinstance(value, str) else [value]


def parse_filter(expression: str) -> Filter:
    """
    :raises Refused: InvalidInputException.
    """
    return Filter(parse_expressions(expression))
