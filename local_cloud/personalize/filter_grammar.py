"""The grammar of filter expressions: developer guide, "Filter expression structure and elements"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from local_cloud.personalize.errors import Refused, invalid, not_here

COMPARISONS: Final = ("=", "!=", "<", "<=", ">", ">=")

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>"[^"]*")|(?P<parameter>\$[A-Za-z0-9_]+)|(?P<number>-?\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?)|(?P<symbol><=|>=|!=|[=<>|(),*]))""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Parameter:
    """A `$NAME` that each request gives a value."""

    name: str


@dataclass(frozen=True)
class Current:
    """A field of the item or of the user that each request is about."""

    of: Literal["item", "user"]
    field: str


Value = str | float | Parameter | Current
EVERY_EVENT: Final = "*"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """
    :param op: IN, NOT IN or a comparison.
    :param values: one, unless `op` is IN or NOT IN.
    """

    dataset: str
    field: str
    op: str
    values: tuple[Value, ...]


@dataclass(frozen=True, kw_only=True)
class Expression:
    """
    :param alternatives: conditions, AND within and OR between.
    :param on_user: conditions that the current user must meet for the expression to count.
    """

    includes: bool
    alternatives: tuple[tuple[Condition, ...], ...]
    on_user: tuple[Condition, ...]


def parse_expressions(text: str) -> tuple[Expression, ...]:
    """
    :raises Refused: InvalidInputException that says what was expected where.
    """
    return _Parser(_tokens(text)).parse()


class _Parser:
    """Recursive descent; AND binds closer than OR."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def parse(self) -> tuple[Expression, ...]:
        expressions = [self._expression()]
        while self._take("|"):
            expressions.append(self._expression())
        if self._at < len(self._tokens):
            raise self._wrong("the end")
        return tuple(expressions)

    def _expression(self) -> Expression:
        includes = self._one_of("INCLUDE", "EXCLUDE") == "INCLUDE"
        subject = self._one_of("ItemID", "ActionID", "UserID")
        if subject.lower() != "itemid":
            raise not_here(f"a filter of {subject}")
        self._one_of("WHERE")
        alternatives = [self._all_of(("Interactions", "Items"))]
        while self._take("OR"):
            alternatives.append(self._all_of(("Interactions", "Items")))
        datasets = {condition.dataset for conditions in alternatives for condition in conditions}
        if len(datasets) > 1:
            raise invalid("Invalid Expression: one expression cannot mix Interactions and Items")
        on_user = self._all_of(("CurrentUser",)) if self._take("IF") else ()
        return Expression(includes=includes, alternatives=tuple(alternatives), on_user=on_user)

    def _all_of(self, datasets: tuple[str, ...]) -> tuple[Condition, ...]:
        conditions = [self._condition(datasets)]
        while self._take("AND"):
            conditions.append(self._condition(datasets))
        return tuple(conditions)

    def _condition(self, datasets: tuple[str, ...]) -> Condition:
        kind, shown = self._next()
        dataset, _, field = shown.partition(".")
        if kind != "word" or not field or dataset.lower() not in {name.lower() for name in datasets}:
            raise self._wrong(" or ".join(f"{name}.FIELD" for name in datasets), back=True)
        dataset, field = dataset.lower(), field.upper()
        if dataset == "interactions" and field != "EVENT_TYPE":
            raise invalid("Invalid Expression: interactions are filtered by EVENT_TYPE only")
        op = self._one_of("IN", "NOT", *COMPARISONS)
        if op == "NOT":
            op = f"NOT {self._one_of('IN')}"
        values = self._list() if op in ("IN", "NOT IN") else (self._value(),)
        for value in values:
            if isinstance(value, Parameter) and op == "NOT IN":
                raise invalid(
                    f"Could not create filter. Invalid input symbol: ${value.name}. "
                    "Placeholders are not allowed with NOT_IN operator."
                )
            if value == EVERY_EVENT and dataset != "interactions":
                raise invalid("Invalid Expression: * stands for every Interactions.EVENT_TYPE only")
        return Condition(dataset=dataset, field=field, op=op, values=values)

    def _list(self) -> tuple[Value, ...]:
        """In parentheses, or a field of the current item without (guide, "Filter expression examples")."""
        if not self._take("("):
            value = self._value()
            if not isinstance(value, Current):
                raise self._wrong("(", back=True)
            return (value,)
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        self._one_of(")")
        return tuple(values)

    def _value(self) -> Value:
        kind, shown = self._next()
        if (kind, shown) == ("symbol", "*"):
            return EVERY_EVENT
        if kind == "word" and shown.lower().startswith(("currentitem.", "currentuser.")):
            owner, _, field = shown.partition(".")
            return Current("item" if owner.lower() == "currentitem" else "user", field.upper())
        value = _literal(kind, shown)
        if value is None:
            raise self._wrong('"text", a number or $PARAMETER', back=True)
        return value

    def _one_of(self, *wanted: str) -> str:
        for word in wanted:
            if self._take(word):
                return word
        raise self._wrong(" or ".join(wanted))

    def _take(self, wanted: str) -> bool:
        if self._at < len(self._tokens):
            kind, shown = self._tokens[self._at]
            if kind in ("word", "symbol") and shown.lower() == wanted.lower():
                self._at += 1
                return True
        return False

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise self._wrong("more")
        kind, shown = self._tokens[self._at]
        self._at += 1
        return kind, shown

    def _wrong(self, wanted: str, *, back: bool = False) -> Refused:
        at = self._at - back
        found = self._tokens[at][1] if at < len(self._tokens) else "the end"
        return invalid(f"Invalid Expression: expected {wanted}, got {found}")


def parse_literals(name: str, text: str) -> list[str | float]:
    """A request's value of a parameter: texts in quotation marks or numbers, with commas between."""
    tokens = _tokens(text)
    if not tokens or any((kind == "symbol") != (i % 2 == 1) for i, (kind, _) in enumerate(tokens)):
        raise invalid(f"Invalid value of the filter parameter {name}: {text}")
    literals = [_literal(kind, shown) for kind, shown in tokens[::2]]
    if len(tokens) % 2 == 0 or any(shown != "," for _, shown in tokens[1::2]):
        raise invalid(f"Invalid value of the filter parameter {name}: {text}")
    if any(value is None or isinstance(value, Parameter) for value in literals):
        raise invalid(f'The value of {name} must be "text" in quotation marks or a number, got {text}')
    return [value for value in literals if isinstance(value, (str, float))]


def _literal(kind: str, shown: str) -> str | float | Parameter | None:
    if kind == "text":
        return shown[1:-1]
    if kind == "number":
        return float(shown)
    return Parameter(shown[1:]) if kind == "parameter" else None


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    text = text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise invalid(f"Invalid Expression: unexpected {text[position : position + 20]!r}")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return tokens
