"""The floor: the same venue answers fetched and parsed by plain ccxt, the same rows by asyncpg."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import ccxt.async_support as ccxt

from reconciler.book.preset import load_preset

REACH = timedelta(minutes=10)


def plain_exchange(account: str, base_url: str, *, like: Any = None) -> Any:
    """A ccxt exchange as its users make it, at the simulated venue, without waiting for a budget.

    `like` shares its markets and session.
    """
    exchange = ccxt.binanceusdm(
        {
            "apiKey": f"{account}-key",
            "secret": f"{account}-secret",
            "enableRateLimit": False,
            **({} if like is None else {"session": like.session}),
        }
    )
    exchange.urls["api"] = {
        name: url.replace("https://fapi.binance.com", base_url)
        for name, url in exchange.urls["api"].items()
    }
    exchange.has["fetchCurrencies"] = False
    exchange.options["fetchMarkets"] = {"types": ["linear"]}
    exchange.options["fetchOpenOrders"]["warnWithoutSymbol"] = False
    exchange.timeout_on_exit = 0
    if like is not None:
        exchange.set_markets_from_exchange(like)
        exchange.own_session = False
        exchange.ssl_context = like.ssl_context
    return exchange


async def fetch_account(exchange: Any) -> int:
    """What covers the account, as ccxt parses it; how many open orders there are."""
    orders = await exchange.fetch_open_orders()
    await exchange.fetch_open_orders(params={"trigger": True})
    # ccxt's fetch_positions would ask for the leverage brackets besides.
    await exchange.fapiPrivateV3GetPositionRisk()
    return len(orders)


async def fetch_rows(pool: "asyncpg.Pool[asyncpg.Record]") -> int:
    """The rows of the book by the preset's own statements; how many orders there are."""
    preset, since = load_preset("native"), datetime.now(UTC) - REACH
    async with pool.acquire() as connection:
        await connection.fetch(preset.profiles_select)
        orders = await connection.fetch(preset.orders_select, since)
        await connection.fetch(preset.positions_select, since)
    return len(orders)


@contextlib.asynccontextmanager
async def plain(
    account: str, base_url: str, database_url: str
) -> AsyncIterator[tuple[Any, "asyncpg.Pool[asyncpg.Record]"]]:
    """Both, with markets loaded."""
    exchange = plain_exchange(account, base_url)
    try:
        await exchange.load_markets()
        async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
            yield exchange, pool
    finally:
        await exchange.close()
