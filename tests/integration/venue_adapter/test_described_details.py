"""What is particular to a venue and would make a false verdict."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from reconciler.domain.errors import VenueMisconfiguredError
from reconciler.domain.identity import AccountName
from reconciler.domain.snapshot import AnswerKind, Completeness, Found, ScopeName, Unanswered
from reconciler.venue.account import CcxtAccount
from reconciler.venue.connection import AccountConnection
from reconciler.venue.shared_connection import SharedConnections
from tests.integration.venue_adapter.accounts import now
from tests.integration.venue_adapter.canned import Canned, serving
from tests.integration.venue_adapter.cases.alpaca import ALPACA, uuid
from tests.integration.venue_adapter.cases.alpaca import order as alpaca_order
from tests.integration.venue_adapter.cases.bitget import BITGET
from tests.integration.venue_adapter.cases.case import Ask, VenueCase
from tests.integration.venue_adapter.cases.kraken import KRAKEN
from tests.integration.venue_adapter.cases.okx import OKX
from tests.integration.venue_adapter.test_described_venues import Bench, look


@asynccontextmanager
async def account_of(case: VenueCase, *instead: Canned) -> AsyncIterator[CcxtAccount]:
    """Connect to a case's account, some of whose answers are others."""
    async with serving() as server:
        shared = SharedConnections()
        _, account = Bench(case, server, shared).account(table=(*instead, *case.table))
        try:
            yield account
        finally:
            await account.close()
            await shared.close()


def _okx_positions(**changes: Any) -> Canned:
    row = {"instType": "SWAP", "instId": "BTC-USDT-SWAP", "pos": "1", "posSide": "net", **changes}
    return Canned(path="/account/positions", body={"code": "0", "msg": "", "data": [row]})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"instId": "NEW-USDT-SWAP"}, "no market that is listed"),
        ({"instType": "MARGIN", "instId": "BTC-USDT"}, "MARGIN is not counted"),
        ({"instType": "OPTION", "instId": "BTC-USD-270326-60000-C"}, "OPTION is not counted"),
        ({"pos": ""}, "cannot be read"),
    ],
)
async def test_rows_that_cannot_be_counted_make_the_scope_partial(
    changes: dict[str, str], why: str
) -> None:
    async with account_of(OKX, _okx_positions(**changes)) as account:
        seen = await account.snapshot(now=now())
    scope = seen.scopes[ScopeName.POSITIONS]
    assert scope.completeness is Completeness.PARTIAL
    assert scope.failure is not None
    assert why in scope.failure.detail
    assert seen.positions == ()


async def test_a_market_listed_since_is_loaded_and_its_contracts_counted() -> None:
    instruments: list[dict[str, Any]] = []
    swaps = next(m for m in OKX.markets if m.where == {"instType": "SWAP"})

    def listed(_: Any) -> Any:
        rows = swaps.body["data"]
        # The first load does not know it yet.
        instruments.append({})
        new = {**rows[0], "instId": "NEW-USDT-SWAP", "instFamily": "NEW-USDT", "uly": "NEW-USDT"}
        return {**swaps.body, "data": [*rows, new] if len(instruments) > 1 else rows}

    markets = (Canned(path=swaps.path, where=swaps.where, body=listed),)
    async with serving() as server:
        shared = SharedConnections()
        bench = Bench(OKX, server, shared)
        server.public = [*markets, *OKX.markets]
        table = (_okx_positions(instId="NEW-USDT-SWAP", pos="-300"), *OKX.table)
        _, account = bench.account(table=table)
        await account.prepare()
        _forget_when_markets_were_loaded(shared)
        seen = await account.snapshot(now=now())
        await account.close()
        await shared.close()
    assert [(p.symbol, p.side, str(p.qty)) for p in seen.positions] == [
        ("NEW/USDT:USDT", "short", "3.00")
    ]
    assert seen.positions_are_complete()


def _forget_when_markets_were_loaded(shared: SharedConnections) -> None:
    for connection in shared._by_host.values():
        connection._tried_at = -1e9


async def test_equities_that_are_never_loaded_cost_no_reload() -> None:
    async with serving() as server:
        shared = SharedConnections()
        label, account = Bench(ALPACA, server, shared).account()
        await account.snapshot(now=now())
        _forget_when_markets_were_loaded(shared)
        await account.snapshot(now=now())
        await look(account, Ask(symbol="AAPL", order_id=uuid(1)))
        await account.close()
        await shared.close()
        asked = [entry.path for entry, _ in server.asked[label]]
    assert asked.count("/v2/assets") == 1


async def test_a_replacement_that_is_not_known_is_no_answer() -> None:
    replaced = alpaca_order(50, status="replaced", replaced_by=uuid(51))
    entry = Canned(path=f"/v2/orders/{uuid(50)}", body=replaced)
    async with account_of(ALPACA, entry) as account:
        await account.prepare()
        said = await look(account, Ask(symbol="AAPL", order_id=uuid(50)))
    assert isinstance(said, Unanswered)
    assert uuid(51) in said.failure.detail


async def test_a_chain_of_replacements_in_a_circle_ends() -> None:
    entries = [
        Canned(
            path=f"/v2/orders/{uuid(one)}",
            body=alpaca_order(one, status="replaced", replaced_by=uuid(other)),
        )
        for one, other in ((50, 51), (51, 50))
    ]
    async with account_of(ALPACA, *entries) as account:
        await account.prepare()
        said = await look(account, Ask(symbol="AAPL", order_id=uuid(50)))
    assert isinstance(said, Unanswered)
    assert "replaced in a circle" in said.failure.detail


async def test_another_order_in_the_answer_is_no_answer() -> None:
    entry = Canned(path=f"/v2/orders/{uuid(1)}", body=alpaca_order(2))
    async with account_of(ALPACA, entry) as account:
        await account.prepare()
        said = await look(account, Ask(symbol="AAPL", order_id=uuid(1)))
    assert isinstance(said, Unanswered)
    assert "answered" in said.failure.detail


async def test_kraken_orders_without_a_client_id_have_none() -> None:
    async with account_of(KRAKEN) as account:
        seen = await account.snapshot(now=now())
    assert "0" not in {order.client_order_id for order in seen.orders}


async def test_a_trigger_order_that_cannot_be_asked_for_is_unsupported() -> None:
    """Bitget's spot plan orders: absence from the listing does not tell how they ended."""
    async with account_of(BITGET) as account:
        await account.prepare()
        ask = Ask(symbol="BTC/USDT", order_id="402", type="stop_limit")
        said = await look(account, ask)
        listed = await look(account, Ask(symbol="BTC/USDT", order_id="101", type="stop_limit"))
    assert isinstance(said, Unanswered)
    assert said.failure.kind is AnswerKind.UNSUPPORTED
    assert isinstance(listed, Found)


@pytest.mark.parametrize("where", ["privateKey"])
async def test_hyperliquid_wants_an_address_and_refuses_a_private_key(where: str) -> None:
    def connection(**changes: Any) -> AccountConnection:
        values = {"name": AccountName("a"), "venue": "hyperliquid", **changes}
        return AccountConnection(**values)

    with pytest.raises(VenueMisconfiguredError, match="refused"):
        await CcxtAccount(connection(wallet_address="0x1", options={where: "0x2"})).connect()
    with pytest.raises(VenueMisconfiguredError, match="wallet_address"):
        await CcxtAccount(connection()).connect()
