"""Bitget: the lists of three products and three kinds of plan, `null` for none, hedge legs."""

from decimal import Decimal
from typing import Any

from reconciler.domain.snapshot import AnswerKind
from tests.integration.venue_adapter.canned import Canned, Params
from tests.integration.venue_adapter.cases.case import Ask, Expected, Paged, Rows, VenueCase, by

PRODUCTS = ("USDT-FUTURES", "USDC-FUTURES", "COIN-FUTURES")
PLANS = ("normal_plan", "track_plan", "profit_loss")


def _wrap(data: Any) -> Any:
    return {"code": "00000", "msg": "success", "requestTime": 1_700_000_000_000, "data": data}


def _list(rows: list[Any]) -> Any:
    end = rows[-1]["orderId"] if rows else None
    return _wrap({"entrustedList": rows or None, "endId": end})


def _detail(rows: list[Any]) -> Any:
    if rows:
        return _wrap(rows[0])
    return {"code": "40109", "msg": "The data of the order cannot be found", "data": None}


def _spot_market(symbol: str, base: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "baseCoin": base,
        "quoteCoin": "USDT",
        "pricePrecision": "2",
        "quantityPrecision": "6",
        "quotePrecision": "6",
        "status": "online",
        "minTradeAmount": "0",
        "maxTradeAmount": "100000",
    }


def _contract(symbol: str, base: str, quote: str, margin: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "baseCoin": base,
        "quoteCoin": quote,
        "supportMarginCoins": [margin],
        "symbolType": "perpetual",
        "symbolStatus": "normal",
        "pricePlace": "1",
        "priceEndStep": "5",
        "volumePlace": "3",
        "sizeMultiplier": "0.001",
        "minTradeNum": "0.001",
        "makerFeeRate": "0.0002",
        "takerFeeRate": "0.0006",
        "maxLever": "125",
    }


def spot_order(order_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "orderId": order_id,
        "clientOid": f"bot-{order_id}",
        "price": "50000",
        "size": "0.5",
        "orderType": "limit",
        "side": "buy",
        "status": "live",
        "priceAvg": "0",
        "baseVolume": "0",
        "quoteVolume": "0",
        "feeDetail": "",
        "cTime": "1700000000000",
        "uTime": "1700000000000",
        **changes,
    }


def order(order_id: str, symbol: str = "BTCUSDT", **changes: Any) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "size": "2",
        "orderId": order_id,
        "clientOid": f"bot-{order_id}",
        "baseVolume": "0",
        "fee": "0",
        "price": "50000",
        "priceAvg": "",
        "status": "live",
        "side": "buy",
        "force": "gtc",
        "posSide": "long",
        "posMode": "hedge_mode",
        "tradeSide": "open",
        "reduceOnly": "NO",
        "orderType": "limit",
        "cTime": "1700000000000",
        "uTime": "1700000000000",
        **changes,
    }


def plan(order_id: str, **changes: Any) -> dict[str, Any]:
    row = order(order_id, planStatus="live", triggerPrice="40000", planType="normal_plan")
    return {key: value for key, value in {**row, **changes}.items() if key != "status"}


def _position(symbol: str, total: str, side: str, mode: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "marginCoin": "USDT",
        "holdSide": side,
        "total": total,
        "available": total,
        "leverage": "10",
        "openPriceAvg": "60000",
        "marginMode": "crossed",
        "posMode": mode,
        "marginSize": "100",
        "unrealizedPL": "1",
        "liquidationPrice": "1",
        "keepMarginRate": "0.004",
        "markPrice": "61000",
        "cTime": "1700000000000",
    }


