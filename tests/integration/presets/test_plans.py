"""A large book: the cycle's statements use indexes, or the advice that is given makes them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from benchmarks.book_rows import BOOKS, Rows
from reconciler.book import plans
from reconciler.book.plans import plan_of
from reconciler.book.preset import load_preset

OPEN, ENDED = 50, 12_000
HAVE_ALL_INDEXES = {"native"}


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.preset)
async def test_the_advice_ends_every_reading_of_a_whole_table(
    connection: "asyncpg.Connection[asyncpg.Record]", book: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "LARGE", 10_000)
    await book.furnish(connection, open_rows=OPEN, ended=ENDED)
    preset = load_preset(book.preset, parameters=book.parameters)
    found = await plan_of(connection, preset)
    advice = sorted({index for read in found for index in read.indexes})
    assert bool(advice) is (book.preset not in HAVE_ALL_INDEXES), found
    for index in advice:
        await connection.execute(index)
    await connection.execute("analyze")
    assert await plan_of(connection, preset) == []
    since = datetime.now(UTC) - timedelta(minutes=10)
    orders = await connection.fetch(preset.orders_select, since)
    assert len(orders) == OPEN


async def test_no_index_is_advised_that_would_not_help(
    connection: "asyncpg.Connection[asyncpg.Record]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where each row has a fill, the net of all fills needs all of them."""
    monkeypatch.setattr(plans, "LARGE", 10_000)
    schema = Path(__file__).parent / "hummingbot_api_schema.sql"
    await connection.execute(schema.read_text(encoding="utf-8"))
    await connection.execute(
        "insert into orders (client_order_id, account_name, connector_name, trading_pair, "
        "trade_type, order_type, amount, status, filled_amount, created_at, updated_at) select g, "
        "'master_account', 'binance_perpetual', 'X-USDT', 'BUY', 'LIMIT', 1, 'FILLED', 1, "
        "now() - interval '9 days', now() - interval '9 days' from generate_series(1, 12000) g"
    )
    await connection.execute("analyze")
    parameters = {"connector": "binance_perpetual"}
    preset = load_preset("hummingbot_api", parameters=parameters, account="main")
    for index in {i for read in await plan_of(connection, preset) for i in read.indexes}:
        await connection.execute(index)
    await connection.execute("analyze")
    left = await plan_of(connection, preset)
    assert [read.indexes for read in left if read.indexes] == []


def test_the_presets_that_need_a_page_have_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "presets.md").read_text(encoding="utf-8")
    assert all(f"`{book.preset}`" in page for book in BOOKS)
