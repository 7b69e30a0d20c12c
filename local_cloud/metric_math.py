"""Expressions over metrics: the arithmetic of CloudWatch's metric math, FILL, and SUM(METRICS()).

Specification: Amazon CloudWatch user guide, "Using math expressions with CloudWatch metrics". What is
not here is refused by name.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Final

Series = Sequence[float | None]

_OPERATORS: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def calculate(expression: str, metrics: Mapping[str, Series]) -> list[float | None]:
    """The series that an expression makes of others, period by period.

    A period without data in one of them has none in the result, and a division by zero neither.
    FILL(m, 0) fills periods without data, if the series has any data at all. SUM(METRICS()) adds up
    what there is: a metric without data takes nothing away from the others.

    >>> calculate("100 * errors / FILL(requests, 1)", {"errors": [1, 2], "requests": [4, None]})
    [25.0, 200.0]

    :raises ValueError: for what this does not know.
    """
    length = max(map(len, metrics.values()))
    return _value(ast.parse(expression.strip(), mode="eval").body, metrics, length)


def _value(node: ast.expr, metrics: Mapping[str, Series], length: int) -> list[float | None]:
    match node:
        case ast.Constant(value=int() | float() as number):
            return [float(number)] * length
        case ast.Name(id=name) if name in metrics:
            return list(metrics[name])
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return [None if each is None else -each for each in _value(operand, metrics, length)]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            pairs = zip(_value(left, metrics, length), _value(right, metrics, length), strict=True)
            return [_apply(_OPERATORS[type(op)], one, other) for one, other in pairs]
        case ast.Call(func=ast.Name(id="FILL"), args=[series, filler]):
            given, filled = _value(series, metrics, length), _value(filler, metrics, length)
            if all(each is None for each in given):
                return given
            return [other if one is None else one for one, other in zip(given, filled, strict=True)]
        case ast.Call(func=ast.Name(id="SUM"), args=[ast.Call(func=ast.Name(id="METRICS"), args=[])]):
            of_periods = (
                [each for each in period if each is not None]
                for period in zip(*metrics.values(), strict=True)
            )
            return [sum(there) if there else None for there in of_periods]
    raise ValueError(f"metric math: cannot calculate {ast.unparse(node)!r}")


def _apply(function: Callable[[float, float], float], one: float | None, other: float | None) -> float | None:
    if one is None or other is None or (function is operator.truediv and other == 0):
        return None
    return function(one, other)
