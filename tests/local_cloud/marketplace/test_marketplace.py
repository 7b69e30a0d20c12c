"""The generated marketplace looks as measured on real ones (medians of public data sets)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import duckdb
import numpy as np
import pytest

from local_cloud.lake_loading import connect
from local_cloud.marketplace import Marketplace, generate
from vocabulary import lake

NOW = datetime(2026, 11, 24, 21, 30, tzinfo=UTC)
DAY = 86_400_000


@pytest.fixture(scope="module")
def market() -> Marketplace:
    return generate(now=NOW)


@pytest.fixture(scope="module")
def sql(market: Marketplace) -> duckdb.DuckDBPyConnection:
    """Tables events, items, truth, customers; and clicks: views and clicks of people, each once."""
    connection = connect()
    history = market.history(connection)
    history.events.create_view("events")
    history.items.create_view("items")
    for name, columns in (("truth", market.sessions), ("customers", market.customers)):
        connection.register("given", columns)
        connection.execute(f"CREATE TABLE {name} AS FROM given")
        connection.unregister("given")
    connection.execute(
        "CREATE TABLE clicks AS SELECT DISTINCT ON (event_id) events.* "
        "FROM events JOIN truth USING (session_id) "
        "WHERE event_type IN ('view', 'click')"
    )
    return connection


def rows(sql: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return sql.execute(query).fetchall()


def test_the_same_arguments_give_the_same_marketplace() -> None:
    one, same, other = (generate(seed=seed, now=NOW, customers=60, days=14) for seed in (1, 1, 2))
    assert one.items == same.items
    for name in one.events:
        assert [str(value) for value in one.events[name]] == [str(value) for value in same.events[name]]
    assert list(one.events["item_id"]) != list(other.events["item_id"])


def test_events_have_the_lakes_columns_in_order_of_arrival_until_just_before_now(market: Marketplace) -> None:
    assert list(market.events) == [column.name for column in lake.EVENT_COLUMNS]
    received = market.events["received_at"]
    now = int(NOW.timestamp() * 1000)
    assert np.all(np.diff(received) >= 0)
    assert now - 600_000 < received[-1] < now
    assert market.events["sent_at"].max() < now
    assert 120_000 < len(received) < 180_000
    assert 55 <= (received[-1] - received[0]) / DAY <= 61


def test_sessions_are_as_long_as_real_ones(sql: duckdb.DuckDBPyConnection) -> None:
    [(half, most, nearly_all)] = rows(
        sql,
        "SELECT quantile_disc(n, 0.5), quantile_disc(n, 0.9), quantile_disc(n, 0.99) "
        "FROM (SELECT count(*) AS n FROM clicks GROUP BY session_id)",
    )
    assert half == 3
    assert 6 <= most <= 8
    assert 15 <= nearly_all <= 21


def test_clicks_repeat_and_pause_like_real_ones(sql: duckdb.DuckDBPyConnection) -> None:
    [(same_again, seen, gap)] = rows(
        sql,
        """
        WITH steps AS (
            SELECT item_id, lag(item_id) OVER w AS before, sent_at - lag(sent_at) OVER w AS gap,
                list(item_id) OVER (PARTITION BY session_id ORDER BY sent_at, event_id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS earlier
            FROM clicks WINDOW w AS (PARTITION BY session_id ORDER BY sent_at, event_id)
        )
        SELECT avg((item_id = before)::INT), avg(list_contains(earlier, item_id)::INT), median(gap) / 1000
        FROM steps WHERE before IS NOT NULL
        """,
    )
    assert 0.22 < same_again < 0.3
    assert 0.32 < seen < 0.42
    assert 45 < gap < 65


def test_a_session_has_an_intent_that_its_clicks_follow_and_the_next_session_mostly_keeps(
    sql: duckdb.DuckDBPyConnection,
) -> None:
    [(followed,)] = rows(
        sql,
        "SELECT avg((category = intent)::INT) "
        "FROM clicks JOIN items USING (item_id) JOIN truth USING (session_id)",
    )
    [(switched,)] = rows(
        sql,
        "SELECT avg((intent <> before)::INT) FROM (SELECT intent, lag(intent) OVER "
        "(PARTITION BY user_id ORDER BY started_at) AS before FROM truth) WHERE before IS NOT NULL",
    )
    assert 0.85 < followed < 0.97
    assert 0.1 < switched < 0.2


def test_customers_who_drift_come_for_other_things_afterwards(
    market: Marketplace, sql: duckdb.DuckDBPyConnection
) -> None:
    [(drifting,)] = rows(sql, "SELECT avg((persona <> persona_before)::INT) FROM customers")
    assert 0.1 < drifting < 0.35
    became_runners = """
        SELECT avg((intent = 'running')::INT) FROM truth JOIN customers USING (user_id)
        WHERE customers.persona = 'runner' AND persona_before <> 'runner'
        AND abs(started_at - drifts_at) > 864e6 AND (started_at > drifts_at) = """
    [(before,)], [(after,)] = rows(sql, became_runners + "false"), rows(sql, became_runners + "true")
    assert before < 0.1
    assert after > 0.4


def test_a_drop_brings_a_spike_and_its_sales_decay(
    market: Marketplace, sql: duckdb.DuckDBPyConnection
) -> None:
    spikes = rows(
        sql,
        """
        WITH days AS (SELECT received_at // 86400000 AS day, count(*) AS n FROM events GROUP BY day)
        SELECT day, n / median(n) OVER (ORDER BY day ROWS BETWEEN 29 PRECEDING AND 1 PRECEDING) AS factor
        FROM days ORDER BY factor DESC NULLS LAST
        """,
    )
    assert spikes[0][0] == market.drop.at // DAY
    assert 4 < spikes[0][1] < 9
    assert spikes[1][1] < 2.5
    dropped = ", ".join(f"'{item_id}'" for item_id in market.drop.item_ids)
    sold = rows(
        sql,
        f"SELECT sent_at // 86400000 - {market.drop.at // DAY} AS day, count(*) FROM events "
        f"WHERE event_type = 'purchase' AND item_id IN ({dropped}) GROUP BY day ORDER BY day",
    )
    assert sold[0][0] == 0
    slope = np.polyfit(np.log([day + 1 for day, _ in sold]), np.log([count for _, count in sold]), 1)[0]
    assert -0.8 < slope < -0.35


def test_popularity_is_zipf_with_ranks_that_move(sql: duckdb.DuckDBPyConnection) -> None:
    counts = [
        n for (n,) in rows(sql, "SELECT count(*) AS n FROM clicks GROUP BY item_id ORDER BY n DESC LIMIT 600")
    ]
    slope = np.polyfit(np.log(np.arange(1, 601)), np.log(counts), 1)[0]
    assert -1.15 < slope < -0.5
    top = (
        "SELECT item_id FROM clicks WHERE sent_at {} (SELECT quantile_cont(sent_at, {}) FROM clicks) "
        "GROUP BY item_id ORDER BY count(*) DESC, item_id LIMIT 50"
    )
    early, late = ({item for (item,) in rows(sql, top.format(*part))} for part in (("<", 0.25), (">", 0.75)))
    assert 10 < len(early & late) < 45


def test_a_fifth_to_a_quarter_more_customers_join_every_month(market: Marketplace) -> None:
    start = market.customers["joined_at"].min() + DAY
    there = (market.customers["joined_at"] < start).sum()
    assert 0.2 <= (3000 / there) ** (30 / 60) - 1 <= 0.25
    joined = np.bincount(
        (market.customers["joined_at"][market.customers["joined_at"] >= start] - start) // DAY
    )
    assert joined.argmax() == (market.drop.at - start) // DAY


def test_a_purchase_follows_the_cart_and_carries_its_price(
    market: Marketplace, sql: duckdb.DuckDBPyConnection
) -> None:
    counts = dict(rows(sql, "SELECT event_type, count(*) FROM events GROUP BY event_type"))
    assert counts["view"] > counts["click"] > counts["add-to-cart"] > counts["purchase"] > 1000
    [(in_order,)] = rows(  # a late or lost cart, a wrong clock, an unknown item excepted
        sql,
        """
        SELECT avg(EXISTS (
            FROM events AS put WHERE put.event_type = 'add-to-cart' AND put.session_id = bought.session_id
            AND put.item_id = bought.item_id AND put.sent_at < bought.sent_at
        )::INT) FROM events AS bought WHERE event_type = 'purchase'
        """,
    )
    assert in_order > 0.98
    assert rows(sql, "SELECT DISTINCT event_type FROM events WHERE value IS NOT NULL") == [("purchase",)]
    [(wrong,)] = rows(
        sql,
        "SELECT count(*) FROM events JOIN items USING (item_id) "
        "WHERE event_type = 'purchase' AND value <> price",
    )
    assert wrong == 0


def test_nothing_is_touched_before_it_is_for_sale(sql: duckdb.DuckDBPyConnection) -> None:
    assert rows(sql, "SELECT count(*) FROM events JOIN items USING (item_id) WHERE sent_at < created_at") == [
        (0,)
    ]


def test_the_clickstream_is_as_dirty_as_real_ones(sql: duckdb.DuckDBPyConnection) -> None:
    [(count, unique, late, ahead, unknown)] = rows(
        sql,
        "SELECT count(*), count(DISTINCT event_id), count(*) FILTER (received_at - sent_at > 6e5), "
        "count(*) FILTER (sent_at > received_at), "
        "count(*) FILTER (item_id NOT IN (SELECT item_id FROM items)) FROM events",
    )
    assert 0.003 < (count - unique) / count < 0.01
    assert 0.004 < late / count < 0.015
    assert 0.001 < ahead / count < 0.006
    assert 0.001 < unknown / count < 0.006
    assert rows(
        sql,
        "SELECT count(*) FROM (SELECT event_id FROM events GROUP BY event_id "
        "HAVING count(DISTINCT (session_id, item_id, sent_at)) > 1)",
    ) == [(0,)]
    bots = rows(
        sql,
        "SELECT user_id FROM events WHERE session_id NOT IN (SELECT session_id FROM truth) GROUP BY user_id "
        "HAVING count(*) > 500 ORDER BY user_id",
    )
    assert bots == [("u90001",), ("u90002",), ("u90003",)]


def test_some_sessions_are_anonymous_and_some_of_them_become_known(sql: duckdb.DuckDBPyConnection) -> None:
    [(sessions, anonymous, linked)] = rows(
        sql,
        "SELECT count(*), count(*) FILTER (known = 0), count(*) FILTER (known > 0 AND known < n) FROM "
        "(SELECT count(*) AS n, count(user_id) AS known FROM clicks GROUP BY session_id)",
    )
    assert 0.07 < anonymous / sessions < 0.14
    assert 0.01 < linked / sessions < 0.05
    [(strangers,)] = rows(
        sql, "SELECT count(*) FROM events JOIN truth USING (session_id) WHERE events.user_id <> truth.user_id"
    )
    assert strangers == 0


def test_the_country_says_nothing_about_taste(market: Marketplace) -> None:
    segments = dict(zip(market.users["user_id"], market.users["segment"], strict=True))
    mine = [segments[user_id] for user_id in market.customers_of("luxury")]
    everyone = list(market.users["segment"])
    assert abs(mine.count("US") / len(mine) - everyone.count("US") / len(everyone)) < 0.12


def test_another_taste_is_popular_and_of_a_category_the_customer_leaves_alone(market: Marketplace) -> None:
    for persona in ("runner", "luxury", "skater"):
        user_id = market.customers_of(persona)[0]
        assert market.persona_of(user_id) == persona
        three = market.another_taste(user_id)
        [category] = {product.category for product in three}
        assert category != market.items_for(persona)[0].category
        assert three == market.items_of(category)[:3]
        touched = market.events["item_id"][market.events["user_id"] == user_id]
        known = [market.item(item_id) for item_id in touched if item_id.startswith("i")]
        assert sum(product.category == category for product in known) < 0.05 * len(known)


def test_a_bot_has_no_persona(market: Marketplace) -> None:
    with pytest.raises(KeyError):
        market.persona_of("u90001")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"customers": 49}, "customers is 49, allowed: at least 50"),
        ({"days": 13}, "days is 13, allowed: 14 to 365"),
        ({"now": datetime(2026, 1, 1)}, r"now is .*, allowed: a time with a time zone"),
    ],
)
def test_arguments_out_of_bounds_are_refused_by_name(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        generate(**{"now": NOW, **wrong})
