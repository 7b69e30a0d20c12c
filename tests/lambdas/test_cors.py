"""Who may read an answer in a browser."""

from __future__ import annotations

import pytest

from vocabulary.cors import leave_to_read

SHOP = "https://shop.example"


@pytest.mark.parametrize(
    ("allowed", "origin", "told"),
    [
        ((), SHOP, {}),
        ((SHOP,), SHOP, {"access-control-allow-origin": SHOP, "vary": "origin"}),
        ((SHOP,), "https://evil.example", {"vary": "origin"}),
        ((SHOP,), None, {"vary": "origin"}),
        ((SHOP,), f"{SHOP}.evil.example", {"vary": "origin"}),
        (("*",), SHOP, {"access-control-allow-origin": "*"}),
    ],
)
def test_a_page_is_let_read_if_it_is_of_the_allowed_ones(
    allowed: tuple[str, ...], origin: str | None, told: dict[str, str]
) -> None:
    for name in ("origin", "Origin"):
        assert leave_to_read({"headers": None if origin is None else {name: origin}}, allowed) == told
