"""Recommendations as a person reads them: names and prices, and what has moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from local_cloud.showcase import Product, Touch

_CARD: Final = 40
_EVENT_TYPE: Final = 12


def card(product: Product, width: int = _CARD) -> str:
    """A product in one column: its name, cut to fit, and its price at the end."""
    price = "" if product.price is None else f"{product.price:,.2f}".removesuffix(".00")
    room = width - len(price) - 1
    name = product.name if len(product.name) <= room else product.name[: room - 1] + "…"
    return f"{name:<{room}} {price}"


def marks(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """For each of `after`: `new`, places up (`+2`) or down (`-1`), or `=` where it stayed."""
    places = {item: place for place, item in enumerate(before)}
    moved = [places[item] - place if item in places else None for place, item in enumerate(after)]
    return ["new" if by is None else f"{by:+d}" if by else "=" for by in moved]


def touches_table(touches: Sequence[Touch]) -> list[str]:
    """What a customer touched, a line each."""
    return [
        f"  {touch.at:%d %b %H:%M}  {touch.event_type:<{_EVENT_TYPE}} {_full(touch.product)}"
        for touch in touches
    ]


def list_table(products: Sequence[Product]) -> list[str]:
    """Recommendations, best first, a line each."""
    return [f"  {place:>3}  {_full(product)}" for place, product in enumerate(products, 1)]


def change_table(before: Sequence[Product], after: Sequence[Product], width: int) -> list[str]:
    """Recommendations of before, and beside them those of now with how each moved.

    :param width: columns that a line may take.
    """
    card_width = min(_CARD, (width - 16) // 2)
    marked = marks([product.item_id for product in before], [product.item_id for product in after])
    lines = [f"  {'':>3}  {'before':<{card_width}}   {'':>4}  now", ""]
    for place in range(max(len(before), len(after))):
        left = card(before[place], card_width) if place < len(before) else " " * card_width
        right = f"{marked[place]:>4}  {card(after[place], card_width)}" if place < len(after) else ""
        lines.append(f"  {place + 1:>3}  {left}   {right}".rstrip())
    return lines


def _full(product: Product) -> str:
    details = [part for part in (product.brand, product.category) if part and part not in product.name]
    return f"{card(product)}  {', '.join(details)}".rstrip()
