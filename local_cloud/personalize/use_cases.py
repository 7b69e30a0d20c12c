"""The use cases of domain dataset groups: what recommenders are trained on and what their requests name.

Developer guide, "ECOMMERCE use cases" and "VIDEO_ON_DEMAND use cases"; `recommenders.DOMAIN_RECIPES` has what
is behind each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Domain = Literal["ECOMMERCE", "VIDEO_ON_DEMAND"]

_PURCHASE: Final = "Purchase"
_VIEW: Final = "View"
_WATCH: Final = "Watch"


@dataclass(frozen=True, kw_only=True)
class UseCase:
    """
    :param event_type: the one that it is trained on; None for every type.
    :param keeps_back: what the user of a request has in events of this type is never recommended; None for
        nothing.
    :param needs_user: whether a request must name a user.
    :param needs_items: whether there must be an Items dataset to train.
    """

    domain: Domain
    event_type: str | None = None
    keeps_back: str | None = None
    needs_user: bool = True
    needs_items: bool = False


USE_CASES: Final[Mapping[str, UseCase]] = MappingProxyType(
    {
        "aws-ecomm-popular-items-by-views": UseCase(domain="ECOMMERCE", event_type=_VIEW),
        "aws-ecomm-popular-items-by-purchases": UseCase(domain="ECOMMERCE", event_type=_PURCHASE),
        "aws-ecomm-frequently-bought-together": UseCase(
            domain="ECOMMERCE", event_type=_PURCHASE, needs_user=False
        ),
        "aws-ecomm-customers-who-viewed-x-also-viewed": UseCase(
            domain="ECOMMERCE", event_type=_VIEW, keeps_back=_PURCHASE
        ),
        "aws-ecomm-recommended-for-you": UseCase(domain="ECOMMERCE", keeps_back=_PURCHASE),
        "aws-vod-because-you-watched-x": UseCase(
            domain="VIDEO_ON_DEMAND", event_type=_WATCH, keeps_back=_WATCH
        ),
        "aws-vod-more-like-x": UseCase(domain="VIDEO_ON_DEMAND", keeps_back=_WATCH, needs_items=True),
        "aws-vod-most-popular": UseCase(domain="VIDEO_ON_DEMAND", event_type=_WATCH),
        "aws-vod-trending-now": UseCase(domain="VIDEO_ON_DEMAND", needs_user=False),
        "aws-vod-top-picks": UseCase(domain="VIDEO_ON_DEMAND", keeps_back=_WATCH),
    }
)
"""By the name of the recipe."""