SPOT = (spot_order("101"), spot_order("102", status="partially_filled", baseVolume="0.2"))
OPEN = {
    "USDT-FUTURES": (
        order("201"),
        order("202", status="partially_filled", baseVolume="0.5"),
    ),
    "USDC-FUTURES": (order("203", "BTCPERP"),),
    "COIN-FUTURES": (),
}
ENDED = (
    order("208", status="canceled", baseVolume="0.4", priceAvg="50000"),
    order("209", status="canceled"),
    order("210", status="filled", baseVolume="2", priceAvg="50000"),
)
LIVE_PLANS = (plan("301"),)
ENDED_PLANS = (plan("310", planStatus="executed", executeOrderId="210"),)
SPOT_PLANS = (
    {
        "orderId": "401",
        "clientOid": "stop-401",
        "symbol": "BTCUSDT",
        "size": "0.1",
        "executePrice": "50000",
        "triggerPrice": "51000",
        "status": "live",
        "orderType": "limit",
        "side": "buy",
        "cTime": "1700000000000",
        "uTime": "1700000000000",
    },
)
FILLS = tuple(
    {
        "tradeId": f"9{number}",
        "symbol": "BTCUSDT",
        "orderId": "277",
        "price": "50000",
        "baseVolume": qty,
        "feeDetail": [{"deduction": "no", "feeCoin": "USDT", "totalFee": "-0.02"}],
        "side": "buy",
        "quoteVolume": "1",
        "posMode": "hedge_mode",
        "cTime": "1700000000000",
    }
    for number, qty in enumerate(("0.1", "0.2"))
)
_IDS = {"orderId": "orderId", "clientOid": "clientOid"}


def _state(rows: Rows) -> list[dict[str, Any]]:
    """Order details name the status differently."""
    return [{**row, "state": row["status"]} for row in rows]


def _paged(rows: Rows) -> Canned:
    def answer(params: Params) -> Any:
        ids = [row["orderId"] for row in rows]
        start = ids.index(params["idLessThan"]) + 1 if "idLessThan" in params else 0
        return _list(list(rows[start : start + int(params["limit"])]))

    return Canned(
        path="/orders-pending",
        where={"productType": "USDT-FUTURES"},
        scope="open_orders",
        body=answer,
    )


def _plans(product: str, kind: str) -> Canned:
    rows = list(LIVE_PLANS) if (product, kind) == ("USDT-FUTURES", "normal_plan") else []
    return Canned(
        path="/orders-plan-pending",
        where={"productType": product, "planType": kind},
        scope="trigger_orders",
        body=by(rows, _list, same=_IDS),
    )


def _plans_ended(product: str, kind: str) -> Canned:
    rows = list(ENDED_PLANS) if (product, kind) == ("USDT-FUTURES", "normal_plan") else []
    return Canned(
        path="/orders-plan-history",
        where={"productType": product, "planType": kind},
        body=by(rows, _list, same=_IDS),
    )


def _fills(rows: list[Any]) -> Any:
    return _wrap({"fillList": rows or None, "endId": None})


