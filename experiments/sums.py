"""What the users of a variant add up to for one metric: all that its mean and spread need."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Sums:
    """Sums over users, so that a million of them are a dozen numbers.

    Every metric is a ratio of two means over users, `y` / `d`. Per user `d` is 1; for clicks
    per exposure it is the user's exposures. The user is what was dealt to a variant, so
    the user is the unit of analysis whatever is divided by.

    :param users: how many.
    :param active: those whose `y` is not 0.
    :param y: the sum of `y`; `yy` that of its squares, `yyy` of its cubes, and so on.
    """

    users: int = 0
    active: int = 0
    y: float = 0.0
    yy: float = 0.0
    yyy: float = 0.0
    d: float = 0.0
    dd: float = 0.0
    yd: float = 0.0

    @classmethod
    def of(cls, y: Array, d: Array | None = None) -> Sums:
        """Of one value per user, and what it is divided by where that is not the user."""
        numerator = np.asarray(y, dtype=float)
        denominator = np.ones_like(numerator) if d is None else np.asarray(d, dtype=float)
        return cls(
            users=numerator.size,
            active=int(np.count_nonzero(numerator)),
            y=float(numerator.sum()),
            yy=float((numerator**2).sum()),
            yyy=float((numerator**3).sum()),
            d=float(denominator.sum()),
            dd=float((denominator**2).sum()),
            yd=float((numerator * denominator).sum()),
        )

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    @property
    def mean(self) -> float:
        """`y` / `d`; 0 where nothing was divided by."""
        return self.y / self.d if self.d else 0.0

    @property
    def spread(self) -> float:
        """The variance of one user's part in the mean: over `users` it is the mean's squared standard error.

        The delta method: of the residuals y - mean * d, over the mean `d` squared. Where `d` is 1
        that is the variance of `y`.
        """
        if self.users < 2 or not self.d:
            return 0.0
        squares = self.yy - 2 * self.mean * self.yd + self.mean**2 * self.dd
        if squares <= 1e-12 * self.yy:  # what rounding leaves of users who are all alike
            return 0.0
        return squares / (self.users - 1) / (self.d / self.users) ** 2

    @property
    def skew(self) -> float:
        """Third standardised moment of `y`: how heavy its tail is."""
        if not self.users:
            return 0.0
        mean, square, cube = self.y / self.users, self.yy / self.users, self.yyy / self.users
        variance = square - mean**2
        if variance <= 1e-12 * square:
            return 0.0
        return (cube - 3 * mean * square + 2 * mean**3) / math.pow(variance, 1.5)
