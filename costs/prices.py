"""Prices of one Region, with the day they were read; old ones are told, missing ones refused."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "prices"

_STALE_AFTER_DAYS: Final = 180


class PriceError(Exception):
    """A price that cannot be relied on; the message says which and what to do."""


Tiers = tuple[tuple[float, float], ...]
"""Up to how many units in all, and the price of one of them; the last has no bound."""


@dataclass(frozen=True)
class Prices:
    """Prices in `currency`, as they were on `as_of`.

    :param sources: where they are from, and which of them are in doubt.
    """

    region: str
    currency: str
    as_of: date
    sources: dict[str, str]
    _prices: dict[str, Any]

    @classmethod
    def of(cls, region: str, folder: Path = FOLDER) -> Prices:
        """Read the price file of a Region.

        :raises PriceError: when there is none, or it is not a price file.
        """
        path = folder / f"{region}.json"
        if not path.exists():
            known = ", ".join(sorted(each.stem for each in folder.glob("*.json"))) or "none"
            raise PriceError(
                f"no prices for region {region!r}, only for: {known}. "
                f"Copy one to {path.name}, with that Region's prices, their date and where they are from"
            )
        try:
            read = json.loads(path.read_text())
            if "primary" not in read["sources"]:
                raise KeyError("sources.primary")
            return cls(
                read["region"],
                read["currency"],
                date.fromisoformat(read["as_of"]),
                read["sources"],
                dict(read["prices"]),
            )
        except (KeyError, TypeError, ValueError) as wrong:
            raise PriceError(f"{path.name} is not a price file: {wrong!r}") from wrong

    def one(self, name: str) -> float:
        """The price of a unit, e.g. `lambda.requests_million`.

        :raises PriceError: when it is missing or no price.
        """
        return self._price(name, self._prices.get(name))

    def tiered(self, name: str, units: float) -> float:
        """What so many units cost where the price falls with their number; tiers are counted in units.

        :raises PriceError: when the tiers are missing or out of order.
        """
        tiers = self._prices.get(name)
        if not isinstance(tiers, list) or not tiers or tiers[-1][0] is not None:
            raise PriceError(f"{name} must be tiers that end without a bound, got {tiers!r}")
        cost, begun = 0.0, 0.0
        for bound, price in tiers:
            end = units if bound is None else min(units, bound)
            if bound is not None and bound <= begun:
                raise PriceError(f"{name} must have rising bounds, got {tiers!r}")
            cost += max(0.0, end - begun) * self._price(name, price)
            begun = begun if bound is None else bound
        return cost

    def _price(self, name: str, price: object) -> float:
        if not isinstance(price, int | float) or isinstance(price, bool) or not 0 <= price < math.inf:
            raise PriceError(
                f"{name} must be a price, 0 or more, got {price!r}: see the file of {self.region}"
            )
        return float(price)

    @property
    def stale_after(self) -> date:
        """The last day on which these prices are told without a warning."""
        return self.as_of + timedelta(days=_STALE_AFTER_DAYS)

    def staleness(self, today: date) -> str | None:
        """A warning when these prices are old, or of a day that is yet to come."""
        if today < self.as_of:
            return f"the prices are of {self.as_of}, which is yet to come: check them"
        if today <= self.stale_after:
            return None
        days = (today - self.as_of).days
        return f"the prices are of {self.as_of}, {days} days ago: check them before you rely on this"
