"""The simulated venue, asked over HTTP by the unmodified ccxt class, and by a bare client."""

import asyncio
import hashlib
import hmac
import json
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
import ccxt.async_support as ccxt
import pytest

from reconciler.simulation.venue import (
    Account,
    Fault,
    FaultKind,
    Ledger,
    Market,
    SimulatedVenue,
    generate_markets,
)

BTC = "BTC/USDT:USDT"
TRIGGER = {"trigger": True}
JUST_A_MOMENT = timedelta(minutes=5)

Connect = Callable[[Account], ccxt.binanceusdm]


@pytest.fixture
async def venue() -> AsyncIterator[SimulatedVenue]:
    async with SimulatedVenue() as running:
        running.add_account()
        yield running


@pytest.fixture
def ledger(venue: SimulatedVenue) -> Ledger:
    return venue.ledger()


def point(exchange: ccxt.binanceusdm, base_url: str) -> None:
    """Send an exchange's requests to another host that speaks its API."""

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: moved(item) for key, item in value.items()}
        return re.sub(r"^https?://[^/]+", base_url, value)

    exchange.urls["api"] = moved(exchange.urls["api"])
    exchange.has["fetchCurrencies"] = False
    exchange.options["fetchOpenOrders"]["warnWithoutSymbol"] = False


@pytest.fixture
async def connect(venue: SimulatedVenue) -> AsyncIterator[Connect]:
    opened: list[ccxt.binanceusdm] = []

    def made(account: Account) -> ccxt.binanceusdm:
        # str: exact, and unlike Decimal it survives ccxt's second pass over markets and orders.
        exchange = ccxt.binanceusdm(
            {
                "apiKey": account.api_key,
                "secret": account.secret,
                "number": str,
                "enableRateLimit": False,
                "timeout": 2000,
            }
        )
        point(exchange, venue.base_url)
        opened.append(exchange)
        return exchange

    yield made
    await asyncio.gather(*(exchange.close() for exchange in opened))


@pytest.fixture
async def exchange(venue: SimulatedVenue, connect: Connect) -> ccxt.binanceusdm:
    main = connect(venue.accounts["main"])
    await main.load_markets()
    return main


async def ask(
    venue: SimulatedVenue, path: str, **params: object
) -> tuple[int, Any, Mapping[str, str]]:
    """Send one GET without ccxt, signed with the secret that goes with the key at first."""
    query = urlencode({"timestamp": int(time.time() * 1000), **params})
    signature = hmac.new(b"main-secret", query.encode(), hashlib.sha256).hexdigest()
    url = f"{venue.base_url}{path}?{query}&signature={signature}"
    timeout = aiohttp.ClientTimeout(total=2)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(url, headers={"X-MBX-APIKEY": "main-key"}) as response,
    ):
        return (
            response.status,
            await response.json(content_type=None),
            {str(name): value for name, value in response.headers.items()},
        )


async def test_ccxt_reads_orders_positions_fills_and_balance(
    ledger: Ledger, exchange: ccxt.binanceusdm
) -> None:
    order = ledger.place_order(
        "BTCUSDT", "buy", Decimal("0.5"), Decimal(50000), client_order_id="bot-1"
    )
    ledger.fill_order(order.order_id, Decimal("0.2"))
    ledger.set_position("ETHUSDT", "short", Decimal(3), Decimal(3100))

    [shown] = await exchange.fetch_open_orders()
    assert (shown["id"], shown["clientOrderId"]) == (str(order.order_id), "bot-1")
    assert (shown["symbol"], shown["side"], shown["status"]) == (BTC, "buy", "open")
    assert (shown["amount"], shown["filled"], shown["remaining"]) == ("0.5", "0.2", "0.3")
    assert shown["timestamp"] == int(order.created_at.timestamp() * 1000)

    positions = {leg["symbol"]: leg for leg in await exchange.fetch_positions()}
    assert positions.keys() == {BTC, "ETH/USDT:USDT"}
    long, short = positions[BTC], positions["ETH/USDT:USDT"]
    assert (long["side"], long["contracts"], long["hedged"]) == ("long", "0.2", False)
    assert (short["side"], short["contracts"], short["entryPrice"]) == ("short", "3", "3100")
    for other in ({"method": "account"}, {"useV2": True}):
        legs = await exchange.fetch_positions(params=other)
        assert {(leg["symbol"], leg["side"], leg["contracts"]) for leg in legs} == {
            (BTC, "long", "0.2"),
            ("ETH/USDT:USDT", "short", "3"),
        }

    [fill] = await exchange.fetch_my_trades(BTC, params={"orderId": order.order_id})
    assert (fill["order"], fill["amount"], fill["price"]) == (str(order.order_id), "0.2", "50000")
    balance = await exchange.fetch_balance()
    assert balance["USDT"]["total"] == str(ledger.wallet_balance + 2000 + 300)


