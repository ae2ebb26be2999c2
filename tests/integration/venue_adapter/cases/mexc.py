"""MEXC: contracts of 0.0001 BTC, legs by number, errors that ccxt has no class for."""

from decimal import Decimal
from typing import Any

from reconciler.domain.snapshot import AnswerKind
from tests.integration.venue_adapter.canned import Canned, Params
from tests.integration.venue_adapter.cases.case import Ask, Expected, Paged, Rows, VenueCase

SPOT_NOT_FOUND = {"code": -2013, "msg": "Order does not exist."}
NOT_FOUND = {"success": False, "code": 2040, "message": "Order does not exist"}


def _wrap(data: Any) -> dict[str, Any]:
    return {"success": True, "code": 0, "data": data}


def _contract(symbol: str, size: str) -> dict[str, Any]:
    base, quote = symbol.split("_")
    return {
        "symbol": symbol,
        "baseCoin": base,
        "quoteCoin": quote,
        "settleCoin": quote,
        "contractSize": size,
        "minLeverage": 1,
        "maxLeverage": 200,
        "priceUnit": "0.1",
        "volUnit": 1,
        "minVol": 1,
        "maxVol": 1_000_000,
        "takerFeeRate": "0.0006",
        "makerFeeRate": "0.0002",
        "state": 0,
    }


def order(order_id: str, symbol: str = "BTC_USDT", **changes: Any) -> dict[str, Any]:
    return {
        "orderId": order_id,
        "externalOid": f"bot-{order_id}",
        "symbol": symbol,
        "price": 50000,
        "vol": 5000,
        "dealVol": 0,
        "dealAvgPrice": 0,
        "side": 1,
        "orderType": 1,
        "category": 1,
        "state": 2,
        "createTime": 1_700_000_000_000,
        "updateTime": 1_700_000_000_000,
        **changes,
    }


def spot_order(order_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "orderId": order_id,
        "clientOrderId": f"bot-{order_id}",
        "price": "50000",
        "origQty": "0.5",
        "executedQty": "0",
        "cummulativeQuoteQty": "0",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": "BUY",
        "time": 1_700_000_000_000,
        "updateTime": 1_700_000_000_000,
        **changes,
    }


OPEN = (order("201"), order("202", vol=4000, dealVol=3000, side=3))
ENDED = (
    order("208", state=4, dealVol=4000, dealAvgPrice=50000),
    order("209", state=5),
    order("210", state=3, dealVol=5000, dealAvgPrice=50000),
)
KNOWN = {row["orderId"]: row for row in (*OPEN, *ENDED)}
BY_CLIENT = {row["externalOid"]: row for row in KNOWN.values()}
SPOT = {
    row["orderId"]: row
    for row in (
        spot_order("C02__101"),
        spot_order("C02__108", status="PARTIALLY_CANCELED", executedQty="0.2"),
    )
}
DEALS = [
    {
        "id": f"d{number}",
        "symbol": "BTC_USDT",
        "side": 1,
        "vol": vol,
        "price": 50000,
        "fee": 0,
        "feeCurrency": "USDT",
        "timestamp": 1_700_000_000_000,
        "orderId": order_id,
        "positionMode": 1,
        "taker": True,
    }
    for number, (order_id, vol) in enumerate((("277", 1000), ("277", 2000), ("278", 9)))
]


def _last(rows: dict[str, dict[str, Any]]) -> Any:
    def answer(params: Params) -> Any:
        known = rows.get(params["path"].rsplit("/", 1)[1])
        return _wrap(known) if known else NOT_FOUND

    return answer


def _spot(params: Params) -> Any:
    for row in SPOT.values():
        if params.get("orderId", params.get("origClientOrderId")) in {
            row["orderId"],
            row["clientOrderId"],
        }:
            return row
    return SPOT_NOT_FOUND


def _paged(rows: Rows) -> Canned:
    def answer(params: Params) -> Any:
        size = int(params["page_size"])
        start = (int(params["page_num"]) - 1) * size
        return _wrap(list(rows[start : start + size]))

    return Canned(path="/order/list/open_orders", scope="open_orders", body=answer)


