"""The catalogue: some 650 products, most there from the start, some new every week, and a limited drop."""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from local_cloud.marketplace.pictures import Colours, data_uri, draw
from local_cloud.marketplace.tastes import BRANDS, CATEGORIES, Brand, Category

DAY: Final = 86_400_000
"""Milliseconds of a day."""

_PER_LINE: Final = 13
"""Products of a brand in a category, on average."""

_NEW_SHARE: Final = 0.14
"""Of the catalogue, released within the window."""

_COLOURWAYS: Final = {
    "Chalk": "#f1ede4", "Onyx": "#33343a", "Maize": "#f4c430", "Cobalt": "#2456c9", "Moss": "#6b7d4a",
    "Brick": "#a3432f", "Lilac": "#b8a1d9", "Sky": "#8ecae6", "Sand": "#d8c3a5", "Coral": "#ff7f66",
    "Mint": "#9bd8b4", "Ash": "#9a9a9a", "Plum": "#6a2c5b", "Rust": "#c2571a", "Ivory": "#fffbea",
}  # fmt: skip


@dataclass(frozen=True)
class Product:
    """One item for sale; prices in the shop's one currency, times in unix milliseconds."""

    item_id: str
    name: str
    brand: str
    category: str
    price: float
    image: str
    created_at: int


@dataclass(frozen=True)
class Catalogue:
    """Products and, in the same order, what the click model needs of them.

    `category`, `brand`: indices into CATEGORIES and BRANDS. `drop`: indices of the
    limited products that are released together at `drop_at` (unix milliseconds).
    """

    products: tuple[Product, ...]
    category: NDArray[np.intp]
    brand: NDArray[np.intp]
    drop: NDArray[np.intp]
    drop_at: int


def make_catalogue(rng: np.random.Generator, *, start: int, days: int, drop_at: int) -> Catalogue:
    """
    :param start: first millisecond of the window.
    :param days: length of the window.
    :param drop_at: when the limited products are released.
    """
    lines = [
        (category, brand, brand.makes.index(category.name))
        for category in CATEGORIES
        for brand in BRANDS
        if category.name in brand.makes
    ]
    drafts: list[tuple[Category, Brand, str, str, int]] = []
    for category, brand, place in lines:
        count = max(4, round(_PER_LINE * (1.35 - 0.25 * place)))
        pairs = [(model, colourway) for model in category.models for colourway in _COLOURWAYS]
        for index in rng.choice(len(pairs), size=count, replace=False):
            age = rng.integers(30, 900) * DAY
            new = rng.random() < _NEW_SHARE
            created = start + int(rng.integers(0, days)) * DAY if new else start - int(age)
            drafts.append((category, brand, *pairs[index], created))
    order = rng.permutation(len(drafts))  # so that an item id says nothing about its kind
    drafts = [drafts[index] for index in order]
    released = [  # a collaboration: one brand, two categories, one day
        (CATEGORIES[4], BRANDS[4], f"Eclipse {number}", colourway, drop_at)
        for number, colourway in ((1, "Onyx"), (1, "Maize"), (1, "Cobalt"), (2, "Chalk"), (2, "Plum"))
    ] + [
        (CATEGORIES[2], BRANDS[4], f"Eclipse Mid {number}", colourway, drop_at)
        for number, colourway in ((1, "Onyx"), (1, "Maize"), (2, "Lilac"))
    ]
    first = len(drafts)
    drafts += released
    products = tuple(
        _product(rng, index, category, brand, model, colourway, created)
        for index, (category, brand, model, colourway, created) in enumerate(drafts)
    )
    return Catalogue(
        products=products,
        category=np.array([CATEGORIES.index(draft[0]) for draft in drafts]),
        brand=np.array([BRANDS.index(draft[1]) for draft in drafts]),
        drop=np.arange(first, len(drafts)),
        drop_at=drop_at,
    )


def _product(
    rng: np.random.Generator,
    index: int,
    category: Category,
    brand: Brand,
    model: str,
    colourway: str,
    created: int,
) -> Product:
    price = category.price * brand.level * float(np.exp(rng.normal(0, 0.18)))
    name = f"{brand.name} {model} {colourway}"
    body = _COLOURWAYS[colourway]
    mark = (
        brand.hue if _distance(body, brand.hue) > 0.55 else "#ffffff" if _lightness(body) < 0.6 else "#222222"
    )
    colours = Colours(body=body, trim=brand.hue, mark=mark, ground=_tint(brand.hue))
    return Product(
        item_id=f"i{index + 1:04d}",
        name=name,
        brand=brand.name,
        category=category.name,
        price=round(price / 5) * 5.0 if price > 60 else round(price) - 0.01,
        image=data_uri(draw(category.silhouette, brand.mark, colours, title=name)),
        created_at=created,
    )


def _channels(colour: str) -> tuple[float, float, float]:
    return (int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255)


def _distance(one: str, other: str) -> float:
    return math.dist(_channels(one), _channels(other))


def _lightness(colour: str) -> float:
    return colorsys.rgb_to_hls(*_channels(colour))[1]


def _tint(hue: str) -> str:
    """A pale background of the brand's colour."""
    tone, _, saturation = colorsys.rgb_to_hls(*_channels(hue))
    pale = colorsys.hls_to_rgb(tone, 0.92, saturation * 0.7)
    return "#" + "".join(f"{round(part * 255):02x}" for part in pale)
