"""What the tests of the venue adapter share: accounts, book rows, a server of fixed answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web

from reconciler.domain.identity import (
    AccountName,
    BookOrderId,
    ProfileId,
    Symbol,
)
from reconciler.domain.orders import BookOrder, OrderSide, OrderState
from reconciler.domain.snapshot import (
    Lookup,
)
from reconciler.ports import Venue
from reconciler.simulation.venue import (
    DEFAULT_MARKETS,
    SimulatedVenue,
)
from reconciler.simulation.venue.rows import market_row
from reconciler.venue.account import CcxtAccount
from reconciler.venue.connection import AccountConnection

BTC = Symbol("BTC/USDT:USDT")
TIMEOUT = timedelta(seconds=20)
"""Longer than a busy machine needs; what hangs is given `SHORT`."""
SHORT = timedelta(seconds=1)
ONE = Decimal(1)


def connection(served: SimulatedVenue, label: str = "main", /, **changes: Any) -> AccountConnection:
    account = served.accounts[label]
    values: dict[str, Any] = {
        "name": AccountName(label),
        "venue": "binanceusdm",
        "api_key": account.api_key,
        "secret": account.secret,
        "base_url": served.base_url,
        "timeout": TIMEOUT,
        "rate_share": 1000.0,
    }
    return AccountConnection(**{**values, **changes})


def as_port(reading: CcxtAccount) -> Venue:
    """Fails type checking where the adapter does not fit the port."""
    return reading


def now() -> datetime:
    return datetime.now(UTC)


def book_order(**changes: Any) -> BookOrder:
    at = now() - timedelta(hours=25)
    order = BookOrder(
        id=BookOrderId("row-1"),
        profile_id=ProfileId("p"),
        symbol=BTC,
        raw_symbol="BTCUSDT",
        side=OrderSide.BUY,
        qty=ONE,
        filled=Decimal(0),
        state=OrderState.OPEN,
        raw_status="open",
        client_order_id=None,
        venue_order_id=None,
        created_at=at,
        updated_at=at,
        type="limit",
    )
    return replace(order, **changes)


async def look(account: CcxtAccount, **changes: Any) -> Lookup:
    return await account.look_up(book_order(**changes), now=now())


LISTINGS: dict[str, Any] = {
    "/fapi/v1/openOrders": [],
    "/fapi/v1/openAlgoOrders": [],
    "/fapi/v3/positionRisk": [],
}
MARKETS = {"/fapi/v1/exchangeInfo": {"symbols": [market_row(m) for m in DEFAULT_MARKETS]}}


@asynccontextmanager
async def account_at(answers: dict[str, Any]) -> AsyncIterator[CcxtAccount]:
    """Connect an account to a server of fixed JSON answers, by path."""
    served = {**MARKETS, **LISTINGS, **answers}

    async def answer(request: web.Request) -> web.Response:
        content = served[request.path]
        if isinstance(content, str):
            raise web.HTTPFound(content)
        return web.json_response(content)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    reading = CcxtAccount(
        AccountConnection(
            name=AccountName("main"),
            venue="binanceusdm",
            api_key="key",
            secret="secret",
            base_url=f"http://{host}:{port}",
            timeout=TIMEOUT,
        )
    )
    try:
        yield reading
    finally:
        await reading.close()
        await runner.cleanup()


def position_row(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "positionSide": "BOTH",
        "positionAmt": "-0.5",
        "entryPrice": "60000",
        "markPrice": "61000",
        "notional": "-30500",
        **changes,
    }


def order_row(**changes: Any) -> dict[str, Any]:
    return {
        "orderId": 1,
        "symbol": "BTCUSDT",
        "status": "NEW",
        "clientOrderId": "",
        "price": "50000",
        "avgPrice": "0.00",
        "origQty": "1",
        "executedQty": "0",
        "type": "LIMIT",
        "side": "BUY",
        "time": 1_700_000_000_000,
        **changes,
    }
