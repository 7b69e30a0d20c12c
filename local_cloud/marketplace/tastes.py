"""Who shops and for what: categories, invented brands, and the personas whose taste ties them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Category:
    """What a product is, how it looks and what it costs.

    :param silhouette: of pictures.SILHOUETTES.
    :param price: the middle of its prices.
    :param models: second words of product names.
    """

    name: str
    silhouette: str
    price: float
    models: tuple[str, ...]


@dataclass(frozen=True)
class Brand:
    """An invented brand: its colours and sign, its price level, and what it makes, dearest to it first."""

    name: str
    hue: str
    mark: str
    level: float
    makes: tuple[str, ...]


@dataclass(frozen=True)
class Persona:
    """A kind of customer.

    :param share: of all customers.
    :param taste: category to the share of sessions that look for it; the rest is spread evenly.
    :param frugality: how strongly a lower price attracts; negative where a higher one does.
    """

    name: str
    share: float
    taste: dict[str, float]
    frugality: float = 0.0


CATEGORIES: Final = (
    Category("running", "runner", 130, ("Tempo", "Stride", "Cadence", "Pacer", "Interval")),
    Category("trail", "runner", 145, ("Ridge", "Scree", "Switchback", "Traverse")),
    Category("basketball", "high", 165, ("Rebound", "Fadeaway", "Tipoff", "Crossover", "Baseline")),
    Category("skate", "vulc", 80, ("Ollie", "Manual", "Grindline", "Halfpipe", "Curb")),
    Category("retro", "low", 110, ("Court 84", "Club 76", "Arena 91", "Metro 88")),
    Category("designer", "loafer", 480, ("Salon", "Galerie", "Atelier", "Vernissage")),
    Category("boots", "boot", 190, ("Summit", "Bivouac", "Granite", "Moraine")),
    Category("slides", "slide", 40, ("Poolside", "Lounge", "Drift", "Cove")),
    Category("hoodies", "hoodie", 95, ("Box Hoodie", "Loop Hoodie", "Zip Hoodie", "Heavy Hoodie")),
    Category("tees", "tee", 38, ("Box Tee", "Pocket Tee", "Graphic Tee", "Long Tee")),
    Category("caps", "cap", 32, ("Six Panel", "Trucker", "Dad Cap", "Camp Cap")),
    Category("bags", "bag", 75, ("Rucksack", "Roll Top", "Daypack", "Courier")),
)

BRANDS: Final = (
    Brand("Kestara", "#e4572e", "stripes", 1.0, ("running", "tees", "slides", "caps")),
    Brand("Quarmile", "#1b998b", "chevron", 1.1, ("running", "trail", "tees")),
    Brand("Zuvio", "#3a6ea5", "bolt", 0.8, ("running", "basketball", "slides", "bags")),
    Brand("Bankshotto", "#c1121f", "star", 1.2, ("basketball", "hoodies", "retro")),
    Brand("Ovandi", "#7b2cbf", "wave", 1.0, ("basketball", "retro", "hoodies", "caps")),
    Brand("Grindt", "#333d29", "cross", 0.9, ("skate", "tees", "hoodies", "caps")),
    Brand("Tolumo", "#f2a104", "dot", 0.8, ("skate", "retro", "tees", "slides")),
    Brand("Kerbside Otto", "#ff6fae", "bolt", 1.0, ("skate", "hoodies", "bags", "caps")),
    Brand("Maison Vireau", "#b08d57", "ring", 1.3, ("designer", "bags", "tees")),
    Brand("Pallenine", "#6d6875", "wave", 1.1, ("designer", "retro", "hoodies")),
    Brand("Casa Ombrello", "#8d0801", "dot", 1.2, ("designer", "slides", "bags")),
    Brand("Fjellora", "#2a6f97", "chevron", 1.1, ("boots", "trail", "bags", "caps")),
    Brand("Norrvik", "#52796f", "ring", 1.0, ("boots", "trail", "hoodies")),
    Brand("Brakwell", "#9c6644", "cross", 0.9, ("boots", "bags", "tees")),
    Brand("Emberlo", "#d62839", "stripes", 1.0, ("retro", "running", "caps", "tees")),
    Brand("Longakre", "#588157", "star", 0.7, ("slides", "tees", "skate", "running")),
)

PERSONAS: Final = (
    Persona("runner", 0.18, {"running": 0.62, "trail": 0.14, "tees": 0.1, "slides": 0.04}),
    Persona("basketball-collector", 0.16, {"basketball": 0.64, "retro": 0.16, "hoodies": 0.1}, -0.2),
    Persona("skater", 0.15, {"skate": 0.62, "hoodies": 0.12, "tees": 0.12, "caps": 0.06}, 0.2),
    Persona("hype", 0.14, {"retro": 0.5, "hoodies": 0.22, "basketball": 0.1, "designer": 0.1}, -0.3),
    Persona("luxury", 0.08, {"designer": 0.66, "bags": 0.16, "retro": 0.08}, -0.8),
    Persona("outdoor", 0.13, {"boots": 0.44, "trail": 0.34, "bags": 0.12, "caps": 0.04}),
    Persona("budget", 0.16, {"slides": 0.36, "tees": 0.26, "caps": 0.16, "skate": 0.1}, 1.2),
)

NEWCOMER_FACTOR: Final = {"hype": 2.0, "budget": 1.3, "basketball-collector": 0.5}
"""Customers shift from lifelong collectors to the casual and curious: shares among newcomers, relatively."""

COUNTRIES: Final = {
    "US": 0.46,
    "GB": 0.14,
    "DE": 0.1,
    "JP": 0.08,
    "FR": 0.08,
    "CA": 0.07,
    "AU": 0.04,
    "MX": 0.03,
}
"""Where customers live; independent of persona, so that the segment gives no taste away."""


def taste_matrix() -> NDArray[np.float64]:
    """Shares of interest, a row per persona and a column per category; rows sum to 1."""
    rows = []
    for persona in PERSONAS:
        rest = (1 - sum(persona.taste.values())) / len(CATEGORIES)
        rows.append([persona.taste.get(category.name, 0.0) + rest for category in CATEGORIES])
    return np.array(rows)
