"""Writing at a venue through an unmodified ccxt: what it writes, refuses, and takes it to mean."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reconciler.domain.acting import Accepted, Ambiguous, CannotActError, Declined, ReducingOrder
from reconciler.domain.identity import AccountName, ClientOrderId, Symbol, VenueOrderId
from reconciler.domain.orders import OrderSide, OrderState, VenueOrder
from reconciler.domain.positions import PositionSide
from reconciler.simulation.venue import Fault, FaultKind, SimulatedVenue
from reconciler.venue.account import CcxtAccount
from reconciler.venue.acting import CcxtActing
from reconciler.venue.connection import AccountConnection
from reconciler.venue.reduce_only import ORDER_WORDS, why_not_proven

BTC = Symbol("BTC/USDT:USDT")
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
MARKET: dict[str, Any] = {
    "symbol": BTC, "base": "BTC", "quote": "USDT", "settle": "USDT",
    "baseId": "BTC", "quoteId": "USDT", "settleId": "USDT", "type": "swap", "spot": False,
    "margin": False, "swap": True, "future": False, "option": False, "contract": True,
    "linear": True, "inverse": False, "active": True, "contractSize": "1",
    "precision": {"amount": "0.001", "price": "0.1"},
    "limits": {"amount": {}, "cost": {}, "price": {}, "leverage": {}},
    "info": {"orderTypes": ["MARKET", "LIMIT"], "instType": "SWAP"},
}  # fmt: skip
"""As ccxt would have loaded it."""
MARKET_IDS = {
    "binanceusdm": "BTCUSDT",
    "bybit": "BTCUSDT",
    "okx": "BTC-USDT-SWAP",
    "krakenfutures": "PF_XBTUSD",
}


def _order(**changes: Any) -> ReducingOrder:
    order = ReducingOrder(
        symbol=BTC,
        position_side=LONG,
        leg=False,
        qty=Decimal("0.3"),
        client_order_id=ClientOrderId("rcl-0123456789"),
    )
    return replace(order, **changes)


Offline = Callable[..., Awaitable[CcxtActing]]


@pytest.fixture
async def offline() -> AsyncIterator[Offline]:
    """Makes accounts whose markets are there, and whose venue is never asked."""
    made: list[CcxtAccount] = []

    async def make(venue: str, **changes: Any) -> CcxtActing:
        account, acting = await _offline(venue, **changes)
        made.append(account)
        return acting

    yield make
    for account in made:
        await account.close()


async def _offline(venue: str, **changes: Any) -> tuple[CcxtAccount, CcxtActing]:
    connection = AccountConnection(
        name=AccountName("main"),
        venue=venue,
        api_key="k",
        secret="c2VjcmV0",
        password="p",
        uid="u",
        base_url="http://127.0.0.1:1",
    )
    account = CcxtAccount(connection)
    reader = await account.connect()
    market = {**MARKET, "id": MARKET_IDS.get(venue, "BTCUSDT")} | changes
    reader.exchange.set_markets([market])
    account._shared._keep(reader.exchange, reader.description)
    return account, CcxtActing(account)


@pytest.fixture
async def simulated() -> AsyncIterator[tuple[SimulatedVenue, CcxtActing]]:
    async with SimulatedVenue() as venue:
        key = venue.add_account("main")
        connection = AccountConnection(
            name=AccountName("main"),
            venue="binanceusdm",
            api_key=key.api_key,
            secret=key.secret,
            base_url=venue.base_url,
        )
        account = CcxtAccount(connection)
        yield venue, CcxtActing(account)
        venue.faults.clear()
        await account.close()


EXPECTED = {
    "binanceusdm": ("quantity", {"reduceOnly": "true", "side": "SELL", "type": "MARKET"}),
    "bybit": ("qty", {"reduceOnly": "true", "side": "Sell", "orderType": "Market"}),
    "okx": ("sz", {"reduceOnly": "true", "side": "sell", "ordType": "market"}),
    "krakenfutures": ("size", {"reduceOnly": "true", "side": "sell", "orderType": "mkt"}),
}


@pytest.mark.parametrize("venue", sorted(ORDER_WORDS))
async def test_each_described_venue_is_told_to_reduce_only(venue: str, offline: Offline) -> None:
    acting = await offline(venue)
    token = await acting.client_order_id("0123456789")
    request = await acting.preview_close(_order(client_order_id=token))
    qty_at, expected = EXPECTED[venue]
    assert request.method == "POST"
    assert {name: request.params.get(name) for name in expected} == expected
    assert Decimal(request.params[qty_at]) == Decimal("0.3")
    assert token in request.params.values()
    assert not {"signature", "timestamp"} & set(request.params)


@pytest.mark.parametrize("side", [LONG, SHORT])
@pytest.mark.parametrize("venue", ["binanceusdm", "bybit", "okx"])
async def test_a_leg_is_named_and_traded_against(
    venue: str, side: PositionSide, offline: Offline
) -> None:
    acting = await offline(venue)
    token = await acting.client_order_id("0123456789")
    order = _order(leg=True, position_side=side, client_order_id=token)
    request = await acting.preview_close(order)
    words = ORDER_WORDS[venue]
    assert words.leg is not None
    assert request.params[words.leg] == words.legs[side]
    assert request.params["side"].lower() == ("sell" if side is LONG else "buy")
    assert ("reduceOnly" in request.params) is (not words.leg_is_enough)


async def test_contracts_are_counted_not_base_units(offline: Offline) -> None:
    acting = await offline("okx", contractSize="0.01", precision={"amount": "1", "price": "0.1"})
    request = await acting.preview_close(_order(client_order_id=ClientOrderId("rcl1")))
    assert request.params["sz"] == "30"


async def test_a_quantity_that_ccxt_would_cut_is_not_sent(offline: Offline) -> None:
    acting = await offline("binanceusdm")
    with pytest.raises(CannotActError, match="quantity"):
        await acting.preview_close(_order(qty=Decimal("0.3005")))


@pytest.mark.parametrize(
    ("venue", "changes", "order", "why"),
    [
        ("bitget", {}, {}, "not proven how bitget is told"),
        ("binancecoinm", {}, {}, "not proven how binancecoinm is told"),
        ("bybit", {"spot": True, "contract": False, "linear": None}, {}, "spot market"),
        ("bybit", {"linear": False, "inverse": True}, {}, "inverse market"),
        ("bybit", {}, {"symbol": Symbol("ETH/USDT:USDT")}, "unknown market"),
        ("krakenfutures", {}, {"leg": True}, "legs of hedge mode are not closed"),
        ("binanceusdm", {"info": {"orderTypes": ["LIMIT"]}}, {}, "ccxt does not write it"),
    ],
)
async def test_what_cannot_be_proven_is_refused(
    venue: str, changes: dict[str, Any], order: dict[str, Any], why: str, offline: Offline
) -> None:
    acting = await offline(venue, **changes)
    with pytest.raises(CannotActError, match=why):
        await acting.preview_close(_order(**order))
    with pytest.raises(CannotActError):
        await acting.close(_order(**order))


@pytest.mark.parametrize(
    ("change", "lacks"),
    [
        ({"reduceOnly": "false"}, "reduceOnly"),
        ({"reduceOnly": ""}, "reduceOnly"),
        ({"side": "BUY"}, "side"),
        ({"symbol": "ETHUSDT"}, "symbol"),
        ({"newClientOrderId": "other"}, "newClientOrderId"),
        ({"type": "LIMIT"}, "type"),
    ],
)
def test_a_request_that_lacks_anything_is_no_proof(change: dict[str, str], lacks: str) -> None:
    said = {
        "symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "1",
        "newClientOrderId": "rcl-1", "reduceOnly": "true",
    }  # fmt: skip
    expected = {"symbol": "BTCUSDT", "side": "sell", "client_order_id": "rcl-1"}
    words = ORDER_WORDS["binanceusdm"]
    assert why_not_proven(words, said, expected=expected, leg=None) is None
    why = why_not_proven(words, said | change, expected=expected, leg=None)
    assert why is not None
    assert why.startswith(lacks)


async def test_a_client_order_id_is_one_that_the_venue_takes(offline: Offline) -> None:
    assert await (await offline("binanceusdm")).client_order_id("ab12") == "rcl-ab12"
    assert await (await offline("okx")).client_order_id("ab12") == "rclab12"


def _live(venue: SimulatedVenue) -> VenueOrder:
    placed = venue.ledger().place_order("BTCUSDT", "buy", Decimal(1), Decimal(1000))
    return VenueOrder(
        symbol=BTC,
        side=OrderSide.BUY,
        venue_order_id=VenueOrderId(str(placed.order_id)),
        client_order_id=None,
        state=OrderState.OPEN,
        raw_status="NEW",
        qty=Decimal(1),
        filled=Decimal(0),
    )


async def test_a_preview_asks_the_venue_for_markets_alone(
    simulated: tuple[SimulatedVenue, CcxtActing],
) -> None:
    venue, acting = simulated
    await acting.preview_close(_order())
    await acting.preview_cancel(_live(venue))
    assert {request.endpoint for request in venue.requests.requests} == {"markets"}


KEY = Fault.error(-2015, "Invalid API-key, IP, or permissions for action.", 401)
MEANINGS: tuple[tuple[Fault | FaultKind, type, str], ...] = (
    (KEY, Declined, "the key may not trade"),
    (Fault.error(-2010, "Order would immediately trigger."), Declined, "-2010"),
    (Fault.error(-1111, "Precision is over the maximum."), Declined, "Precision"),
    # At a host that is not Binance's ccxt does not know the codes of its futures.
    (Fault.error(-2022, "ReduceOnly Order is rejected."), Ambiguous, "ReduceOnly"),
    (Fault.error(-2010, "Duplicate order sent."), Ambiguous, "Duplicate"),
    (Fault.error(-1007, "Timeout waiting for response. Send status unknown."), Ambiguous, "-1007"),
    (Fault.error(-1006, "An unexpected response was received."), Ambiguous, "-1006"),
    (Fault.status(429), Declined, "-1003"),
    (Fault.status(503), Ambiguous, "503"),
    (Fault.status(502), Ambiguous, "502"),
    (FaultKind.HTML_200, Ambiguous, "maintenance"),
    (FaultKind.EMPTY_200, Ambiguous, "empty body"),
    (FaultKind.OBJECT, Ambiguous, "empty object"),
    (FaultKind.RESET, Ambiguous, ""),
    (FaultKind.CUT_BODY, Ambiguous, ""),
)


@pytest.mark.parametrize(("fault", "meaning", "why"), MEANINGS)
async def test_what_an_answer_to_an_order_means(
    simulated: tuple[SimulatedVenue, CcxtActing],
    fault: Fault | FaultKind,
    meaning: type[Declined | Ambiguous],
    why: str,
) -> None:
    venue, acting = simulated
    venue.ledger().set_position("BTCUSDT", "long", Decimal(1))
    venue.faults.set(fault, "place_order", times=1)
    answer = await acting.close(_order())
    assert isinstance(answer, meaning), answer
    assert why in answer.why
    assert "main-secret" not in answer.why
    assert venue.requests.count("place_order") == 1, "never repeated"


async def test_what_is_accepted_names_its_order(
    simulated: tuple[SimulatedVenue, CcxtActing],
) -> None:
    venue, acting = simulated
    venue.ledger().set_position("BTCUSDT", "long", Decimal(1))
    answer = await acting.close(_order())
    assert isinstance(answer, Accepted)
    assert answer.venue_order_id is not None
    order = venue.ledger().orders[int(answer.venue_order_id)]
    assert (order.reduce_only, order.client_order_id) == (True, "rcl-0123456789")
    assert venue.ledger().positions.get(("BTCUSDT", order.position_side)) is not None


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        (Fault.error(-2011, "Unknown order sent."), Ambiguous),
        (Fault.error(-2010, "Order is filled already."), Ambiguous),
        (KEY, Declined),
        (Fault.status(503), Ambiguous),
    ],
)
async def test_what_an_answer_to_a_cancellation_means(
    simulated: tuple[SimulatedVenue, CcxtActing], fault: Fault, meaning: type
) -> None:
    venue, acting = simulated
    order = _live(venue)
    venue.faults.set(fault, "cancel_order", times=1)
    assert isinstance(await acting.cancel(order), meaning)
    assert isinstance(await acting.cancel(order), Accepted)
    assert isinstance(await acting.cancel(order), Ambiguous), "it has ended: reading tells how"
