"""Kraken Futures: nested status answers, statuses that ccxt does not know, fills backwards."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from reconciler.domain.snapshot import AnswerKind
from tests.integration.venue_adapter.canned import Canned, Params
from tests.integration.venue_adapter.cases.case import Ask, Expected, VenueCase


def uuid(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012d}"


def _market(symbol: str, kind: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "type": kind,
        "tradeable": True,
        "tickSize": 0.5,
        "contractSize": 1,
        "contractValueTradePrecision": 4,
        "openingDate": "2022-01-01T00:00:00.000Z",
    }


def order(number: int, symbol: str = "PF_XBTUSD", **changes: Any) -> dict[str, Any]:
    return {
        "order_id": uuid(number),
        "cliOrdId": f"bot-{number}",
        "symbol": symbol,
        "side": "buy",
        "orderType": "lmt",
        "limitPrice": 50000,
        "unfilledSize": 0.5,
        "filledSize": 0,
        "receivedTime": "2023-11-14T22:13:20.500Z",
        "lastUpdateTime": "2023-11-14T22:13:20.500Z",
        "status": "untouched",
        "reduceOnly": False,
        **changes,
    }


def status(number: int, word: str, filled: float = 0, **changes: Any) -> dict[str, Any]:
    inner = {
        "type": "ORDER",
        "orderId": uuid(number),
        "cliOrdId": f"bot-{number}",
        "symbol": "PF_XBTUSD",
        "side": "buy",
        "quantity": 0.5,
        "filled": filled,
        "limitPrice": 50000,
        "reduceOnly": False,
        "timestamp": "2023-11-14T22:13:20.500Z",
        "lastUpdateTimestamp": "2023-11-14T22:13:20.500Z",
        **changes,
    }
    return {"order": inner, "status": word, "updateReason": None, "error": None}


STATUSES = (
    status(1, "ENTERED_BOOK"),
    status(8, "CANCELLED", filled=0.1),
    status(9, "EXPIRED"),
    status(10, "FILLED", filled=0.5),
    status(11, "FULLY_EXECUTED", filled=0.5),
    status(12, "REJECTED"),
)


def _status(params: Params) -> Any:
    asked = re.findall(r"[\w-]+", " ".join(str(value) for value in params.values()))
    rows = [
        row
        for row in STATUSES
        if row["order"]["orderId"] in asked or row["order"]["cliOrdId"] in asked
    ]
    return {"result": "success", "orders": rows}


def _fill(number: int, order_number: int, size: float, age: timedelta) -> dict[str, Any]:
    at = datetime.now(UTC) - age
    return {
        "fill_id": f"f-{number}",
        "symbol": "PI_XBTUSD" if order_number == 78 else "PF_XBTUSD",
        "side": "buy",
        "order_id": uuid(order_number),
        "cliOrdId": f"bot-{order_number}",
        "size": size,
        "price": 50000,
        "fillTime": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "fillType": "maker",
    }


FILLS = [
    *(_fill(number, 79, 1, timedelta(minutes=number)) for number in range(150)),
    _fill(1001, 77, 0.1, timedelta(hours=20)),
    _fill(1002, 77, 0.2, timedelta(hours=21)),
    _fill(1003, 78, 100, timedelta(hours=22)),
    # Older than any order that is looked up: never asked for.
    *(_fill(2000 + number, 79, 1, timedelta(days=3, minutes=number)) for number in range(500)),
]


def _fills(params: Params) -> Any:
    before = params.get("lastFillTime", "9")
    older = [fill for fill in FILLS if fill["fillTime"] < before]
    if older and older[0]["fill_id"].startswith("f-22"):
        raise AssertionError("asked for fills of the day before the day before yesterday")
    return {"result": "success", "fills": older[:100]}


SWAP = "BTC/USD:USD"
KRAKENFUTURES = VenueCase(
    venue="krakenfutures",
    markets=(
        Canned(
            path="/instruments",
            body={
                "result": "success",
                "instruments": [
                    _market("PF_XBTUSD", "flexible_futures"),
                    _market("PF_ETHUSD", "flexible_futures"),
                    _market("PI_XBTUSD", "futures_inverse"),
                ],
            },
        ),
    ),
    table=(
        Canned(
            path="/openorders",
            scope="open_orders",
            body={
                "result": "success",
                "openOrders": [
                    order(1),
                    order(2, "PF_ETHUSD", status="partiallyFilled", filledSize=0.2),
                    order(3, orderType="stop", stopPrice=40000),
                    order(4, "PI_XBTUSD", unfilledSize=100),
                ],
            },
        ),
        Canned(
            path="/openpositions",
            scope="positions",
            body={
                "result": "success",
                "openPositions": [
                    {"side": "short", "symbol": "PF_XBTUSD", "price": 60000, "size": 0.5},
                    {"side": "long", "symbol": "PI_XBTUSD", "price": 60000, "size": 300},
                    {"side": "long", "symbol": "PF_ETHUSD", "price": 3000, "size": 0},
                ],
            },
        ),
        Canned(path="/orders/status", body=_status),
        Canned(path="/fills", body=_fills),
    ),
    orders=frozenset(
        {
            (SWAP, uuid(1), "0.5", "open"),
            ("ETH/USD:USD", uuid(2), "0.7", "partially_filled"),
            (SWAP, uuid(3), "0.5", "open"),
            ("BTC/USD:BTC", uuid(4), "0.002", "open"),
        }
    ),
    positions=frozenset({(SWAP, "short", "0.5", False), ("BTC/USD:BTC", "long", "0.005", False)}),
    missing=(
        Ask(symbol=SWAP, order_id=uuid(77), client_order_id="bot-77"),
        Ask(symbol="BTC/USD:BTC", order_id=uuid(78)),
    ),
    fills={uuid(77): Decimal("0.3"), uuid(78): Decimal("0.002")},
    found=(
        Expected(ask=Ask(symbol=SWAP, order_id=uuid(1)), state="open", order_id=uuid(1), qty="0.5"),
        Expected(
            ask=Ask(symbol=SWAP, client_order_id="bot-8"),
            state="canceled",
            order_id=uuid(8),
            filled="0.1",
        ),
        Expected(ask=Ask(symbol=SWAP, order_id=uuid(9)), state="expired", order_id=uuid(9)),
        Expected(
            ask=Ask(symbol=SWAP, order_id=uuid(10)),
            state="filled",
            order_id=uuid(10),
            filled="0.5",
        ),
        Expected(
            ask=Ask(symbol=SWAP, order_id=uuid(11)),
            state="filled",
            order_id=uuid(11),
            filled="0.5",
        ),
        Expected(ask=Ask(symbol=SWAP, order_id=uuid(12)), state="rejected", order_id=uuid(12)),
    ),
    errors=(
        (200, {"result": "error", "error": "authenticationError"}, AnswerKind.AUTH),
        (200, {"result": "error", "error": "nonceBelowThreshold"}, AnswerKind.CLOCK),
        (200, {"result": "error", "error": "apiLimitExceeded"}, AnswerKind.THROTTLED),
        (200, {"result": "error", "error": "Server Error"}, AnswerKind.NO_ANSWER),
        (200, {"result": "success"}, AnswerKind.NO_ANSWER),
    ),
    scopes=frozenset({"open_orders", "positions"}),
)
