from __future__ import annotations

import json
import math
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from costs.prices import PriceError, Prices


def prices(folder: Path, **entries: Any) -> Prices:
    file = {
        "region": "x",
        "currency": "USD",
        "as_of": "2026-01-31",
        "sources": {"primary": "a page"},
        "prices": entries,
    }
    (folder / "x.json").write_text(json.dumps(file))
    return Prices.of("x", folder)


def test_a_region_without_prices_is_refused_and_those_with_are_named() -> None:
    with pytest.raises(PriceError, match=r"no prices for region 'eu-west-1', only for: .*us-east-1"):
        Prices.of("eu-west-1")


@pytest.mark.parametrize("wrong", [None, "0.2", -1, True, math.nan, math.inf])
def test_what_is_no_price_is_refused_by_name(tmp_path: Path, wrong: Any) -> None:
    with pytest.raises(PriceError, match=r"lambda\.requests must be a price, 0 or more"):
        prices(tmp_path, **{"lambda.requests": wrong}).one("lambda.requests")


@pytest.mark.parametrize(
    ("units", "cost"), [(0, 0), (10, 20), (100, 200), (150, 250), (1000, 1100), (2000, 1600)]
)
def test_each_unit_costs_what_its_tier_says(tmp_path: Path, units: float, cost: float) -> None:
    tiers = [[100, 2], [1000, 1], [None, 0.5]]
    assert prices(tmp_path, calls=tiers).tiered("calls", units) == cost


@pytest.mark.parametrize(
    "tiers", [None, [], [[10, 1]], [[10, 1], [10, 2], [None, 1]], [[None, -1]], [[None, "1"]]]
)
def test_tiers_that_end_or_fall_are_refused(tmp_path: Path, tiers: Any) -> None:
    with pytest.raises(PriceError, match="calls must"):
        prices(tmp_path, calls=tiers).tiered("calls", 100)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"region": "x"}', '{"region": "x", "currency": "USD", "as_of": "soon"}']
)
def test_what_is_no_price_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(PriceError, match=r"x\.json is not a price file"):
        Prices.of("x", tmp_path)


def test_prices_without_a_source_are_refused(tmp_path: Path) -> None:
    told = {"region": "x", "currency": "USD", "as_of": "2026-01-31", "sources": {}, "prices": {}}
    (tmp_path / "x.json").write_text(json.dumps(told))
    with pytest.raises(PriceError, match=r"x\.json is not a price file: KeyError\('sources\.primary'\)"):
        Prices.of("x", tmp_path)


def test_old_prices_are_told(tmp_path: Path) -> None:
    read = prices(tmp_path)
    assert read.staleness(read.as_of + timedelta(days=180)) is None
    assert "yet to come" in str(read.staleness(read.as_of - timedelta(days=1)))
    assert "2026-01-31, 181 days ago" in str(read.staleness(date(2026, 1, 31) + timedelta(days=181)))