async def test_an_order_is_found_by_either_id_until_the_venue_forgets_it(
    ledger: Ledger, exchange: ccxt.binanceusdm
) -> None:
    order = ledger.place_order(
        "BTCUSDT", "buy", Decimal(1), Decimal(50000), client_order_id="bot-2"
    )
    ledger.cancel_order(order.order_id)
    by_id = await exchange.fetch_order(str(order.order_id), BTC)
    by_client_id = await exchange.fetch_order("", BTC, {"clientOrderId": "bot-2"})
    assert by_id["status"] == by_client_id["status"] == "canceled"
    assert by_id["id"] == by_client_id["id"]
    assert [row["id"] for row in await exchange.fetch_orders(BTC)] == [by_id["id"]]
    with pytest.raises(ccxt.OrderNotFound):
        await exchange.fetch_order(str(order.order_id), "ETH/USDT:USDT")

    ledger.clock.shift(timedelta(days=3, minutes=1))
    with pytest.raises(ccxt.OrderNotFound, match="-2013"):
        await exchange.fetch_order(str(order.order_id), BTC)
    with pytest.raises(ccxt.OrderNotFound, match="-2013"):
        await exchange.fetch_order("", BTC, {"clientOrderId": "bot-2"})


async def test_trigger_orders_live_at_their_own_endpoint(
    ledger: Ledger, exchange: ccxt.binanceusdm
) -> None:
    stop = ledger.place_trigger_order(
        "BTCUSDT", "sell", Decimal("0.2"), Decimal(45000), reduce_only=True
    )
    assert await exchange.fetch_open_orders() == []
    [shown] = await exchange.fetch_open_orders(params=TRIGGER)
    assert (shown["id"], shown["triggerPrice"], shown["status"]) == (
        str(stop.algo_id),
        "45000",
        "open",
    )
    child = ledger.trigger(stop.algo_id)
    assert await exchange.fetch_open_orders(params=TRIGGER) == []
    assert [row["id"] for row in await exchange.fetch_open_orders()] == [str(child.order_id)]
    parent = await exchange.fetch_order(str(stop.algo_id), BTC, TRIGGER)
    assert parent["status"] == "closed"
    assert parent["info"]["actualOrderId"] == str(child.order_id)
    assert len(await exchange.fetch_orders(BTC, params=TRIGGER)) == 1


async def test_ccxt_trades_and_cancels(ledger: Ledger, exchange: ccxt.binanceusdm) -> None:
    resting = await exchange.create_order(BTC, "limit", "buy", 0.1, 50000)
    bought = await exchange.create_order(BTC, "market", "buy", 0.1)
    assert (resting["status"], bought["status"]) == ("open", "closed")
    assert bought["average"] == "60000.0000000000"
    reduce_only = {"reduceOnly": True}
    closed = await exchange.create_order(BTC, "market", "sell", 0.3, None, reduce_only)
    assert (closed["status"], closed["filled"]) == ("expired", "0.1")
    assert not ledger.positions
    # At the venue's own host these are InvalidOrder: ccxt picks that table of errors by host name.
    with pytest.raises(ccxt.ExchangeError, match="-2022"):
        await exchange.create_order(BTC, "market", "sell", 0.1, None, reduce_only)
    with pytest.raises(ccxt.ExchangeError, match="-4164"):
        await exchange.create_order(BTC, "limit", "buy", 0.001, 50000)

    assert (await exchange.cancel_order(resting["id"], BTC))["status"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound, match="-2011"):
        await exchange.cancel_order(resting["id"], BTC)

    stop = await exchange.create_order(BTC, "market", "sell", 0.1, None, {"triggerPrice": 40000})
    await exchange.cancel_order(stop["id"], BTC, TRIGGER)
    assert await exchange.fetch_open_orders(params=TRIGGER) == []


