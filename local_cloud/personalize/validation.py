"""Requests against the service model: members, types, lengths, ranges, patterns, enums.

botocore checks only part of this before it sends (no pattern, no maximum, no enum), so the
service must. The texts are those of AWS's own validation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from botocore.model import ListShape, MapShape, Shape, StructureShape

from local_cloud.personalize.errors import invalid

_LAST_MOMENT: Final = 253402300800.0
"""The end of the year 9999, in Unix seconds."""

# The two classes of Java's regular expressions that the models use
_JAVA_CLASSES: Final = {r"\p{ASCII}": r"[\x00-\x7f]", r"\p{L}": r"\w", r"\p{Z}": r"\s", r"\p{N}": r"\d"}


def validated(shape: StructureShape | None, value: object) -> dict[str, Any]:
    """The request's members, without those that are null.

    :raises Refused: InvalidInputException that lists everything wrong.
    """
    if shape is None:
        return {}
    problems: list[str] = []
    request = _read(shape, value, "", problems)
    if problems:
        noun = "error" if len(problems) == 1 else "errors"
        raise invalid(f"{len(problems)} validation {noun} detected: {'; '.join(problems)}")
    assert isinstance(request, dict)
    return request


def _read(shape: Shape, value: object, path: str, problems: list[str]) -> Any:
    if isinstance(shape, StructureShape):
        return _read_structure(shape, value, path, problems)
    if isinstance(shape, ListShape):
        if not isinstance(value, list):
            problems.append(_mistyped(path, "list", value))
            return None
        _check_size(shape, len(value), value, path, problems)
        return [_read(shape.member, item, f"{path}.{i}", problems) for i, item in enumerate(value, 1)]
    if isinstance(shape, MapShape):
        if not isinstance(value, dict):
            problems.append(_mistyped(path, "map", value))
            return None
        _check_size(shape, len(value), value, path, problems)
        for key, item in value.items():
            _read(shape.key, key, f"{path}.key", problems)
            _read(shape.value, item, f"{path}.{key}", problems)
        return value
    problems.extend(_scalar_problems(shape, value, path))
    return value


def _read_structure(
    shape: StructureShape, value: object, path: str, problems: list[str]
) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        problems.append(_mistyped(path or "request", "structure", value))
        return None
    prefix = f"{path}." if path else ""
    given = {name: item for name, item in value.items() if item is not None}
    problems.extend(
        f"Value null at '{prefix}{name}' failed to satisfy constraint: Member must not be null"
        for name in shape.required_members
        if name not in given
    )
    read = {}
    for name, item in given.items():
        if name in shape.members:
            read[name] = _read(shape.members[name], item, f"{prefix}{name}", problems)
        else:
            allowed = ", ".join(shape.members)
            problems.append(f"Unknown member '{prefix}{name}': {shape.name} has {allowed}")
    return read


def _scalar_problems(shape: Shape, value: object, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "string":
        if not isinstance(value, str):
            yield _mistyped(path, "string", value)
            return
        yield from _string_problems(shape, value, path)
    elif kind == "boolean":
        if not isinstance(value, bool):
            yield _mistyped(path, "boolean", value)
    elif isinstance(value, bool) or not isinstance(
        value, int if kind in ("integer", "long") else (int, float)
    ):
        yield _mistyped(path, kind, value)
    elif kind == "timestamp":
        if not 0 <= value < _LAST_MOMENT:
            yield _broken(path, value, "Member must be a time in Unix seconds before the year 10000")
    else:
        yield from _range_problems(shape, value, value, path, "value")


def _string_problems(shape: Shape, value: str, path: str) -> Iterator[str]:
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        yield _broken(path, value, f"Member must satisfy enum value set: [{', '.join(enum)}]")
    yield from _range_problems(shape, len(value), value, path, "length")
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        yield _broken(path, value, f"Member must satisfy regular expression pattern: {pattern}")


def _check_size(shape: Shape, size: int, value: object, path: str, problems: list[str]) -> None:
    problems.extend(_range_problems(shape, size, value, path, "length"))


def _range_problems(shape: Shape, size: float, value: object, path: str, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _broken(path, value, f"Member must have {what} greater than or equal to {least}")
    if most is not None and size > most:
        yield _broken(path, value, f"Member must have {what} less than or equal to {most}")


def _broken(path: str, value: object, constraint: str) -> str:
    shown = str(value)
    shown = shown if len(shown) <= 100 else f"{shown[:100]}…"
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: {constraint}"


def _mistyped(path: str, wanted: str, value: object) -> str:
    return f"Value at '{path}' must be of type {wanted}, got {type(value).__name__}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    for java, python in _JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.compile(pattern)
