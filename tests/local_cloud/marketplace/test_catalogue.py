from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from local_cloud.lake_loading import connect
from local_cloud.marketplace import Marketplace, generate
from local_cloud.marketplace.__main__ import main
from local_cloud.marketplace.pictures import MARKS, SILHOUETTES, Colours, draw
from local_cloud.marketplace.tastes import BRANDS, CATEGORIES, PERSONAS

NOW = datetime(2026, 11, 24, 21, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def market() -> Marketplace:
    return generate(now=NOW, customers=60, days=14)


def test_there_are_hundreds_of_products_each_with_everything_a_shop_shows(market: Marketplace) -> None:
    assert len(market.items) >= 600
    assert len({product.item_id for product in market.items}) == len(market.items)
    assert len({product.name for product in market.items}) == len(market.items)
    assert {product.category for product in market.items} == {category.name for category in CATEGORIES}
    assert {product.brand for product in market.items} == {brand.name for brand in BRANDS}
    assert all(5 < product.price < 2000 for product in market.items)


def test_designer_shoes_cost_a_multiple_of_slides(market: Marketplace) -> None:
    prices = {name: [each.price for each in market.items_of(name)] for name in ("designer", "slides")}
    assert min(prices["designer"]) > 3 * max(prices["slides"])


def test_a_picture_is_an_image_of_its_own_that_a_browser_can_read(market: Marketplace) -> None:
    for product in market.items:
        kind, _, body = product.image.partition(",")
        assert kind == "data:image/svg+xml"
        assert not set(body) & set('"<>#% ') - {"%", " "}
        svg = ElementTree.fromstring(unquote(body))
        assert svg.findtext("{http://www.w3.org/2000/svg}title") == product.name
    assert len({product.image for product in market.items}) == len(market.items)


def test_silhouettes_and_marks_can_be_told_apart() -> None:
    colours = Colours(body="#ffffff", trim="#000000", mark="#000000", ground="#eeeeee")
    drawn = {draw(silhouette, mark, colours, title="") for silhouette in SILHOUETTES for mark in MARKS}
    assert len(drawn) == len(SILHOUETTES) * len(MARKS)


def test_every_brand_and_persona_refers_to_what_exists() -> None:
    categories = {category.name for category in CATEGORIES}
    assert {category.silhouette for category in CATEGORIES} <= set(SILHOUETTES)
    assert {brand.mark for brand in BRANDS} <= set(MARKS)
    assert {name for brand in BRANDS for name in brand.makes} == categories
    assert {name for persona in PERSONAS for name in persona.taste} <= categories
    assert sum(persona.share for persona in PERSONAS) == pytest.approx(1)


def test_the_command_writes_files_to_look_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--out", str(tmp_path / "new"), "--customers", "60", "--days", "14", "--now", NOW.isoformat()])
    said = capsys.readouterr().out
    for name in ("events", "items", "users", "sessions", "customers"):
        path = tmp_path / "new" / f"{name}.parquet"
        [(count,)] = connect().read_parquet(str(path)).aggregate("count(*)").fetchall()
        assert f"{path}: {count:,} rows" in said
    assert (tmp_path / "new" / "catalogue.html").read_text().count("<img ") >= 600
