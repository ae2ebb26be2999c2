"""KuCoin futures: contracts of 0.001 BTC, stops in a list of their own, no status word."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from reconciler.domain.snapshot import AnswerKind
from tests.integration.venue_adapter.canned import Canned, Params
from tests.integration.venue_adapter.cases.case import Ask, Expected, Paged, Rows, VenueCase

AT = 1_700_000_000_000
SWAP = "BTC/USDT:USDT"
CREDENTIALS = {"password": "passphrase"}
NOT_FOUND = {"code": "100001", "msg": "error.getOrder.orderNotExist"}


def wrap(data: Any) -> dict[str, Any]:
    return {"code": "200000", "data": data}


def page(rows: Rows, params: Params, *, most: int = 1000) -> dict[str, Any]:
    """Return one page of a list that counts its rows; the venue gives `most` at once."""
    size = min(int(params.get("pageSize", 50)), most)
    number = int(params.get("currentPage", 1))
    return wrap(
        {
            "currentPage": number,
            "pageSize": size,
            "totalNum": len(rows),
            "totalPage": -(-len(rows) // size),
            "items": list(rows[(number - 1) * size : number * size]),
        }
    )


def paged(path: str, rows: Rows, *, scope: str = "", most: int = 1000, **where: str) -> Canned:
    return Canned(
        path=path, scope=scope, where=where, body=lambda params: page(rows, params, most=most)
    )


def mode(word: str = "CLASSIC") -> Canned:
    return Canned(
        path="/api/ua/v1/account/mode",
        body=wrap({"selfAccountMode": word, "unifiedSubAccount": [], "classicSubAccount": []}),
    )


def known(rows: Sequence[Mapping[str, Any]], unknown: Mapping[str, Any], *, by: str = "id") -> Any:
    found = {row[by]: row for row in rows}

    def answer(params: Params) -> Any:
        asked = params.get("clientOid") or params["path"].rsplit("/", 1)[1]
        return wrap(found[asked]) if asked in found else unknown

    return answer


def refused(body: Any) -> int:
    return 200 if body.get("code") == "200000" else 400


def order(order_id: str, symbol: str = "XBTUSDTM", **changes: Any) -> dict[str, Any]:
    return {
        "id": order_id,
        "symbol": symbol,
        "type": "limit",
        "side": "buy",
        "price": "50000",
        "size": 500,
        "value": "25000",
        "dealValue": "0",
        "dealSize": 0,
        "stop": "",
        "stopPriceType": "",
        "stopTriggered": False,
        "stopPrice": None,
        "timeInForce": "GTC",
        "leverage": "3",
        "closeOrder": False,
        "clientOid": f"bot-{order_id}",
        "isActive": True,
        "cancelExist": False,
        "createdAt": AT,
        "updatedAt": AT,
        "endAt": None,
        "settleCurrency": "USDT",
        "status": "open",
        "filledValue": "0",
        "filledSize": 0,
        "reduceOnly": False,
        **changes,
    }


def ended(order_id: str, **changes: Any) -> dict[str, Any]:
    return order(order_id, isActive=False, status="done", endAt=AT, **changes)


def _position(symbol: str, qty: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"p{symbol}{qty}",
        "symbol": symbol,
        "crossMode": True,
        "currentQty": qty,
        "isOpen": bool(qty),
        "markPrice": 61000.0,
        "avgEntryPrice": 60000.0,
        "settleCurrency": "USDT",
        "isInverse": False,
        **changes,
    }


def _contract(symbol: str, base: str, multiplier: float, **changes: Any) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "baseCurrency": base,
        "quoteCurrency": "USDT",
        "settleCurrency": "USDT",
        "maxOrderQty": 1_000_000,
        "lotSize": 1,
        "tickSize": 0.1,
        "multiplier": multiplier,
        "isInverse": False,
        "makerFeeRate": 0.0002,
        "takerFeeRate": 0.0006,
        "status": "Open",
        "nextFundingRateTime": 1000,
        "maxLeverage": 100,
        **changes,
    }


OPEN = (
    order("2201"),
    order("2202", side="sell", size=400, filledSize=300, filledValue="15000"),
    # Part of it was cancelled: it is no less active.
    order("2203", cancelExist=True),
)
ENDED = (
    ended("2208", cancelExist=True, filledSize=400, filledValue="20000"),
    ended("2210", filledSize=500, filledValue="25000"),
)
STOPS = (
    order("2301", side="sell", size=200, stop="down", stopPriceType="TP", stopPrice="40000"),
    order("2302", side="sell", size=None, stop="down", stopPrice="30000", closeOrder=True),
)
FILLS = [
    {
        "symbol": "XBTUSDTM",
        "tradeId": f"t{number}",
        "orderId": "2277",
        "side": "buy",
        "liquidity": "taker",
        "price": "50000",
        "size": size,
        "value": "1",
        "feeCurrency": "USDT",
        "fee": "0",
        "orderType": "limit",
        "tradeType": "trade",
        "createdAt": AT,
        "settleCurrency": "USDT",
        "tradeTime": AT * 1_000_000,
    }
    for number, size in enumerate((100, 200))
]
MARKETS = (
    Canned(
        path="/contracts/active",
        body=wrap(
            [
                _contract("XBTUSDTM", "XBT", 0.001),
                _contract("ETHUSDTM", "ETH", 0.01),
                _contract(
                    "XBTUSDM", "XBT", -1, quoteCurrency="USD", settleCurrency="XBT", isInverse=True
                ),
            ]
        ),
    ),
    Canned(path="/margin/symbols", body=wrap({"timestamp": AT, "items": []})),
    Canned(path="/isolated/symbols", body=wrap([])),
)
TABLE = (
    paged("/api/v1/orders", OPEN, scope="open_orders", status="active"),
    paged("/stopOrders", STOPS, scope="trigger_orders"),
    Canned(
        path="/positions",
        scope="positions",
        body=wrap(
            [
                _position("XBTUSDTM", 500, positionSide="LONG"),
                _position("XBTUSDTM", -200, positionSide="SHORT"),
                # From before hedge mode came.
                _position("ETHUSDTM", -300),
                _position("XBTUSDM", 0, positionSide="BOTH"),
            ]
        ),
    ),
    Canned(
        path="/orders/byClientOid",
        body=known((*OPEN, *ENDED, *STOPS), NOT_FOUND, by="clientOid"),
        status=refused,
    ),
    Canned(path="/api/v1/orders/2[^/]+", body=known((*OPEN, *ENDED, *STOPS), NOT_FOUND)),
    Canned(
        path="/api/v1/fills",
        where={"symbol": "XBTUSDTM"},
        body=lambda params: page(
            [fill for fill in FILLS if params.get("orderId", "2277") == fill["orderId"]], params
        ),
    ),
)
ORDERS = frozenset(
    {
        (SWAP, "2201", "0.5", "open"),
        (SWAP, "2202", "0.4", "partially_filled"),
        (SWAP, "2203", "0.5", "open"),
        (SWAP, "2301", "0.2", "open"),
        (SWAP, "2302", "", "open"),
    }
)
SELLS = frozenset({"2202", "2301", "2302"})
POSITIONS = frozenset(
    {
        (SWAP, "long", "0.5", True),
        (SWAP, "short", "0.2", True),
        ("ETH/USDT:USDT", "short", "3", False),
    }
)
MISSING = (Ask(symbol=SWAP, order_id="2277", client_order_id="bot-2277", type="stop"),)
MISSING_FILLS = {"2277": Decimal("0.3")}
FOUND = (
    Expected(ask=Ask(symbol=SWAP, order_id="2201"), state="open", order_id="2201", qty="0.5"),
    Expected(
        ask=Ask(symbol=SWAP, client_order_id="bot-2208"),
        state="canceled",
        order_id="2208",
        filled="0.4",
    ),
    Expected(ask=Ask(symbol=SWAP, order_id="2210"), state="filled", order_id="2210", filled="0.5"),
    Expected(ask=Ask(symbol=SWAP, order_id="2301", type="stop"), state="open", order_id="2301"),
)
ERRORS = (
    (401, {"code": "400003", "msg": "KC-API-KEY not exists"}, AnswerKind.AUTH),
    (400, {"code": "400002", "msg": "KC-API-TIMESTAMP Invalid"}, AnswerKind.CLOCK),
    (429, {"code": "429000", "msg": "Too Many Requests"}, AnswerKind.THROTTLED),
    (500, {"code": "500000", "msg": "Internal Server Error"}, AnswerKind.NO_ANSWER),
    (200, {"code": "200000"}, AnswerKind.NO_ANSWER),
    (200, {"code": "200000", "data": {"items": None}}, AnswerKind.NO_ANSWER),
)

KUCOINFUTURES = VenueCase(
    venue="kucoinfutures",
    credentials=CREDENTIALS,
    markets=MARKETS,
    table=(mode(), *TABLE),
    orders=ORDERS,
    sells=SELLS,
    positions=POSITIONS,
    missing=MISSING,
    fills=MISSING_FILLS,
    found=FOUND,
    paged=Paged(
        entry=lambda rows: paged(
            "/api/v1/orders", rows, scope="open_orders", most=20, status="active"
        ),
        row=lambda number: order(f"{25000 + number}"),
        pages=35,
    ),
    errors=ERRORS,
    calls=4,
)
