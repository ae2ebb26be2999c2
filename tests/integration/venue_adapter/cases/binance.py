"""Binance spot: stops and waiting legs are inline, archived orders, no positions."""

from decimal import Decimal
from typing import Any

from reconciler.domain.snapshot import AnswerKind
from tests.integration.venue_adapter.canned import Canned, Params
from tests.integration.venue_adapter.cases.case import Ask, Expected, VenueCase, by

NOT_FOUND = {"code": -2013, "msg": "Order does not exist."}
ARCHIVED = {
    "code": -2026,
    "msg": "Order was canceled or expired with no executed qty over 90 days ago "
    "and has been archived.",
}


def _market(symbol: str, base: str, quote: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "status": "TRADING",
        "baseAsset": base,
        "quoteAsset": quote,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": True,
        "permissions": ["SPOT"],
        "permissionSets": [["SPOT"]],
        "orderTypes": ["LIMIT", "MARKET"],
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": "0.01", "minPrice": "0.01"},
            {"filterType": "LOT_SIZE", "stepSize": "0.00001", "minQty": "0.00001"},
        ],
    }


def order(order_id: int, symbol: str = "BTCUSDT", **changes: Any) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "orderId": order_id,
        "orderListId": -1,
        "clientOrderId": f"bot-{order_id}",
        "price": "50000.00",
        "origQty": "0.50000000",
        "executedQty": "0.00000000",
        "cummulativeQuoteQty": "0.00",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": "BUY",
        "stopPrice": "0.0",
        "time": 1_700_000_000_000,
        "updateTime": 1_700_000_000_000,
        "isWorking": True,
        **changes,
    }


OPEN = (
    order(1),
    order(2, "ETHUSDT", status="PARTIALLY_FILLED", executedQty="0.20000000"),
    order(3, type="STOP_LOSS_LIMIT", stopPrice="40000", side="SELL"),
    order(4, status="PENDING_NEW", side="SELL", orderListId=7),
)
ENDED = (
    order(8, status="CANCELED", executedQty="0.1", cummulativeQuoteQty="5000"),
    order(9, status="EXPIRED"),
    order(10, status="FILLED", executedQty="0.5", cummulativeQuoteQty="25000"),
)
FILLS = [
    {
        "symbol": "BTCUSDT",
        "id": number,
        "orderId": 77,
        "price": "50000",
        "qty": qty,
        "quoteQty": "1",
        "commission": "0",
        "commissionAsset": "BNB",
        "time": 1_700_000_000_000,
        "isBuyer": True,
        "isMaker": False,
    }
    for number, qty in enumerate(("0.1", "0.2"))
]


def _known(params: Params) -> Any:
    if params.get("orderId") == "88":
        return ARCHIVED
    return by(
        (*OPEN, *ENDED),
        lambda rows: rows[0] if rows else NOT_FOUND,
        same={"orderId": "orderId", "origClientOrderId": "clientOrderId", "symbol": "symbol"},
    )(params)


BINANCE = VenueCase(
    venue="binance",
    markets=(
        Canned(
            path="/exchangeInfo",
            body={
                "symbols": [_market("BTCUSDT", "BTC", "USDT"), _market("ETHUSDT", "ETH", "USDT")]
            },
        ),
    ),
    table=(
        Canned(
            path="/api/v3/account",
            scope="balances",
            where={"omitZeroBalances": "true"},
            body={
                "canTrade": True,
                "balances": [
                    {"asset": "BTC", "free": "0.10000000", "locked": "0.50000000"},
                    {"asset": "USDT", "free": "1000.00", "locked": "0.00"},
                    {"asset": "ETH", "free": "0.00", "locked": "0.00"},
                ],
            },
        ),
        Canned(path="/openOrders", scope="open_orders", body=list(OPEN)),
        Canned(path="/order", body=_known, status=lambda body: 400 if "code" in body else 200),
        Canned(
            path="/myTrades",
            body=by(FILLS, lambda rows: rows, same={"orderId": "orderId", "symbol": "symbol"}),
        ),
    ),
    orders=frozenset(
        {
            ("BTC/USDT", "1", "0.5", "open"),
            ("ETH/USDT", "2", "0.5", "partially_filled"),
            ("BTC/USDT", "3", "0.5", "open"),
            ("BTC/USDT", "4", "0.5", "open"),
        }
    ),
    sells=frozenset({"3", "4"}),
    positions=frozenset(),
    spot=("BTC/USDT",),
    balances=frozenset({("BTC", "0.6"), ("USDT", "1000")}),
    missing=(
        Ask(symbol="BTCUSDT", order_id="77", client_order_id="bot-77", type="stop_loss_limit"),
        Ask(symbol="BTC/USDT", order_id="88"),
        Ask(symbol="BTC/USDT", client_order_id="bot-99"),
    ),
    fills={"77": Decimal("0.3")},
    found=(
        Expected(ask=Ask(symbol="BTC/USDT", order_id="1"), state="open", order_id="1", qty="0.5"),
        Expected(
            ask=Ask(symbol="BTC/USDT", client_order_id="bot-8"),
            state="canceled",
            order_id="8",
            filled="0.1",
        ),
        Expected(ask=Ask(symbol="BTC/USDT", order_id="9"), state="expired", order_id="9"),
        Expected(
            ask=Ask(symbol="BTC/USDT", order_id="10"), state="filled", order_id="10", filled="0.5"
        ),
    ),
    errors=(
        (401, {"code": -2015, "msg": "Invalid API-key, IP, or permissions."}, AnswerKind.AUTH),
        (400, {"code": -1021, "msg": "Timestamp outside of recvWindow."}, AnswerKind.CLOCK),
        (429, {"code": -1003, "msg": "Too much request weight used."}, AnswerKind.THROTTLED),
        (503, {"code": -1007, "msg": "Timeout waiting for response."}, AnswerKind.NO_ANSWER),
        (200, {"rows": 1}, AnswerKind.NO_ANSWER),
    ),
    scopes=frozenset({"open_orders", "balances"}),
)
