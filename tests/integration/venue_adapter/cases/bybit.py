"""Bybit: one-way and hedge legs, spot and inverse, a triggered stop, a cancelled part."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from reconciler.domain.snapshot import AnswerKind
from tests.integration.venue_adapter.canned import Canned, Params
from tests.integration.venue_adapter.cases.case import Ask, Expected, Paged, Rows, VenueCase, by


def _wrap(rows: list[Any], category: str = "linear") -> Any:
    result = {"category": category, "list": rows, "nextPageCursor": ""}
    return {"retCode": 0, "retMsg": "OK", "result": result, "time": 1_700_000_000_000}


def _market(symbol: str, base: str, quote: str, settle: str, kind: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "contractType": kind,
        "status": "Trading",
        "baseCoin": base,
        "quoteCoin": quote,
        "settleCoin": settle,
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "priceScale": "2",
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100"},
        "priceFilter": {"minPrice": "0.1", "maxPrice": "999999", "tickSize": "0.1"},
        "lotSizeFilter": {
            "maxOrderQty": "100",
            "minOrderQty": "0.001",
            "qtyStep": "0.001",
            "basePrecision": "0.000001",
            "quotePrecision": "0.01",
            "minOrderAmt": "1",
            "maxOrderAmt": "4000000",
        },
    }


def order(order_id: str, symbol: str = "BTCUSDT", **changes: Any) -> dict[str, Any]:
    return {
        "orderId": order_id,
        "orderLinkId": "",
        "symbol": symbol,
        "price": "50000",
        "qty": "1",
        "side": "Buy",
        "orderStatus": "New",
        "avgPrice": "",
        "leavesQty": "1",
        "cumExecQty": "0",
        "cumExecValue": "0",
        "timeInForce": "GTC",
        "orderType": "Limit",
        "tpslMode": "",
        "reduceOnly": False,
        "createdTime": "1700000000000",
        "updatedTime": "1700000000000",
        **changes,
    }


def _position(symbol: str, size: str, side: str, leg: int) -> dict[str, Any]:
    return {
        "positionIdx": leg,
        "symbol": symbol,
        "side": side,
        "size": size,
        "avgPrice": "60000",
        "positionValue": "100",
        "leverage": "10",
        "markPrice": "61000",
        "unrealisedPnl": "0",
        "updatedTime": "1700000000000",
    }


SPOT = (order("1000000001"),)
USDT = (
    order("u-1", orderLinkId="bot-1"),
    order("u-2", "ETHUSDT", orderStatus="PartiallyFilled", cumExecQty="0.25", leavesQty="0.75"),
    order("u-3", orderStatus="Untriggered", tpslMode="Full", triggerPrice="40000"),
)
USDC = (order("c-1", "BTCPERP"),)
INVERSE = (order("i-1", "BTCUSD", qty="100"),)
ENDED = (
    order(
        "u-8",
        orderLinkId="bot-8",
        orderStatus="PartiallyFilledCanceled",
        cumExecQty="0.4",
        leavesQty="0",
        avgPrice="50000",
    ),
    order("u-9", orderStatus="Cancelled", leavesQty="0"),
)
FILLS = tuple(
    {
        "symbol": "BTCUSDT",
        "orderId": "u-77",
        "orderLinkId": "",
        "execId": f"x-{number}",
        "side": "Buy",
        "execQty": qty,
        "execPrice": "50000",
        "execType": "Trade",
        "execTime": "1700000000000",
        "isMaker": False,
    }
    for number, qty in enumerate(("0.1", "0.2"))
)


def _book(rows: Rows, **where: str) -> Canned:
    """Open orders of one category; what is asked by id comes from `_known`."""
    return Canned(
        path="/order/realtime",
        where=where,
        scope="open_orders",
        body=lambda _: _wrap(list(rows)),
    )


def _paged(rows: Rows) -> Canned:
    def answer(params: Params) -> Mapping[str, Any]:
        start = int(params.get("cursor") or 0)
        end = start + min(20, int(params["limit"]))
        said: dict[str, Any] = _wrap(list(rows[start:end]))
        said["result"]["nextPageCursor"] = str(end) if end < len(rows) else ""
        return said

    where = {"category": "linear", "settleCoin": "USDT"}
    return Canned(path="/order/realtime", where=where, scope="open_orders", body=answer)


_IDS = {"orderId": "orderId", "orderLinkId": "orderLinkId", "symbol": "symbol"}
BYBIT = VenueCase(
    venue="bybit",
    markets=(
        Canned(
            path="/instruments-info",
            where={"category": "spot"},
            body=_wrap([_market("BTCUSDT", "BTC", "USDT", "", "")]),
        ),
        Canned(
            path="/instruments-info",
            where={"category": "linear", "status": "PreLaunch"},
            body=_wrap([]),
        ),
        Canned(
            path="/instruments-info",
            where={"category": "linear"},
            body=_wrap(
                [
                    _market("BTCUSDT", "BTC", "USDT", "USDT", "LinearPerpetual"),
                    _market("ETHUSDT", "ETH", "USDT", "USDT", "LinearPerpetual"),
                    _market("BTCPERP", "BTC", "USDC", "USDC", "LinearPerpetual"),
                ]
            ),
        ),
        Canned(
            path="/instruments-info",
            where={"category": "inverse"},
            body=_wrap([_market("BTCUSD", "BTC", "USD", "BTC", "InversePerpetual")], "inverse"),
        ),
    ),
    table=(
        Canned(
            path="/account/wallet-balance",
            scope="balances",
            where={"accountType": "UNIFIED"},
            body={
                "retCode": 0,
                "retMsg": "OK",
                "result": {
                    "list": [
                        {
                            "accountType": "UNIFIED",
                            "coin": [
                                {"coin": "BTC", "walletBalance": "0.6", "locked": "0.1"},
                                {"coin": "USDT", "walletBalance": "-5", "locked": "0"},
                                {"coin": "ETH", "walletBalance": "0", "locked": "0"},
                            ],
                        }
                    ]
                },
            },
        ),
        _book(USDT, category="linear", settleCoin="USDT"),
        _book(USDC, category="linear", settleCoin="USDC"),
        Canned(
            path="/order/realtime",
            where={"symbol": "BTCUSDT", "category": "linear"},
            body=by(USDT, _wrap, same=_IDS),
        ),
        Canned(
            path="/order/realtime",
            where={"symbol": "BTCUSDT", "category": "spot"},
            body=by(SPOT, _wrap, same=_IDS),
        ),
        _book(SPOT, category="spot"),
        _book(INVERSE, category="inverse"),
        Canned(path="/order/history", body=by(ENDED, _wrap, same=_IDS)),
        Canned(path="/execution/list", body=by(FILLS, _wrap, same={"orderId": "orderId"})),
        Canned(
            path="/position/list",
            where={"category": "linear", "settleCoin": "USDT"},
            scope="positions",
            body=_wrap(
                [
                    _position("BTCUSDT", "0.5", "Buy", 1),
                    _position("BTCUSDT", "0.3", "Sell", 2),
                    _position("ETHUSDT", "2", "Sell", 0),
                ]
            ),
        ),
        Canned(
            path="/position/list",
            where={"settleCoin": "USDC"},
            scope="positions",
            body=_wrap([_position("BTCPERP", "0", "", 0)]),
        ),
        Canned(
            path="/position/list",
            where={"category": "inverse"},
            scope="positions",
            body=_wrap([_position("BTCUSD", "300", "Buy", 0)]),
        ),
    ),
    orders=frozenset(
        {
            ("BTC/USDT", "1000000001", "1", "open"),
            ("BTC/USDT:USDT", "u-1", "1", "open"),
            ("ETH/USDT:USDT", "u-2", "1", "partially_filled"),
            ("BTC/USDT:USDT", "u-3", "1", "open"),
            ("BTC/USDC:USDC", "c-1", "1", "open"),
            ("BTC/USD:BTC", "i-1", "0.002", "open"),
        }
    ),
    positions=frozenset(
        {
            ("BTC/USDT:USDT", "long", "0.5", True),
            ("BTC/USDT:USDT", "short", "0.3", True),
            ("ETH/USDT:USDT", "short", "2", False),
            ("BTC/USD:BTC", "long", "0.005", False),
        }
    ),
    spot=("BTC/USDT",),
    balances=frozenset({("BTC", "0.6"), ("USDT", "-5")}),
    missing=(
        Ask(symbol="BTC/USDT:USDT", order_id="u-77", client_order_id="bot-77"),
        Ask(symbol="BTC/USDT", order_id="1000000077"),
    ),
    fills={"u-77": Decimal("0.3")},
    found=(
        Expected(
            ask=Ask(symbol="BTC/USDT:USDT", order_id="u-1"), state="open", order_id="u-1", qty="1"
        ),
        Expected(
            ask=Ask(symbol="BTC/USDT:USDT", client_order_id="bot-8"),
            state="canceled",
            order_id="u-8",
            filled="0.4",
        ),
        Expected(ask=Ask(symbol="BTC/USDT:USDT", order_id="u-9"), state="canceled", order_id="u-9"),
        Expected(
            ask=Ask(symbol="BTC/USDT", order_id="1000000001"), state="open", order_id="1000000001"
        ),
    ),
    paged=Paged(entry=_paged, row=lambda number: order(f"p-{number}"), pages=35),
    errors=(
        (200, {"retCode": 10003, "retMsg": "API key is invalid."}, AnswerKind.AUTH),
        (200, {"retCode": 10002, "retMsg": "invalid request, timestamp"}, AnswerKind.CLOCK),
        (200, {"retCode": 10006, "retMsg": "Too many visits!"}, AnswerKind.THROTTLED),
        (200, {"retCode": 10016, "retMsg": "Server error."}, AnswerKind.NO_ANSWER),
        (200, {"retCode": 0, "retMsg": "OK", "result": {}}, AnswerKind.NO_ANSWER),
    ),
    scopes=frozenset({"open_orders", "positions", "balances"}),
)
