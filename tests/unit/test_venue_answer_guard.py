"""The trap, and the check that closes it: an outage page is not an empty list."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import aiohttp
import ccxt.async_support as ccxt
import pytest
import pytest_asyncio
from aiohttp import web

from reconciler.venue.answer_guard import (
    AnswerGuard,
    Heard,
    listening,
    why_not_an_answer,
)
from reconciler.venue.connection import AccountConnection, build_exchange
from reconciler.venue.description import AnswerShape
from reconciler.venue.descriptions import DESCRIBED, description_of, retention_of
from reconciler.venue.raw_json import rows_in

LIST = AnswerShape(path="/list", rows_at=())
NESTED = AnswerShape(path="/nested", rows_at=("result", "list"))
FULL = AnswerShape(path="/full", rows_at=("symbols",), may_be_empty=False)
OBJECT = AnswerShape(path="/object", keys=("orderId",))


@pytest.mark.parametrize(
    ("code", "body", "document", "shape", "is_answer"),
    [
        (200, "[]", [], LIST, True),
        (200, "[{}]", [{}], LIST, True),
        (201, "[]", [], LIST, True),
        (202, "[]", [], LIST, False),
        (206, "[]", [], LIST, False),
        (207, "[]", [], LIST, False),
        (200, "x", {"result": {"list": []}}, NESTED, True),
        (200, "x", {"symbols": [1]}, FULL, True),
        (200, "x", {"orderId": 0}, OBJECT, True),
        (200, "x", {"anything": 1}, None, True),
        (200, "[]", [], None, True),
        (200, "<html>", None, LIST, False),
        (200, "", None, LIST, False),
        (200, "null", None, LIST, False),
        (200, "{}", {}, LIST, False),
        (200, "{}", {}, None, False),
        (200, "x", {"code": -1}, LIST, False),
        (200, "x", {"result": {}}, NESTED, False),
        (200, "x", {"result": None}, NESTED, False),
        (200, "x", {"result": {"list": {}}}, NESTED, False),
        (200, "[]", [], NESTED, False),
        (200, "x", {"symbols": []}, FULL, False),
        (200, "[]", [], OBJECT, False),
        (200, "x", {"code": -1}, OBJECT, False),
        (200, "x", {"orderId": None}, OBJECT, False),
        (524, "[]", [], LIST, False),
        (302, "[]", [], LIST, False),
        (404, "x", {"orderId": 1}, OBJECT, False),
    ],
)
def test_what_is_an_answer(
    code: int,
    body: str,
    document: Any,
    shape: AnswerShape | None,
    is_answer: bool,
) -> None:
    assert (why_not_an_answer(code, document, body, shape) is None) is is_answer


@pytest.mark.parametrize(
    ("document", "rows"),
    [
        ([1, 2], 2),
        ({"result": {"list": [{}, {}], "cursor": ""}}, 2),
        ({"data": [], "ids": ["a"]}, 0),
        ({"a": [{}], "b": [{}]}, None),
        ({"a": 1}, None),
        (None, None),
    ],
)
def test_the_only_list_of_an_answer(document: Any, rows: int | None) -> None:
    found = rows_in(document, None)
    assert (None if found is None else len(found)) == rows


# The trap, with unmodified ccxt over HTTP.


@pytest_asyncio.fixture
async def pages() -> AsyncIterator[str]:
    """Serve an outage page with the status that the path begins with."""

    async def answer(request: web.Request) -> web.Response:
        status, _, kind = request.path.split("/")[1].partition("-")
        body = {"html": "<html><h1>down</h1></html>", "empty": "", "null": "null", "cut": '{"a":'}
        return web.Response(status=int(status), text=body[kind], content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


MARKET = {
    "id": "BTCUSDT",
    "symbol": "BTC/USDT",
    "base": "BTC",
    "quote": "USDT",
    "baseId": "BTC",
    "quoteId": "USDT",
    "spot": True,
    "type": "spot",
    "active": True,
}


def plain(venue: str, base_url: str) -> Any:
    exchange, _ = build_exchange(
        AccountConnection(
            name="trap",  # type: ignore[arg-type]
            venue=venue,
            api_key="key",
            secret="c2VjcmV0",
            password="p",
            base_url=base_url,
        )
    )
    del exchange.on_rest_response
    exchange.session = aiohttp.ClientSession()
    exchange.own_session = True
    exchange.set_markets([MARKET])
    return exchange


CASES = ["200-html", "200-empty", "200-null", "200-cut", "524-html", "523-html", "206-html"]


@pytest.mark.parametrize("venue", ["kraken", "okx", "bybit", "kucoin"])
@pytest.mark.parametrize("case", CASES)
async def test_the_trap_and_the_guard(pages: str, venue: str, case: str) -> None:
    exchange = plain(venue, f"{pages}/{case}")
    try:
        assert await exchange.fetch_open_orders() == []
        exchange.on_rest_response = AnswerGuard(
            exchange, description_of(exchange), ccxt.BadResponse
        )
        with pytest.raises(ccxt.BadResponse):
            await exchange.fetch_open_orders()
    finally:
        await exchange.close()


async def test_the_trap_of_positions_on_binance(pages: str) -> None:
    exchange = plain("binanceusdm", f"{pages}/200-html")
    try:
        assert await exchange.fetch_positions_risk() == []
        exchange.on_rest_response = AnswerGuard(
            exchange, description_of(exchange), ccxt.BadResponse
        )
        with pytest.raises(ccxt.BadResponse):
            await exchange.fetch_positions_risk()
    finally:
        await exchange.close()


# The venue's own words come first, and headers are heard.


class Speaking:
    """The guard of an unmodified exchange, told responses without HTTP."""

    def __init__(self) -> None:
        self.exchange = ccxt.binanceusdm()
        self.guard = AnswerGuard(self.exchange, DESCRIBED["binanceusdm"], ccxt.BadResponse)

    def hear(self, code: int, body: str, headers: dict[str, str], path: str) -> Heard:
        with listening() as heard:
            self.guard(code, "", f"https://fapi.binance.com{path}", "GET", headers, body, {}, None)
        return heard


@pytest.mark.parametrize(
    ("code", "body", "error"),
    [
        (400, '{"code":-2013,"msg":"Order does not exist."}', ccxt.OrderNotFound),
        (200, '{"code":-2013,"msg":"Order does not exist."}', ccxt.OrderNotFound),
        (401, '{"code":-2015,"msg":"Invalid API-key"}', ccxt.AuthenticationError),
        (400, '{"code":-1021,"msg":"Timestamp"}', ccxt.InvalidNonce),
        (429, "", ccxt.DDoSProtection),
        (502, "<html>", ccxt.ExchangeNotAvailable),
        (524, "<html>", ccxt.BadResponse),
        (524, '{"orderId":1,"symbol":"A","status":"NEW"}', ccxt.BadResponse),
        (200, '{"orderId":1}', ccxt.BadResponse),
    ],
)
def test_the_venues_own_words_come_first(code: int, body: str, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        Speaking().hear(code, body, {}, "/fapi/v1/order")
    assert type(raised.value) is error


def test_headers_are_heard() -> None:
    at = datetime.now(UTC) + timedelta(seconds=30)
    heard = Speaking().hear(
        200,
        '[{"a":1},{"a":2}]',
        {
            "date": format_datetime(at, usegmt=True),
            "X-Mbx-Used-Weight-1m": "77",
            "Retry-After": "12",
        },
        "/fapi/v1/openOrders",
    )
    assert heard.rows == 2
    assert heard.used_weight == 77
    assert heard.retry_after == timedelta(seconds=12)
    assert heard.venue_clock_skew is not None
    assert abs(heard.venue_clock_skew - timedelta(seconds=30)) < timedelta(seconds=1)


@pytest.mark.parametrize("value", ["soon", "-5", "", "Mon, 99 Foo 2026"])
def test_headers_of_nonsense_are_ignored(value: str) -> None:
    headers = {"Date": value, "Retry-After": value, "X-MBX-USED-WEIGHT-1M": value}
    heard = Speaking().hear(200, "[]", headers, "/fapi/v1/openOrders")
    assert (heard.venue_clock_skew, heard.retry_after, heard.used_weight) == (None, None, None)


def test_a_fraction_of_a_retry_after_counts() -> None:
    heard = Speaking().hear(200, "[]", {"Retry-After": "2.5"}, "/fapi/v1/openOrders")
    assert heard.retry_after == timedelta(seconds=2.5)


def test_an_endless_retry_after_is_not_believed() -> None:
    heard = Speaking().hear(200, "[]", {"Retry-After": "9" * 30}, "/fapi/v1/openOrders")
    assert heard.retry_after == timedelta(days=1)


# Descriptions.


@pytest.mark.parametrize("venue", ccxt.exchanges)
def test_every_venue_has_a_description_that_claims_no_more_than_is_proven(venue: str) -> None:
    description = description_of(getattr(ccxt, venue)())
    assert description.venue == venue
    claimed = {call.scope for call in description.listings} - set(description.gaps)
    if venue not in DESCRIBED:
        kinds = [k for k in ("spot", "swap", "future", "option") if getattr(ccxt, venue)().has[k]]
        assert not claimed or len(kinds) == 1, claimed


def test_retention_is_known_or_none() -> None:
    assert retention_of("binanceusdm") == timedelta(days=3)
    assert retention_of("okx") == timedelta(hours=2)
    assert retention_of("alpaca") is None