SWAP = "BTC/USDT:USDT"
MEXC = VenueCase(
    venue="mexc",
    markets=(
        Canned(
            path="/exchangeInfo",
            body={
                "symbols": [
                    {
                        "symbol": "BTCUSDT",
                        "status": "1",
                        "baseAsset": "BTC",
                        "quoteAsset": "USDT",
                        "baseAssetPrecision": 6,
                        "quotePrecision": 2,
                        "quoteAssetPrecision": 2,
                        "baseSizePrecision": "0.000001",
                        "quoteAmountPrecision": "5",
                        "maxQuoteAmount": "2000000",
                        "isSpotTradingAllowed": True,
                        "isMarginTradingAllowed": False,
                    }
                ]
            },
        ),
        Canned(
            path="/contract/detail",
            body=_wrap([_contract("BTC_USDT", "0.0001"), _contract("ETH_USDT", "0.01")]),
        ),
    ),
    table=(
        Canned(
            path="/api/v3/account",
            scope="balances",
            body={
                "canTrade": True,
                "balances": [
                    {"asset": "BTC", "free": "0.5", "locked": "0.1"},
                    {"asset": "USDT", "free": "0", "locked": "0"},
                ],
            },
        ),
        Canned(path="/order/list/open_orders", scope="open_orders", body=_wrap(list(OPEN))),
        Canned(
            path="/planorder/list/orders",
            scope="trigger_orders",
            body=_wrap(
                [
                    {
                        "id": "301",
                        "symbol": "BTC_USDT",
                        "side": 4,
                        "triggerPrice": 40000,
                        "price": 0,
                        "vol": 2000,
                        "state": 1,
                        "orderType": 5,
                        "createTime": 1_700_000_000_000,
                    }
                ]
            ),
        ),
        Canned(
            path="/position/open_positions",
            scope="positions",
            body=_wrap(
                [
                    {
                        "symbol": "BTC_USDT",
                        "positionType": 1,
                        "holdVol": 5000,
                        "holdAvgPrice": 60000,
                    },
                    {
                        "symbol": "BTC_USDT",
                        "positionType": 2,
                        "holdVol": 2000,
                        "holdAvgPrice": 61000,
                    },
                    {"symbol": "ETH_USDT", "positionType": 1, "holdVol": 0, "holdAvgPrice": 0},
                ]
            ),
        ),
        Canned(path="/order/get/[^/]+", body=_last(KNOWN)),
        Canned(path="/order/external/[^/]+/[^/]+", body=_last(BY_CLIENT)),
        Canned(
            path="/api/v3/order",
            body=_spot,
            status=lambda body: 400 if body is SPOT_NOT_FOUND else 200,
        ),
        Canned(path="/order/list/order_deals", body=_wrap(DEALS)),
        Canned(path="/myTrades", body=[]),
    ),
    orders=frozenset(
        {
            (SWAP, "201", "0.5", "open"),
            (SWAP, "202", "0.4", "partially_filled"),
            (SWAP, "301", "0.2", "open"),
        }
    ),
    sells=frozenset({"202", "301"}),
    positions=frozenset({(SWAP, "long", "0.5", True), (SWAP, "short", "0.2", True)}),
    spot=("BTC/USDT",),
    balances=frozenset({("BTC", "0.6")}),
    missing=(
        Ask(symbol=SWAP, order_id="277", client_order_id="bot-277"),
        Ask(symbol="BTC/USDT", order_id="C02__177", client_order_id="bot-177"),
    ),
    fills={"277": Decimal("0.3")},
    found=(
        Expected(ask=Ask(symbol=SWAP, order_id="201"), state="open", order_id="201", qty="0.5"),
        Expected(
            ask=Ask(symbol=SWAP, client_order_id="bot-208"),
            state="canceled",
            order_id="208",
            filled="0.4",
        ),
        Expected(ask=Ask(symbol=SWAP, order_id="209"), state="rejected", order_id="209"),
        Expected(
            ask=Ask(symbol=SWAP, order_id="210"), state="filled", order_id="210", filled="0.5"
        ),
        Expected(
            ask=Ask(symbol="BTC/USDT", client_order_id="bot-C02__108"),
            state="canceled",
            order_id="C02__108",
            filled="0.2",
        ),
    ),
    paged=Paged(entry=_paged, row=lambda number: order(f"{5000 + number}"), pages=8),
    errors=(
        (200, {"success": False, "code": 402, "message": "API Key expired"}, AnswerKind.AUTH),
        (429, {"code": 429, "msg": "Too Many Requests"}, AnswerKind.THROTTLED),
        (200, {"success": False, "code": 500, "message": "Internal error"}, AnswerKind.NO_ANSWER),
        (200, {"success": True, "code": 0}, AnswerKind.NO_ANSWER),
    ),
    partial=frozenset({"open_orders", "trigger_orders"}),
    scopes=frozenset({"open_orders", "trigger_orders", "positions", "balances"}),
)
