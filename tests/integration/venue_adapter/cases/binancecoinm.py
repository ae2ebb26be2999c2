"""Binance COIN-M: contracts of 100 USD, hedge legs, conditional orders apart."""

import time
from decimal import Decimal
from typing import Any

from reconciler.domain.snapshot import AnswerKind
from tests.integration.venue_adapter.canned import Canned, Params
from tests.integration.venue_adapter.cases.case import Ask, Expected, VenueCase, by

NOT_FOUND = {"code": -2013, "msg": "Order does not exist."}
COIN = "BTC/USD:BTC"
AT = int(time.time() * 1000)
"""ccxt leaves out fills that are older than what it was asked for."""


def order(order_id: int, **changes: Any) -> dict[str, Any]:
    return {
        "orderId": order_id,
        "symbol": "BTCUSD_PERP",
        "pair": "BTCUSD",
        "status": "NEW",
        "clientOrderId": f"bot-{order_id}",
        "price": "50000",
        "avgPrice": "0.0",
        "origQty": "5",
        "executedQty": "0",
        "cumBase": "0",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "reduceOnly": False,
        "side": "BUY",
        "positionSide": "LONG",
        "time": AT,
        "updateTime": AT,
        **changes,
    }


def algo(algo_id: int, **changes: Any) -> dict[str, Any]:
    return {
        "algoId": algo_id,
        "clientAlgoId": f"bot-{algo_id}",
        "algoType": "CONDITIONAL",
        "orderType": "STOP_MARKET",
        "symbol": "BTCUSD_PERP",
        "side": "SELL",
        "positionSide": "LONG",
        "timeInForce": "GTC",
        "quantity": "2",
        "algoStatus": "NEW",
        "triggerPrice": "40000",
        "price": "0",
        "createTime": AT,
        "updateTime": AT,
        "actualOrderId": "",
        **changes,
    }


def _position(amount: str, side: str) -> dict[str, Any]:
    return {
        "symbol": "BTCUSD_PERP",
        "positionAmt": amount,
        "entryPrice": "50000",
        "markPrice": "61000",
        "unRealizedProfit": "0",
        "positionSide": side,
        "notionalValue": "0.01",
    }


OPEN = (order(1), order(2, status="PARTIALLY_FILLED", executedQty="3", avgPrice="50000"))
ENDED = (
    order(8, status="CANCELED", executedQty="1", avgPrice="50000"),
    order(10, status="FILLED", executedQty="5", avgPrice="50000"),
)
ALGOS = (algo(301), algo(310, algoStatus="FINISHED", actualOrderId="10"))
FILLS = [
    {
        "symbol": "BTCUSD_PERP",
        "id": number,
        "orderId": 77,
        "pair": "BTCUSD",
        "side": "BUY",
        "price": "50000",
        "qty": qty,
        "baseQty": "0.002",
        "commission": "0",
        "commissionAsset": "BTC",
        "time": AT,
        "positionSide": "LONG",
        "maker": False,
        "buyer": True,
    }
    for number, qty in enumerate(("1", "2"))
]


def _one(rows: Any, ids: dict[str, str]) -> Any:
    return by(rows, lambda found: found[0] if found else NOT_FOUND, same=ids)


def _status(body: Any) -> int:
    return 400 if "code" in body else 200


def _fills(params: Params) -> Any:
    return by(FILLS, lambda rows: rows, same={"orderId": "orderId", "symbol": "symbol"})(params)


BINANCECOINM = VenueCase(
    venue="binancecoinm",
    markets=(
        Canned(
            path="/dapi/v1/exchangeInfo",
            body={
                "symbols": [
                    {
                        "symbol": "BTCUSD_PERP",
                        "pair": "BTCUSD",
                        "contractType": "PERPETUAL",
                        "deliveryDate": 4_133_404_800_000,
                        "onboardDate": 1_597_042_800_000,
                        "contractStatus": "TRADING",
                        "contractSize": 100,
                        "baseAsset": "BTC",
                        "quoteAsset": "USD",
                        "marginAsset": "BTC",
                        "pricePrecision": 1,
                        "quantityPrecision": 0,
                        "filters": [
                            {"filterType": "PRICE_FILTER", "tickSize": "0.1", "minPrice": "0.1"},
                            {"filterType": "LOT_SIZE", "stepSize": "1", "minQty": "1"},
                        ],
                    }
                ]
            },
        ),
    ),
    table=(
        Canned(path="/dapi/v1/openOrders", scope="open_orders", body=list(OPEN)),
        Canned(path="/dapi/v1/openAlgoOrders", scope="trigger_orders", body=[ALGOS[0]]),
        Canned(
            path="/dapi/v1/positionRisk",
            scope="positions",
            body=[_position("5", "LONG"), _position("-2", "SHORT"), _position("0", "BOTH")],
        ),
        Canned(
            path="/dapi/v1/order",
            body=_one(
                (*OPEN, *ENDED), {"orderId": "orderId", "origClientOrderId": "clientOrderId"}
            ),
            status=_status,
        ),
        Canned(
            path="/dapi/v1/algoOrder",
            body=_one(ALGOS, {"algoId": "algoId", "clientAlgoId": "clientAlgoId"}),
            status=_status,
        ),
        Canned(path="/dapi/v1/userTrades", body=_fills),
    ),
    orders=frozenset(
        {
            (COIN, "1", "0.01", "open"),
            (COIN, "2", "0.01", "partially_filled"),
            (COIN, "301", "", "open"),
        }
    ),
    sells=frozenset({"301"}),
    positions=frozenset({(COIN, "long", "0.01", True), (COIN, "short", "0.004", True)}),
    missing=(
        Ask(symbol=COIN, order_id="77", client_order_id="bot-77", type="stop_market"),
        Ask(symbol="BTCUSD_PERP", client_order_id="bot-99"),
    ),
    fills={"77": Decimal("0.006")},
    found=(
        Expected(ask=Ask(symbol=COIN, order_id="1"), state="open", order_id="1", qty="0.01"),
        Expected(
            ask=Ask(symbol=COIN, client_order_id="bot-8"),
            state="canceled",
            order_id="8",
            filled="0.002",
        ),
        Expected(
            ask=Ask(symbol=COIN, order_id="310", type="stop_market"),
            state="filled",
            order_id="10",
            filled="0.01",
        ),
    ),
    errors=(
        (401, {"code": -2015, "msg": "Invalid API-key, IP, or permissions."}, AnswerKind.AUTH),
        (400, {"code": -1021, "msg": "Timestamp outside of recvWindow."}, AnswerKind.CLOCK),
        (429, {"code": -1003, "msg": "Too much request weight used."}, AnswerKind.THROTTLED),
        (200, {"rows": 1}, AnswerKind.NO_ANSWER),
    ),
)