async def test_hedge_mode_shows_two_legs(ledger: Ledger, exchange: ccxt.binanceusdm) -> None:
    ledger.set_hedge_mode(on=True)
    ledger.set_position("BTCUSDT", "long", Decimal(1), Decimal(100))
    ledger.set_position("BTCUSDT", "short", Decimal(2), Decimal(100))
    legs = await exchange.fetch_positions()
    assert [(leg["side"], leg["contracts"], leg["hedged"]) for leg in legs] == [
        ("long", "1", True),
        ("short", "2", True),
    ]
    assert (await exchange.fetch_position_mode())["hedged"] is True


async def test_accounts_see_only_their_own_ledger(venue: SimulatedVenue, connect: Connect) -> None:
    other = venue.add_account("other")
    venue.ledger("main").place_order("BTCUSDT", "buy", Decimal(1), Decimal(100))
    assert await connect(other).fetch_open_orders() == []
    assert len(await connect(venue.accounts["main"]).fetch_open_orders()) == 1
    assert venue.requests.count("open_orders", account="other", status=200) == 1
    venue.remove_account("other")
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        await connect(other).fetch_open_orders()


async def test_bad_credentials_get_binance_errors(venue: SimulatedVenue) -> None:
    path = "/fapi/v1/openOrders"
    late = int(time.time() * 1000) - 6000
    status, body, _ = await ask(venue, path, timestamp=late)
    assert (status, body["code"]) == (400, -1021)
    status, body, _ = await ask(venue, path, timestamp=late, recvWindow=60000)
    assert (status, body) == (200, [])
    venue.clock.skew = timedelta(seconds=-30)
    status, body, headers = await ask(venue, path)
    assert (status, body["code"]) == (400, -1021)
    told = datetime.strptime(headers["Date"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    assert timedelta(seconds=28) < datetime.now(UTC) - told < timedelta(seconds=40)
    venue.clock.skew = timedelta(0)
    venue.remove_account("main")
    status, body, _ = await ask(venue, path)
    assert (status, body["code"]) == (401, -2015)
    venue.add_account("main", secret="another")
    status, body, _ = await ask(venue, path)
    assert (status, body["code"]) == (400, -1022)


async def test_weights_are_told_and_limited(venue: SimulatedVenue) -> None:
    async def weight(path: str, **params: object) -> int:
        before = venue.used_weight
        _, _, headers = await ask(venue, path, **params)
        told = int(headers["X-MBX-USED-WEIGHT-1M"])
        # The minute may turn between the two.
        return told - before if told > before else told

    assert await weight("/fapi/v1/openOrders") == 40
    assert await weight("/fapi/v1/openOrders", symbol="BTCUSDT") == 1
    assert await weight("/fapi/v3/positionRisk") == 5
    assert await weight("/fapi/v1/openAlgoOrders") == 40
    venue.weight_limit = 0
    status, body, headers = await ask(venue, "/fapi/v1/openOrders")
    assert (status, body["code"]) == (429, -1003)
    assert 0 < int(headers["Retry-After"]) <= 60


async def test_user_trades_keep_to_seven_days_and_a_thousand_rows(
    venue: SimulatedVenue, ledger: Ledger
) -> None:
    path, symbol = "/fapi/v1/userTrades", "BTCUSDT"
    order = ledger.place_order(symbol, "buy", Decimal(2000), Decimal(100))
    old_at = ledger.clock.now() - timedelta(days=10)
    old = ledger.fill_order(order.order_id, Decimal(1), filled_at=old_at)
    for _ in range(1200):
        ledger.fill_order(order.order_id, Decimal(1))
    status, rows, _ = await ask(venue, path, symbol=symbol)
    assert (status, len(rows)) == (200, 500)
    assert rows[-1]["id"] == old.fill_id + 1200
    _, rows, _ = await ask(venue, path, symbol=symbol, fromId=old.fill_id, limit=1000)
    assert [rows[0]["id"], len(rows)] == [old.fill_id, 1000]
    old_ms = int(old.filled_at.timestamp() * 1000)
    _, rows, _ = await ask(venue, path, symbol=symbol, startTime=old_ms, endTime=old_ms)
    assert [row["id"] for row in rows] == [old.fill_id]
    for bad, code in (
        ({"limit": 1001}, -1130),
        ({"startTime": old_ms, "endTime": old_ms + 8 * 86_400_000}, -4165),
        ({"fromId": 1, "startTime": old_ms}, -1128),
        ({"startTime": "soon"}, -1102),
        ({"symbol": "NOSUCH"}, -1121),
    ):
        status, body, _ = await ask(venue, path, **{"symbol": symbol, **bad})
        assert (status, body["code"]) == (400, code)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (FaultKind.HTML_200, []),
        (FaultKind.EMPTY_200, []),
        (FaultKind.TEXT, []),
        (FaultKind.ARRAY, []),
        (FaultKind.NULL, []),
        (FaultKind.OBJECT, []),
        (FaultKind.TRUNCATED_JSON, []),
        (Fault.status(524), []),
        (Fault.cut_body(content_length=False), []),
        (Fault.drop_rows(1), []),
        (Fault.status(401), ccxt.AuthenticationError),
        (Fault.status(403), ccxt.ExchangeNotAvailable),
        (Fault.status(418), ccxt.DDoSProtection),
        (Fault.status(429, retry_after=7), ccxt.DDoSProtection),
        (Fault.status(502), ccxt.ExchangeNotAvailable),
        (Fault.error(-1001, "Internal error"), ccxt.OperationFailed),
        (Fault.cut_body(), ccxt.BaseError),
        (FaultKind.RESET, ccxt.NetworkError),
        (FaultKind.HANG, ccxt.RequestTimeout),
    ],
    ids=lambda value: str(getattr(value, "kind", "")),
)
async def test_faults_reach_ccxt_as_the_field_notes_say(
    venue: SimulatedVenue,
    ledger: Ledger,
    exchange: ccxt.binanceusdm,
    fault: Fault | FaultKind,
    expected: object,
) -> None:
    """An empty list where the account holds a position is what the adapter must guard against."""
    ledger.set_position("BTCUSDT", "long", Decimal(1))
    await exchange.load_leverage_brackets()
    exchange.timeout = 300 if fault is FaultKind.HANG else 2000
    venue.faults.set(fault, "positions")
    if isinstance(expected, list):
        assert await exchange.fetch_positions() == expected
    else:
        with pytest.raises(expected):  # type: ignore[call-overload]
            await exchange.fetch_positions()
    exchange.timeout = 2000
    venue.faults.clear()
    assert len(await exchange.fetch_positions()) == 1


