"""What a snapshot says."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from reconciler.domain.errors import VenueMisconfiguredError, VenueUnavailableError
from reconciler.domain.identity import (
    ClientOrderId,
    Symbol,
    VenueOrderId,
)
from reconciler.domain.orders import OrderState
from reconciler.domain.positions import PositionSide
from reconciler.domain.snapshot import (
    AnswerKind,
    Completeness,
    NotFound,
    Unanswered,
)
from reconciler.simulation.venue import (
    Fault,
    FaultKind,
    Market,
    SimulatedVenue,
)
from reconciler.venue.account import CcxtAccount
from reconciler.venue.descriptions import DESCRIBED
from reconciler.venue.shared_connection import SharedConnections
from tests.integration.venue_adapter.accounts import (
    BTC,
    ONE,
    SHORT,
    connection,
    look,
    now,
)


async def test_snapshot_shows_orders_trigger_orders_and_positions(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    ledger = venue.ledger()
    order = ledger.place_order(
        "BTCUSDT", "buy", Decimal("0.5"), Decimal(50_000), client_order_id="bot-1"
    )
    ledger.fill_order(order.order_id, Decimal("0.2"))
    stop = ledger.place_trigger_order(
        "ETHUSDT", "sell", Decimal(0), Decimal(2_000), close_position=True
    )
    ledger.set_position("SOLUSDT", "short", Decimal(7), Decimal(150))
    at = now()
    seen = await account.snapshot(now=at, symbols=[Symbol("XRP/USDT:USDT")])

    assert seen.orders_are_complete()
    assert seen.positions_are_complete()
    assert seen.taken_at == at
    by_id = {found.venue_order_id: found for found in seen.orders}
    regular = by_id[VenueOrderId(str(order.order_id))]
    assert (regular.state, regular.filled, regular.qty) == (
        OrderState.PARTIALLY_FILLED,
        Decimal("0.2"),
        Decimal("0.5"),
    )
    assert regular.client_order_id == "bot-1"
    assert regular.avg_price == Decimal(50_000)
    assert not regular.is_trigger
    trigger = by_id[VenueOrderId(str(stop.algo_id))]
    assert (trigger.state, trigger.qty, trigger.is_trigger) == (OrderState.OPEN, None, True)
    held = {position.symbol: position for position in seen.positions}
    assert held[Symbol("SOL/USDT:USDT")].side is PositionSide.SHORT
    assert held[Symbol("SOL/USDT:USDT")].qty == Decimal(7)
    assert held[BTC].qty == Decimal("0.2")
    assert held[BTC].hedged is False
    assert seen.markets[Symbol("XRP/USDT:USDT")].qty_step == Decimal("0.1")
    assert seen.venue_clock_skew is not None
    assert abs(seen.venue_clock_skew) < timedelta(seconds=2)


async def test_hedge_legs_do_not_net(venue: SimulatedVenue, account: CcxtAccount) -> None:
    venue.ledger().set_hedge_mode(on=True)
    venue.ledger().set_position("BTCUSDT", "long", Decimal(2))
    venue.ledger().set_position("BTCUSDT", "short", Decimal(3))
    seen = await account.snapshot(now=now())
    assert {(p.side, p.qty, p.hedged) for p in seen.positions} == {
        (PositionSide.LONG, Decimal(2), True),
        (PositionSide.SHORT, Decimal(3), True),
    }


async def test_a_steady_snapshot_makes_three_calls(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    venue.ledger().set_position("BTCUSDT", "long", ONE)
    venue.requests.clear()
    await account.snapshot(now=now())
    asked = [request.endpoint for request in venue.requests.requests]
    assert asked == ["positions", "open_orders", "trigger_orders"]


async def test_accounts_of_a_venue_load_its_markets_once(venue: SimulatedVenue) -> None:
    venue.add_account("second")
    shared = SharedConnections()
    accounts = [
        CcxtAccount(connection(venue, label), shared=shared) for label in ("main", "second")
    ]
    await asyncio.gather(*(reading.prepare() for reading in accounts))
    assert venue.requests.count("markets") == 1
    venue.ledger("second").set_position("BTCUSDT", "long", ONE)
    first, second = [await reading.snapshot(now=now()) for reading in accounts]
    assert (len(first.positions), len(second.positions)) == (0, 1)
    await asyncio.gather(*(reading.close() for reading in accounts))
    await shared.close()


async def test_waiting_accounts_share_a_failed_load(venue: SimulatedVenue) -> None:
    shared = SharedConnections()
    accounts = [CcxtAccount(connection(venue, timeout=SHORT), shared=shared) for _ in range(20)]
    venue.faults.set(FaultKind.HANG, "markets")
    said = await asyncio.gather(*(a.prepare() for a in accounts), return_exceptions=True)
    assert {type(answer) for answer in said} == {VenueUnavailableError}
    # Not one timeout after the other.
    assert venue.requests.count("markets") == 1
    venue.faults.clear()
    await accounts[0].prepare()
    assert (await accounts[1].snapshot(now=now())).orders_are_complete()
    await asyncio.gather(*(reading.close() for reading in accounts))
    await shared.close()


async def test_an_unknown_market_keeps_the_venues_own_name(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    venue.markets.add(Market(symbol="NEWUSDT", base="NEW"))
    venue.ledger().set_position("NEWUSDT", "long", ONE)
    seen = await account.snapshot(now=now())
    assert [p.symbol for p in seen.positions] == [account.symbol_of("NEW/USDT:USDT")]
    assert seen.positions_are_complete()


async def test_allow_list_leaves_out_and_says_so(venue: SimulatedVenue) -> None:
    venue.ledger().set_position("BTCUSDT", "long", ONE)
    venue.ledger().set_position("ETHUSDT", "long", ONE)
    reading = CcxtAccount(connection(venue, symbols=("ETHUSDT",)))
    seen = await reading.snapshot(now=now())
    assert [p.symbol for p in seen.positions] == ["ETH/USDT:USDT"]
    assert any("1 rows left out" in line for line in seen.not_covered)
    assert not reading.covers(BTC)
    await reading.close()


async def test_prepare_says_why_markets_are_not_there(venue: SimulatedVenue) -> None:
    reading = CcxtAccount(connection(venue, timeout=SHORT))
    for fault in (FaultKind.HTML_200, FaultKind.OBJECT, FaultKind.HANG):
        rule = venue.faults.set(fault, "markets")
        with pytest.raises(VenueUnavailableError) as raised:
            await reading.prepare()
        assert raised.value.failure.kind is AnswerKind.NO_ANSWER
        venue.faults.clear(rule)
    rule = venue.faults.set(Fault.status(200, '{"symbols": [], "timezone": "UTC"}'), "markets")
    seen = await reading.snapshot(now=now())
    assert {part.completeness for part in seen.scopes.values()} == {Completeness.FAILED}
    venue.faults.clear(rule)
    await reading.prepare()
    assert reading.symbol_of("btc-usdt") == BTC
    await reading.close()


async def test_misconfiguration_names_the_mend(venue: SimulatedVenue) -> None:
    for changes, words in (
        ({"venue": "binanceusd"}, "binanceusdm"),
        ({"secret": None}, "RECONCILER_ACCOUNTS__MAIN__SECRET"),
        ({"options": {"privateKey": "0x1"}}, "privateKey"),
    ):
        reading = CcxtAccount(connection(venue, **changes))
        with pytest.raises(VenueMisconfiguredError, match=words):
            await reading.prepare()
        await reading.close()


async def test_each_call_is_observed(venue: SimulatedVenue) -> None:
    seen: list[tuple[str, str]] = []
    reading = CcxtAccount(
        connection(venue), observe=lambda call, outcome, _seconds: seen.append((call, outcome))
    )
    venue.faults.set(Fault.status(502), "positions")
    await reading.snapshot(now=now())
    await look(reading, venue_order_id=VenueOrderId("1"))
    await reading.close()
    assert seen == [
        ("markets", "answered"),
        ("positions", "no_answer"),
        ("open_orders", "answered"),
        ("trigger_orders", "answered"),
        ("order", "not_found"),
        ("fills", "answered"),
    ]


async def test_a_generic_venue_shows_what_is_there_and_proves_no_absence(
    venue: SimulatedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Binance USD-M again, by what ccxt claims of it alone."""
    monkeypatch.delitem(DESCRIBED, "binance")
    ledger = venue.ledger()
    ledger.place_order("BTCUSDT", "buy", ONE, Decimal(50_000), client_order_id="bot-1")
    ledger.set_position("ETHUSDT", "short", Decimal(2), Decimal(3_000))
    reading = CcxtAccount(
        connection(
            venue,
            venue="binance",
            options={
                "defaultType": "swap",
                "defaultSubType": "linear",
                "fetchMarkets": {"types": ["linear"]},
                "fetchOpenOrders": {"warnWithoutSymbol": False},
            },
        )
    )
    no_markets = venue.faults.set(Fault.status(200, '{"symbols": []}'), "markets")
    with pytest.raises(VenueUnavailableError, match="no market"):
        await reading.prepare()
    venue.faults.clear(no_markets)

    seen = await reading.snapshot(now=now())
    assert [order.client_order_id for order in seen.orders] == ["bot-1"]
    assert [(p.symbol, p.side, p.qty) for p in seen.positions] == [
        ("ETH/USDT:USDT", PositionSide.SHORT, Decimal(2))
    ]
    assert {part.completeness for part in seen.scopes.values()} == {Completeness.PARTIAL}
    assert not seen.orders_are_complete()
    assert any("market types" in line for line in seen.not_covered)

    said = await look(reading, client_order_id=ClientOrderId("bot-1"))
    assert isinstance(said, Unanswered)
    assert said.failure.kind is AnswerKind.UNSUPPORTED
    said = await look(reading, venue_order_id=VenueOrderId("1"), client_order_id=ClientOrderId("c"))
    assert isinstance(said, NotFound)
    assert said.rungs == (
        "venue_order_id",
        "client_order_id: ccxt cannot ask binance by it",
        "fills",
    )
    await reading.close()
