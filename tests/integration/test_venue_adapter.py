"""The venue adapter over real HTTP, with unmodified ccxt, against the simulated venue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from reconciler.domain.errors import VenueMisconfiguredError, VenueUnavailableError
from reconciler.domain.identity import (
    AccountName,
    BookOrderId,
    ClientOrderId,
    ProfileId,
    Symbol,
    VenueOrderId,
)
from reconciler.domain.orders import BookOrder, OrderSide, OrderState
from reconciler.domain.positions import PositionSide
from reconciler.domain.snapshot import (
    AnswerKind,
    Completeness,
    Found,
    Lookup,
    NotFound,
    ScopeName,
    Unanswered,
)
from reconciler.simulation.venue import (
    DEFAULT_MARKETS,
    Fault,
    FaultKind,
    Market,
    SimulatedVenue,
)
from reconciler.simulation.venue.rows import market_row
from reconciler.venue.account import CcxtAccount
from reconciler.venue.connection import AccountConnection
from reconciler.venue.shared_connection import SharedConnections

pytestmark = pytest.mark.timeout(60)

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


@pytest_asyncio.fixture
async def venue() -> AsyncIterator[SimulatedVenue]:
    async with SimulatedVenue() as served:
        served.add_account("main")
        yield served


@pytest_asyncio.fixture
async def account(
    venue: SimulatedVenue, request: pytest.FixtureRequest
) -> AsyncIterator[CcxtAccount]:
    """Connect the account; in a test whose case hangs, with little patience."""
    case = getattr(request.node, "callspec", None)
    hangs = case is not None and case.params.get("broken") == "hang"
    reading = CcxtAccount(connection(venue, timeout=SHORT if hangs else TIMEOUT))
    await reading.prepare()
    yield reading
    await reading.close()


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


# What a snapshot says.


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
    assert asked == ["open_orders", "trigger_orders", "positions"]


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


# No answer is never "none".

BROKEN: dict[str, tuple[Fault, AnswerKind]] = {
    "html_200": (Fault(kind=FaultKind.HTML_200), AnswerKind.NO_ANSWER),
    "empty": (Fault(kind=FaultKind.EMPTY_200), AnswerKind.NO_ANSWER),
    "null": (Fault(kind=FaultKind.NULL), AnswerKind.NO_ANSWER),
    "object": (Fault(kind=FaultKind.OBJECT), AnswerKind.NO_ANSWER),
    "text": (Fault(kind=FaultKind.TEXT), AnswerKind.NO_ANSWER),
    "cut_json": (Fault(kind=FaultKind.TRUNCATED_JSON), AnswerKind.NO_ANSWER),
    "cut_body": (Fault.cut_body(), AnswerKind.NO_ANSWER),
    "cut_body_without_length": (
        Fault.cut_body(content_length=False),
        AnswerKind.NO_ANSWER,
    ),
    "reset": (Fault(kind=FaultKind.RESET), AnswerKind.NO_ANSWER),
    "hang": (Fault(kind=FaultKind.HANG), AnswerKind.NO_ANSWER),
    "error_with_200": (Fault.error(-1000, "An unknown error", 200), AnswerKind.NO_ANSWER),
    "other_error": (Fault.error(-1001, "Internal error", 400), AnswerKind.NO_ANSWER),
    "clock": (
        Fault.error(-1021, "Timestamp for this request is outside of the recvWindow."),
        AnswerKind.CLOCK,
    ),
    "bad_signature": (Fault.error(-1022, "Signature is not valid."), AnswerKind.AUTH),
    "bad_key": (Fault.error(-2015, "Invalid API-key.", 401), AnswerKind.AUTH),
    "201_html": (Fault.status(201), AnswerKind.NO_ANSWER),
    "401_page": (Fault.status(401, "<html>no</html>"), AnswerKind.AUTH),
    "403": (Fault.status(403), AnswerKind.NO_ANSWER),
    "404": (Fault.status(404), AnswerKind.NO_ANSWER),
    "418": (Fault.status(418, retry_after=0), AnswerKind.THROTTLED),
    "429": (Fault.status(429, retry_after=0), AnswerKind.THROTTLED),
    "451": (Fault.status(451), AnswerKind.NO_ANSWER),
    **{
        str(code): (Fault.status(code), AnswerKind.NO_ANSWER)
        for code in (500, 502, 503, 504, 520, 523, 524, 529)
    },
    "500_with_not_found": (
        Fault.error(-2013, "Order does not exist.", 500),
        AnswerKind.NO_ANSWER,
    ),
}
SCOPES = {
    ScopeName.OPEN_ORDERS: "open_orders",
    ScopeName.TRIGGER_ORDERS: "trigger_orders",
    ScopeName.POSITIONS: "positions",
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("scope", SCOPES)
async def test_a_non_answer_fails_its_scope(
    venue: SimulatedVenue, account: CcxtAccount, scope: ScopeName, broken: str
) -> None:
    fault, kind = BROKEN[broken]
    ledger = venue.ledger()
    ledger.place_order("BTCUSDT", "buy", ONE, Decimal(50_000))
    ledger.place_trigger_order("BTCUSDT", "sell", ONE, Decimal(40_000))
    ledger.set_position("ETHUSDT", "long", ONE)
    venue.faults.set(fault, SCOPES[scope])
    seen = await account.snapshot(now=now())
    broken_scope = seen.scopes[scope]
    assert broken_scope.completeness is Completeness.FAILED
    assert broken_scope.failure is not None
    assert broken_scope.failure.kind is kind
    assert "signature=" not in broken_scope.failure.detail
    others = [part for name, part in seen.scopes.items() if name is not scope]
    if kind not in {AnswerKind.AUTH, AnswerKind.THROTTLED}:
        assert all(part.completeness is Completeness.COMPLETE for part in others)


ASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "by_id": ("order", {"venue_order_id": VenueOrderId("8000000001")}),
    "by_client_id": ("order", {"client_order_id": ClientOrderId("bot-1")}),
    "trigger_by_id": (
        "trigger_order",
        {"venue_order_id": VenueOrderId("77"), "type": "stop_market"},
    ),
    "trigger_by_client_id": (
        "trigger_order",
        {"client_order_id": ClientOrderId("stop-1"), "type": "stop_market"},
    ),
    "fills": ("fills", {"venue_order_id": VenueOrderId("99")}),
    "fills_without_ids": ("fills", {}),
}


@pytest.mark.parametrize("broken", [*BROKEN, "array"])
@pytest.mark.parametrize("ask", ASKS)
async def test_a_non_answer_is_never_not_found(
    venue: SimulatedVenue, account: CcxtAccount, ask: str, broken: str
) -> None:
    endpoint, ids = ASKS[ask]
    if broken == "array":
        if endpoint == "fills":
            pytest.skip("an empty list of fills is a right answer")
        fault, kind = Fault(kind=FaultKind.ARRAY), AnswerKind.NO_ANSWER
    else:
        fault, kind = BROKEN[broken]
    ledger = venue.ledger()
    ledger.place_order("BTCUSDT", "buy", ONE, Decimal(50_000), client_order_id="bot-1")
    ledger.place_trigger_order(
        "BTCUSDT", "sell", ONE, Decimal(40_000), algo_id=77, client_order_id="stop-1"
    )
    venue.faults.set(fault, endpoint)
    said = await account.look_up(book_order(**ids), now=now())
    assert isinstance(said, Unanswered), said
    assert said.failure.kind is kind


@pytest.mark.parametrize("retry_after", [30])
async def test_a_throttled_venue_is_left_alone(
    venue: SimulatedVenue, account: CcxtAccount, retry_after: int
) -> None:
    venue.faults.set(Fault.status(429, retry_after=retry_after), "open_orders", times=1)
    first = await account.snapshot(now=now())
    asked = venue.requests.count()
    second = await account.snapshot(now=now())
    said = await account.look_up(book_order(venue_order_id=VenueOrderId("1")), now=now())
    assert venue.requests.count() == asked
    for seen in (first, second):
        assert {failure.kind for failure in seen.failures()} == {AnswerKind.THROTTLED}
        assert all(failure.retry_after for failure in seen.failures())
    assert isinstance(said, Unanswered)
    assert said.failure.kind is AnswerKind.THROTTLED


async def test_after_a_refused_key_nothing_more_is_asked(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    venue.remove_account("main")
    venue.requests.clear()
    seen = await account.snapshot(now=now())
    assert venue.requests.count() == 1
    assert {failure.kind for failure in seen.failures()} == {AnswerKind.AUTH}
    assert len(seen.failures()) == 3


async def test_connection_refused_is_no_answer(venue: SimulatedVenue) -> None:
    reading = CcxtAccount(connection(venue))
    await reading.prepare()
    await venue.stop()
    seen = await reading.snapshot(now=now())
    assert {failure.kind for failure in seen.failures()} == {AnswerKind.NO_ANSWER}
    said = await reading.look_up(book_order(venue_order_id=VenueOrderId("1")), now=now())
    assert isinstance(said, Unanswered)
    await reading.close()


async def test_a_deadline_ends_what_the_budget_would_hold_up(venue: SimulatedVenue) -> None:
    slow = connection(venue, rate_share=0.0001, scope_deadline=timedelta(milliseconds=200))
    reading = CcxtAccount(slow)
    seen = await reading.snapshot(now=now())
    failures = seen.failures()
    assert failures
    assert {failure.kind for failure in failures} == {AnswerKind.NO_ANSWER}
    await reading.close()


async def test_cancellation_passes(venue: SimulatedVenue, account: CcxtAccount) -> None:
    venue.faults.set(FaultKind.HANG, "positions")
    task = asyncio.ensure_future(account.snapshot(now=now()))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    venue.faults.clear()
    assert (await account.snapshot(now=now())).positions_are_complete()


# Markets.


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


# The ladder.


async def look(account: CcxtAccount, **changes: Any) -> Lookup:
    return await account.look_up(book_order(**changes), now=now())


async def test_an_order_that_no_rung_knows_is_not_found(account: CcxtAccount) -> None:
    said = await look(
        account, venue_order_id=VenueOrderId("1"), client_order_id=ClientOrderId("c"), type=None
    )
    assert said == NotFound(
        rungs=(
            "venue_order_id",
            "client_order_id",
            "trigger venue_order_id",
            "trigger client_order_id",
            "fills",
        )
    )


async def test_a_row_without_ids_has_only_the_fills(account: CcxtAccount) -> None:
    assert await look(account) == NotFound(rungs=("fills",))


async def test_an_order_known_only_by_its_client_id_is_found(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    order = venue.ledger().place_order(
        "BTCUSDT", "buy", ONE, Decimal(50_000), client_order_id="bot-1"
    )
    venue.ledger().fill_order(order.order_id, price=Decimal(49_000))
    said = await look(account, client_order_id=ClientOrderId("bot-1"))
    assert isinstance(said, Found)
    assert said.by == "client_order_id"
    assert said.order.state is OrderState.FILLED
    assert (said.order.filled, said.order.avg_price) == (ONE, Decimal(49_000))


async def test_a_partial_fill_then_cancel_is_canceled_with_its_fill(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    order = venue.ledger().place_order("BTCUSDT", "buy", ONE, Decimal(50_000))
    venue.ledger().fill_order(order.order_id, Decimal("0.25"))
    venue.ledger().cancel_order(order.order_id)
    said = await look(account, venue_order_id=VenueOrderId(str(order.order_id)))
    assert isinstance(said, Found)
    assert (said.order.state, said.order.filled) == (OrderState.CANCELED, Decimal("0.25"))


async def test_a_forgotten_order_leaves_its_fills(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    created_at = now() - timedelta(days=30)
    ledger = venue.ledger()
    order = ledger.place_order("BTCUSDT", "buy", ONE, Decimal(50_000), created_at=created_at)
    other = ledger.place_order("BTCUSDT", "buy", ONE, Decimal(50_000), created_at=created_at)
    for at, qty in ((created_at, "0.25"), (now() - timedelta(days=9), "0.75")):
        ledger.fill_order(order.order_id, Decimal(qty), filled_at=at)
    ledger.fill_order(other.order_id)
    ledger.forget_order(order.order_id)
    said = await look(
        account, venue_order_id=VenueOrderId(str(order.order_id)), created_at=created_at
    )
    assert isinstance(said, NotFound)
    assert [fill.qty for fill in said.fills] == [Decimal("0.25"), Decimal("0.75")]
    assert {fill.venue_order_id for fill in said.fills} == {str(order.order_id)}


async def test_more_fills_than_a_page_are_all_read(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    ledger = venue.ledger()
    created_at = now() - timedelta(hours=2)
    order = ledger.place_order(
        "BTCUSDT", "buy", Decimal(1500), Decimal(50_000), created_at=created_at
    )
    for number in range(1200):
        ledger.fill_order(
            order.order_id, ONE, filled_at=created_at + timedelta(milliseconds=number)
        )
    ledger.forget_order(order.order_id)
    said = await look(
        account, venue_order_id=VenueOrderId(str(order.order_id)), created_at=created_at
    )
    assert isinstance(said, NotFound)
    assert len(said.fills) == 1200


async def test_a_full_page_within_one_moment_is_no_answer(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    ledger = venue.ledger()
    created_at = now() - timedelta(minutes=1)
    order = ledger.place_order(
        "BTCUSDT", "buy", Decimal(1500), Decimal(50_000), created_at=created_at
    )
    for _ in range(1001):
        ledger.fill_order(order.order_id, ONE, filled_at=created_at)
    ledger.forget_order(order.order_id)
    order_id = VenueOrderId(str(order.order_id))
    said = await look(account, venue_order_id=order_id, created_at=created_at)
    assert isinstance(said, Unanswered)


async def test_a_replaced_order_is_followed_by_its_client_id(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    ledger = venue.ledger()
    first = ledger.place_order("BTCUSDT", "buy", ONE, Decimal(50_000), client_order_id="c")
    ledger.cancel_order(first.order_id)
    ids = {
        "venue_order_id": VenueOrderId(str(first.order_id)),
        "client_order_id": ClientOrderId("c"),
    }
    said = await look(account, **ids)
    assert isinstance(said, Found)
    assert said.order.state is OrderState.CANCELED

    second = ledger.place_order("BTCUSDT", "buy", ONE, Decimal(51_000), client_order_id="c")
    said = await look(account, **ids)
    assert isinstance(said, Found)
    assert (said.by, said.order.venue_order_id, said.order.state) == (
        "client_order_id",
        str(second.order_id),
        OrderState.OPEN,
    )

    venue.faults.set(Fault.status(502), "order", after=1)
    assert isinstance(await look(account, **ids), Unanswered)


async def test_a_triggered_stop_is_followed_to_its_order(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    ledger = venue.ledger()
    ledger.set_position("BTCUSDT", "long", ONE)
    stop = ledger.place_trigger_order("BTCUSDT", "sell", ONE, Decimal(40_000))
    ids = {"venue_order_id": VenueOrderId(str(stop.algo_id)), "type": "STOP_MARKET"}
    waiting = await look(account, **ids)
    assert isinstance(waiting, Found)
    assert (waiting.order.state, waiting.order.is_trigger) == (OrderState.OPEN, True)

    child = ledger.trigger(stop.algo_id)
    ledger.fill_order(child.order_id, price=Decimal(39_990))
    said = await look(account, **ids)
    assert isinstance(said, Found)
    assert said.order.venue_order_id == str(child.order_id)
    assert (said.order.state, said.order.filled) == (OrderState.FILLED, ONE)

    ledger.forget_order(child.order_id)
    said = await look(account, **ids)
    assert isinstance(said, Found)
    assert said.order.state is OrderState.UNMAPPED
    assert said.order.successor_ids == (str(child.order_id),)


@pytest.mark.parametrize("body", [None, '{"code": -5000, "msg": "Path is invalid"}'])
async def test_a_host_without_trigger_orders_is_skipped_unless_it_is_one(
    venue: SimulatedVenue, account: CcxtAccount, body: str | None
) -> None:
    venue.faults.set(Fault.status(404, body), "trigger_order")
    said = await look(account, venue_order_id=VenueOrderId("1"), type=None)
    assert isinstance(said, NotFound)
    assert said.rungs == ("venue_order_id", "trigger: not offered by this host", "fills")
    said = await look(account, venue_order_id=VenueOrderId("1"), type="stop_market")
    assert isinstance(said, Unanswered)


async def test_an_order_of_an_unknown_market_is_not_judged(account: CcxtAccount) -> None:
    said = await look(account, symbol=Symbol("FOOUSDT"), venue_order_id=VenueOrderId("1"))
    assert isinstance(said, Unanswered)
    assert said.failure.kind is AnswerKind.UNSUPPORTED
    assert "FOOUSDT is not a market of binanceusdm" in said.failure.detail


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
        ("open_orders", "answered"),
        ("trigger_orders", "answered"),
        ("positions", "no_answer"),
        ("order", "not_found"),
        ("fills", "answered"),
    ]


# Answers that no simulated venue gives: a server that says what it is told.

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


async def test_position_rows_that_ccxt_would_drop_are_seen() -> None:
    rows = [
        position_row(entryPrice="0.0", notional="0"),
        position_row(symbol="ETHUSDT", positionAmt="0.000"),
        position_row(symbol="SOLUSDT", positionSide="SHORT", positionAmt="-2", notional="300"),
    ]
    async with account_at({"/fapi/v3/positionRisk": rows}) as reading:
        seen = await reading.snapshot(now=now())
    assert seen.positions_are_complete()
    assert [(p.symbol, p.side, p.qty, p.hedged) for p in seen.positions] == [
        (BTC, PositionSide.SHORT, Decimal("0.5"), False),
        ("SOL/USDT:USDT", PositionSide.SHORT, Decimal(2), True),
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"code": -1000},
        "BTCUSDT",
        position_row(positionAmt=None),
        position_row(positionAmt="much"),
        position_row(positionAmt="NaN"),
        position_row(positionSide="SIDEWAYS"),
    ],
)
async def test_a_position_row_that_cannot_be_read_makes_the_scope_partial(row: Any) -> None:
    async with account_at({"/fapi/v3/positionRisk": [position_row(), row]}) as reading:
        seen = await reading.snapshot(now=now())
    scope = seen.scopes[ScopeName.POSITIONS]
    assert scope.completeness is Completeness.PARTIAL
    assert scope.failure is not None
    assert "1 of 2 rows cannot be read" in scope.failure.detail
    assert len(seen.positions) == 1


@pytest.mark.parametrize(
    "row", [7, [], order_row(side="HOLD"), order_row(orderId=None), order_row(symbol=None)]
)
async def test_an_order_row_that_cannot_be_read_makes_the_scope_partial(row: Any) -> None:
    async with account_at({"/fapi/v1/openOrders": [order_row(), row]}) as reading:
        seen = await reading.snapshot(now=now())
    assert seen.scopes[ScopeName.OPEN_ORDERS].completeness is Completeness.PARTIAL
    assert [order.venue_order_id for order in seen.orders] == ["1"]


async def test_rows_shown_twice_are_one_order_and_ids_of_nothing_are_none() -> None:
    rows = [order_row(), order_row(), order_row(orderId=2, status="PENDING_NEW")]
    async with account_at({"/fapi/v1/openOrders": rows}) as reading:
        seen = await reading.snapshot(now=now())
    assert [order.state for order in seen.orders] == [OrderState.OPEN, OrderState.IN_FLIGHT]
    assert {order.client_order_id for order in seen.orders} == {None}


@pytest.mark.parametrize(
    "row", [order_row(orderId=2), order_row(symbol="ETHUSDT"), [order_row()], order_row(side="")]
)
async def test_an_answer_about_another_order_is_no_answer(row: Any) -> None:
    async with account_at({"/fapi/v1/order": row}) as reading:
        said = await look(reading, venue_order_id=VenueOrderId("1"))
    assert isinstance(said, Unanswered)
    assert said.failure.kind is AnswerKind.NO_ANSWER


async def test_redirects_are_not_followed_with_the_key(venue: SimulatedVenue) -> None:
    elsewhere = f"{venue.base_url}/fapi/v3/positionRisk?signature=secret"
    async with account_at({"/fapi/v3/positionRisk": elsewhere}) as reading:
        seen = await reading.snapshot(now=now())
    failure = seen.scopes[ScopeName.POSITIONS].failure
    assert failure is not None
    assert "redirected" in failure.detail
    assert "secret" not in failure.detail
    assert venue.requests.count() == 0


# A venue without a description of its own.


async def test_a_generic_venue_shows_what_is_there_and_proves_no_absence(
    venue: SimulatedVenue,
) -> None:
    """Binance USD-M again, by what ccxt claims of it alone."""
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