async def test_a_throttled_answer_says_when_to_come_back(venue: SimulatedVenue) -> None:
    venue.faults.set(Fault.status(429, retry_after=7), "/fapi/v1/openOrders")
    status, body, headers = await ask(venue, "/fapi/v1/openOrders")
    assert (status, body["code"], headers["Retry-After"]) == (429, -1003, "7")


async def test_a_reset_is_a_reset_and_not_a_close(venue: SimulatedVenue) -> None:
    venue.faults.set(FaultKind.RESET)
    reader, writer = await asyncio.open_connection("127.0.0.1", venue.port)
    writer.write(b"GET /fapi/v1/ping HTTP/1.1\r\nHost: sim\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 2)
    writer.close()


async def test_slow_and_hanging_requests_are_answered_once_the_fault_is_cleared(
    venue: SimulatedVenue,
) -> None:
    venue.faults.set(Fault.slow(0.1), "open_orders", times=1)
    started = time.monotonic()
    assert (await ask(venue, "/fapi/v1/openOrders"))[0] == 200
    assert time.monotonic() - started >= 0.1
    venue.faults.set(FaultKind.HANG, "open_orders")
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(ask(venue, "/fapi/v1/openOrders"))
        await until(lambda: venue.requests.count("open_orders", status=0) == 1)
        assert not waiting.done()
        venue.faults.clear()
    assert waiting.result()[0] == 200


async def test_it_stops_within_a_second_while_requests_hang() -> None:
    async with SimulatedVenue() as venue:
        venue.add_account()
        venue.faults.set(FaultKind.HANG)
        hanging = [asyncio.ensure_future(ask(venue, "/fapi/v1/openOrders")) for _ in range(20)]
        await until(lambda: venue.requests.count(status=0) == 20)
        started = time.monotonic()
    assert time.monotonic() - started < 1
    ends = await asyncio.gather(*hanging, return_exceptions=True)
    assert all(isinstance(end, aiohttp.ClientError) for end in ends)


async def test_faults_can_be_for_one_account_and_lag_for_one_scope(
    venue: SimulatedVenue, connect: Connect
) -> None:
    other = venue.add_account("other")
    venue.faults.set(Fault.error(-2015, "Invalid API-key", 401), account="main")
    with pytest.raises(ccxt.AuthenticationError):
        await connect(venue.accounts["main"]).fetch_open_orders()
    other.ledger.settle()
    other.ledger.lag(positions=JUST_A_MOMENT)
    order = other.ledger.place_order("BTCUSDT", "buy", Decimal(1), Decimal(100))
    other.ledger.fill_order(order.order_id)
    exchange = connect(other)
    assert await exchange.fetch_positions() == []
    assert (await exchange.fetch_order(str(order.order_id), BTC))["status"] == "closed"


async def test_pages_and_many_markets(venue: SimulatedVenue, connect: Connect) -> None:
    for market in generate_markets(300):
        venue.markets.add(market)
    venue.markets.add(
        Market(symbol="NEWUSDT", base="NEW", step_size=Decimal("0.25"), min_notional=Decimal(9))
    )
    exchange = connect(venue.accounts["main"])
    await exchange.load_markets()
    assert len(exchange.markets) == 307
    new = exchange.market("NEW/USDT:USDT")
    assert (new["precision"]["amount"], new["limits"]["cost"]["min"]) == ("0.25", "9")
    for _ in range(5):
        venue.ledger().place_order("NEWUSDT", "buy", Decimal(1), Decimal(100))
    venue.page_limit = 3
    assert len(await exchange.fetch_open_orders()) == 3


async def test_ten_thousand_open_orders_are_served_in_time(
    venue: SimulatedVenue, ledger: Ledger
) -> None:
    """Generous, for slow machines; quadratic work would take minutes."""
    for _ in range(10_000):
        ledger.place_order("SOLUSDT", "buy", Decimal(5), Decimal(100))
    started = time.monotonic()
    _, rows, _ = await ask(venue, "/fapi/v1/openOrders")
    assert len(rows) == 10_000
    assert time.monotonic() - started < 5


async def test_as_its_own_process_it_is_driven_over_http() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "reconciler.simulation.venue", "--account", "main", "--account", "second"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            said = json.loads(await process.stdout.readline())
            assert said["accounts"]["second"] == {
                "api_key": "second-key",
                "secret": "second-secret",
            }
            async with aiohttp.ClientSession(said["base_url"]) as session:
                await drive(session)
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 5) == 0