POSITIONS = {
    "USDT-FUTURES": [
        _position("BTCUSDT", "0.5", "long", "hedge_mode"),
        _position("BTCUSDT", "0.2", "short", "hedge_mode"),
        _position("ETHUSDT", "3", "short", "one_way_mode"),
    ],
    "USDC-FUTURES": [_position("BTCPERP", "0", "long", "one_way_mode")],
    "COIN-FUTURES": [],
}
SWAP = "BTC/USDT:USDT"
BITGET = VenueCase(
    venue="bitget",
    credentials={"password": "word"},
    markets=(
        Canned(path="/public/symbols", body=_wrap([_spot_market("BTCUSDT", "BTC")])),
        Canned(path="/margin/currencies", body=_wrap([])),
        Canned(
            path="/market/contracts",
            where={"productType": "USDT-FUTURES"},
            body=_wrap(
                [
                    _contract("BTCUSDT", "BTC", "USDT", "USDT"),
                    _contract("ETHUSDT", "ETH", "USDT", "USDT"),
                ]
            ),
        ),
        Canned(
            path="/market/contracts",
            where={"productType": "USDC-FUTURES"},
            body=_wrap([_contract("BTCPERP", "BTC", "USDC", "USDC")]),
        ),
        Canned(
            path="/market/contracts",
            where={"productType": "COIN-FUTURES"},
            body=_wrap([_contract("BTCUSD", "BTC", "USD", "BTC")]),
        ),
        Canned(path="/market/contracts", body=_wrap([])),
    ),
    table=(
        Canned(
            path="/spot/account/assets",
            scope="balances",
            body=_wrap(
                [
                    {"coin": "BTC", "available": "0.5", "frozen": "0.1", "locked": "0.05"},
                    {"coin": "USDT", "available": "0", "frozen": "0", "locked": "0"},
                ]
            ),
        ),
        Canned(path="/trade/unfilled-orders", scope="open_orders", body=_wrap(list(SPOT))),
        *(
            Canned(
                path="/orders-pending",
                where={"productType": product},
                scope="open_orders",
                body=_list(list(OPEN[product])),
            )
            for product in PRODUCTS
        ),
        Canned(
            path="/current-plan-order",
            scope="trigger_orders",
            body=_wrap({"nextFlag": False, "idLessThan": "401", "orderList": list(SPOT_PLANS)}),
        ),
        *(_plans(product, kind) for product in PRODUCTS for kind in PLANS),
        *(_plans_ended(product, kind) for product in PRODUCTS for kind in PLANS),
        *(
            Canned(
                path="/all-position",
                where={"productType": product},
                scope="positions",
                body=_wrap(POSITIONS[product]),
            )
            for product in PRODUCTS
        ),
        Canned(path="/trade/orderInfo", body=by(SPOT, _wrap, same=_IDS)),
        Canned(
            path="/order/detail",
            where={"productType": "USDT-FUTURES"},
            body=by(_state((*OPEN["USDT-FUTURES"], *ENDED)), _detail, same=_IDS),
            status=lambda body: 200 if body["data"] else 400,
        ),
        Canned(path="/order/fills", body=by(FILLS, _fills, same={"orderId": "orderId"})),
        Canned(path="/trade/fills", body=_wrap([])),
    ),
    orders=frozenset(
        {
            ("BTC/USDT", "101", "0.5", "open"),
            ("BTC/USDT", "102", "0.5", "partially_filled"),
            (SWAP, "201", "2", "open"),
            (SWAP, "202", "2", "partially_filled"),
            ("BTC/USDC:USDC", "203", "2", "open"),
            (SWAP, "301", "2", "open"),
            ("BTC/USDT", "401", "0.1", "open"),
        }
    ),
    positions=frozenset(
        {
            (SWAP, "long", "0.5", True),
            (SWAP, "short", "0.2", True),
            ("ETH/USDT:USDT", "short", "3", False),
        }
    ),
    spot=("BTC/USDT",),
    balances=frozenset({("BTC", "0.65")}),
    missing=(
        Ask(symbol=SWAP, order_id="277", client_order_id="bot-277", type="stop_market"),
        Ask(symbol="BTC/USDT", order_id="177", client_order_id="bot-177"),
    ),
    fills={"277": Decimal("0.3")},
    found=(
        Expected(ask=Ask(symbol=SWAP, order_id="201"), state="open", order_id="201", qty="2"),
        Expected(
            ask=Ask(symbol="BTC/USDT", client_order_id="bot-102"),
            state="partially_filled",
            order_id="102",
            filled="0.2",
        ),
        Expected(
            ask=Ask(symbol=SWAP, client_order_id="bot-208"),
            state="canceled",
            order_id="208",
            filled="0.4",
        ),
        Expected(
            ask=Ask(symbol=SWAP, order_id="301", type="stop_market"), state="open", order_id="301"
        ),
        Expected(
            ask=Ask(symbol=SWAP, order_id="310", type="stop_market"),
            state="filled",
            order_id="210",
            filled="2",
        ),
    ),
    paged=Paged(entry=_paged, row=lambda number: order(f"{5000 + number}"), pages=8),
    errors=(
        (400, {"code": "40006", "msg": "Invalid ACCESS_KEY", "data": None}, AnswerKind.AUTH),
        (400, {"code": "40008", "msg": "Request timestamp expired"}, AnswerKind.CLOCK),
        (429, {"code": "429", "msg": "Too Many Requests"}, AnswerKind.THROTTLED),
        (400, {"code": "40085", "msg": "You are in Unified Account mode"}, AnswerKind.AUTH),
        (200, {"code": "00000", "msg": "success", "data": {}}, AnswerKind.NO_ANSWER),
    ),
    scopes=frozenset({"open_orders", "trigger_orders", "positions", "balances"}),
)
