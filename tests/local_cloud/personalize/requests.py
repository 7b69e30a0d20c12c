"""Requests made up from the service models: some that could be, most that are wrong somewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import strategies as st

_TEXTS = (
    "",
    "a",
    "shop",
    "user-1",
    "hat-1",
    "rate(1 day)",
    "s3://bucket/first/",
    "arn:aws:iam::123456789012:role/import",
    "arn:aws:iam::999999999999:role/import",
    'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")',
    "INCLUDE ItemID WHERE Items.PRICE < $P | EXCLUDE ItemID WHERE Items.CATEGORY IN (CurrentItem.CATEGORY)",
    '{"category": "x"}',
    "[[[",
    '"x"',
    "1e999",
    "ü\u2028\x00",
    "x" * 300,
)
_JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.just([]), st.just({})
)


def requests_of(shape: StructureShape | None, known: Sequence[str]) -> st.SearchStrategy[Any]:
    """
    :param known: ARNs, names and ids of what there is.
    """
    return st.just({}) if shape is None else _of(shape, tuple(known), depth=0)


def _of(shape: Shape, known: tuple[str, ...], *, depth: int) -> st.SearchStrategy[Any]:
    if depth and depth % 2 == 0:
        # Now and then something quite else
        return st.integers(0, 19).flatmap(lambda n: _JUNK if n == 0 else _proper(shape, known, depth=depth))
    return _proper(shape, known, depth=depth)


def _proper(shape: Shape, known: tuple[str, ...], *, depth: int) -> st.SearchStrategy[Any]:
    if isinstance(shape, StructureShape):
        members = {name: _of(member, known, depth=depth + 1) for name, member in shape.members.items()}
        required = {name: members[name] for name in shape.required_members}
        optional = {name: member for name, member in members.items() if name not in required}
        return st.fixed_dictionaries(required, optional=optional)
    if isinstance(shape, ListShape):
        return st.lists(_of(shape.member, known, depth=depth + 1), max_size=3)
    if isinstance(shape, MapShape):
        keys = st.sampled_from(
            [*(shape.key.metadata.get("enum") or ()), "bptt", "P", "ITEMS", "Items", "a b"]
        )
        return st.dictionaries(keys, _of(shape.value, known, depth=depth + 1), max_size=2)
    kind = shape.type_name
    if kind == "boolean":
        return st.booleans()
    if kind in ("integer", "long"):
        return st.sampled_from([0, 1, 5, 25, 100, 101, 501, -1, 2**40])
    if kind in ("float", "double", "timestamp"):
        return st.sampled_from([0, 0.5, 1, 2e9, -1, 1e308])
    return st.sampled_from([*(shape.metadata.get("enum") or ()), *known, *_TEXTS])