async def drive(session: aiohttp.ClientSession) -> None:
    async def call(name: str, **body: object) -> Any:
        async with session.post(f"/_sim/{name}", json=body) as response:
            return response.status, await response.json()

    placed_at = "2026-01-02T03:04:05+00:00"
    order = {"symbol": "BTCUSDT", "side": "buy", "qty": "2", "price": "100"}
    _, placed = await call("place_order", account="second", created_at=placed_at, **order)
    order_id = placed["result"]["order_id"]
    assert placed["result"]["created_at"] == placed_at
    _, filled = await call("fill_order", account="second", order_id=order_id, qty="0.5")
    assert filled["result"]["price"] == "100"
    await call("set_position", account="main", symbol="ETHUSDT", side="short", qty="3")
    await call("lag", account="main", positions=2.5)
    _, fault = await call("set_fault", kind="status", http_status=524, endpoint="ping", times=1)
    assert fault == {"result": 1}
    statuses = []
    for _ in range(2):
        async with session.get("/fapi/v1/ping") as response:
            statuses.append(response.status)
    assert statuses == [524, 200]
    async with session.get("/_sim/state") as response:
        state = await response.json()
    assert state["main"]["positions"][0]["qty"] == "-3"
    assert state["second"]["orders"][0]["executed_qty"] == "0.5"
    async with session.get("/_sim/requests") as response:
        assert {"endpoint": "ping", "account": None, "status": 524, "count": 1} in (
            await response.json()
        )
    _, clock = await call("clock", shift_seconds=86400)
    assert clock["result"]["now"] > clock["result"]["told"]
    status, refused = await call("cancel_order", order_id=1)
    assert (status, refused) == (400, {"error": "Refused: -2011: Unknown order sent."})
    cancel = ["cancel_order", {"account": "second", "order_id": order_id}]
    _, many = await call("batch", calls=[cancel, ["settle", {}]])
    assert many["result"][0]["status"] == "CANCELED"
    status, _ = await call("explode")
    assert status == 400


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - the server's log has no event to wait for
            await asyncio.sleep(0.005)
