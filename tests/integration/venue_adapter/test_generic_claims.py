"""What is said of venues that have no description: no more than ccxt's `has` and `features`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import ccxt.async_support as ccxt
import pytest

from reconciler.domain.identity import AccountName, ClientOrderId, Symbol, VenueOrderId
from reconciler.domain.snapshot import (
    AnswerKind,
    Completeness,
    Failure,
    NotFound,
    ScopeName,
    Unanswered,
)
from reconciler.venue.account import CcxtAccount
from reconciler.venue.connection import AccountConnection
from reconciler.venue.description import MarketKind, VenueDescription
from reconciler.venue.descriptions import DESCRIBED
from reconciler.venue.descriptions.generic import generic_description
from tests.integration.venue_adapter.accounts import TIMEOUT, book_order, now
from tests.integration.venue_adapter.canned import Canned, CannedServer, Params, serving

UNDESCRIBED = sorted(set(ccxt.exchanges) - set(DESCRIBED))
ORDERS = {ScopeName.OPEN_ORDERS, ScopeName.TRIGGER_ORDERS}


def claims_of(venue: str, **options: Any) -> VenueDescription:
    return generic_description(getattr(ccxt, venue)({"session": None, "options": options}))


@pytest.mark.parametrize("venue", [*UNDESCRIBED, "kucoinfutures", "binancecoinm"])
def test_what_is_not_proven_is_named(venue: str) -> None:
    said = claims_of(venue)
    exchange = getattr(ccxt, venue)({"session": None})
    assert not said.is_described
    # A scope with a gap is never better than partial, and its gap is reported.
    named = " ".join(said.not_covered)
    assert all(f"{scope}: {why}" in named for scope, why in said.gaps.items())
    assert "balances" in said.not_covered
    listed = {call.scope for call in said.listings}
    assert ScopeName.POSITIONS not in listed - set(said.gaps), "features say nothing of positions"
    assert listed | set(said.gaps) >= {ScopeName.OPEN_ORDERS}
    assert ScopeName.POSITIONS in listed or "positions: ccxt has no call" in named
    if ScopeName.OPEN_ORDERS not in said.gaps:
        types = [t for t in ("spot", "margin", "swap", "future", "option") if exchange.has.get(t)]
        assert len(types) == 1
    # A client order id may be ignored in silence: it is never asked by.
    assert not any(call.by_client_order_id for call in said.lookups)


@pytest.mark.parametrize("venue", ["kucoinfutures", "binancecoinm", "bingx", "htx"])
def test_venues_of_several_markets_are_never_complete(venue: str) -> None:
    said = claims_of(venue)
    assert set(said.gaps) == {*ORDERS, ScopeName.POSITIONS}


def test_claims_are_of_the_kind_of_market_that_they_are_about() -> None:
    """BingX lists spot fills for a day, linear ones for 30 days, in pages of their own."""
    fills = {next(iter(call.kinds)): call for call in claims_of("bingx").fills}
    spot, linear = fills[MarketKind.SPOT], fills[MarketKind.LINEAR]
    assert (spot.page, spot.window, spot.kept) == (1000, timedelta(days=1), timedelta(days=1))
    assert (linear.page, linear.kept) == (512, timedelta(days=30))


def test_a_default_type_that_the_venue_does_not_have_is_not_believed() -> None:
    """ccxt's binancecoinm inherits Binance's default: spot, which it does not have."""
    said = claims_of("binancecoinm")
    assert ScopeName.TRIGGER_ORDERS in {call.scope for call in said.listings}
    assert MarketKind.SPOT not in {kind for call in said.lookups for kind in call.kinds}


OPEN = {
    "symbol": "BTC-USDT",
    "orderId": 101,
    "price": "50000",
    "origQty": "0.5",
    "executedQty": "0",
    "cummulativeQuoteQty": "0",
    "status": "PENDING",
    "type": "LIMIT",
    "side": "BUY",
    "time": 1_700_000_000_000,
    "clientOrderID": "bot-101",
}


def _wrap(data: Any) -> dict[str, Any]:
    return {"code": 0, "msg": "", "data": data}


def _order(params: Params) -> Any:
    known = params.get("orderId") == "101"
    return _wrap(OPEN) if known else {"code": 109421, "msg": "order not exist"}


BINGX = (
    Canned(path="/openOrders", body=_wrap({"orders": [OPEN]})),
    Canned(path="/user/positions", body=_wrap([])),
    Canned(path="/trade/query", body=_order),
    Canned(path="/myTrades", body=_wrap({"fills": []})),
)
BINGX_MARKETS = (
    Canned(path="/quote/contracts", body=_wrap([])),
    Canned(path="/market/contracts", body=_wrap([])),
    Canned(
        path="/common/symbols",
        body=_wrap(
            {
                "symbols": [
                    {
                        "symbol": "BTC-USDT",
                        "tickSize": "0.1",
                        "stepSize": "0.00001",
                        "minNotional": 1,
                        "maxNotional": 100_000,
                        "status": 1,
                        "apiStateBuy": True,
                        "apiStateSell": True,
                    }
                ]
            }
        ),
    ),
)


@asynccontextmanager
async def bingx(*instead: Canned) -> AsyncIterator[tuple[CcxtAccount, CannedServer]]:
    async with serving() as server:
        server.public = [*BINGX_MARKETS]
        server.tables["00001"] = [*instead, *BINGX]
        account = CcxtAccount(
            AccountConnection(
                name=AccountName("main"),
                venue="bingx",
                api_key="key00001",
                secret="secret",
                base_url=server.base_url,
                timeout=TIMEOUT,
                rate_share=1000.0,
            )
        )
        try:
            await account.prepare()
            yield account, server
        finally:
            await account.close()


async def _look(account: CcxtAccount, hours: float, **ids: Any) -> Any:
    at = now() - timedelta(hours=hours)
    order = book_order(
        symbol=Symbol("BTC/USDT"), raw_symbol="BTC-USDT", created_at=at, updated_at=at, **ids
    )
    return await account.look_up(order, now=now())


async def test_bingx_shows_what_is_there_and_proves_no_absence() -> None:
    async with bingx() as (account, server):
        seen = await account.snapshot(now=now())
        assert server.unknown == []
    assert [str(order.venue_order_id) for order in seen.orders] == ["101"]
    assert {scope.completeness for scope in seen.scopes.values()} == {Completeness.PARTIAL}
    assert set(seen.scopes) >= {*ORDERS, ScopeName.POSITIONS}
    assert not seen.orders_are_complete()
    assert not seen.positions_are_complete()
    named = " ".join(seen.not_covered)
    assert all(f"{scope}: " in named for scope in seen.scopes)


async def test_fills_that_are_listed_for_a_day_prove_nothing_of_an_older_order() -> None:
    async with bingx() as (account, _):
        young = await _look(account, 2, venue_order_id=VenueOrderId("177"))
        old = await _look(account, 30, venue_order_id=VenueOrderId("177"))
        by_client = await _look(account, 2, client_order_id=ClientOrderId("bot-101"))
    assert isinstance(young, NotFound), young
    assert isinstance(old, Unanswered)
    failure: Failure = old.failure
    assert failure.kind is AnswerKind.UNSUPPORTED
    assert "the order is older" in failure.detail
    assert isinstance(by_client, Unanswered)


async def test_a_maintenance_page_of_an_undescribed_venue_is_no_empty_account() -> None:
    for body in ("<html>We will be back soon</html>", _wrap(None), _wrap({}), {}):
        async with bingx(Canned(path="/openOrders", body=body)) as (account, _):
            seen = await account.snapshot(now=now())
        scope = seen.scopes[ScopeName.OPEN_ORDERS]
        assert scope.completeness is not Completeness.COMPLETE, body
        assert scope.failure is not None
