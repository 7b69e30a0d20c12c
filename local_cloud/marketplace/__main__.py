"""python -m local_cloud.marketplace --out DIR: the generated data as files, for looking at.

Writes events, items, users, sessions and customers (the latter two are the
truth behind the first) as Parquet, and catalogue.html, which shows every product.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from local_cloud.lake_loading import connect
from local_cloud.marketplace import Marketplace, Product, generate


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m local_cloud.marketplace", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--customers", type=int, default=3000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument(
        "--now", type=datetime.fromisoformat, default=datetime.now(UTC), help="ISO, with a time zone"
    )
    chosen = parser.parse_args(arguments)
    try:
        marketplace = generate(seed=chosen.seed, now=chosen.now, customers=chosen.customers, days=chosen.days)
    except ValueError as error:
        parser.error(str(error))
    write(marketplace, chosen.out)


def write(marketplace: Marketplace, folder: Path) -> None:
    """Write everything and say what."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = connect()
    history = marketplace.history(connection)
    tables = {"events": history.events, "items": history.items, "users": history.users}
    for name, columns in (("sessions", marketplace.sessions), ("customers", marketplace.customers)):
        connection.register(name, columns)
        tables[name] = connection.table(name)
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        table.write_parquet(str(path), compression="zstd")
        print(f"{path}: {table.aggregate('count(*)').fetchall()[0][0]:,} rows")
    page = folder / "catalogue.html"
    page.write_text(_page(marketplace), encoding="utf-8")
    print(f"{page}: {len(marketplace.items):,} products")


def _page(marketplace: Marketplace) -> str:
    categories = sorted({product.category for product in marketplace.items})
    sections = "".join(
        f"<h2>{escape(category)}</h2><div>{''.join(map(_card, marketplace.items_of(category)))}</div>"
        for category in categories
    )
    style = (
        "body{font:14px system-ui;margin:2em}div{display:flex;flex-wrap:wrap;gap:12px}"
        "figure{width:150px;margin:0}img{width:150px}"
    )
    return (
        f'<!doctype html><meta charset="utf-8"><title>Catalogue</title><style>{style}</style>'
        f"<h1>Catalogue, most touched first</h1>{sections}"
    )


def _card(product: Product) -> str:
    return (
        f'<figure><img src="{escape(product.image)}" alt=""><figcaption>{escape(product.name)}<br>'
        f"{product.price:.2f} · {product.item_id}</figcaption></figure>"
    )


if __name__ == "__main__":
    main()
