"""MEXC."""

from decimal import Decimal
from typing import Any

from tests.integration.venue_adapter.canned import Canned
from tests.integration.venue_adapter.cases.mexc import _contract as contract
from tests.integration.venue_replay.facts import (
    CANCELED,
    LIVE,
    FillFields,
    Instrument,
    OrderFields,
    PositionFields,
    Row,
)
from tests.integration.venue_replay.seats import Asked, Seat, VenueReplay

SPOT = {"BTCUSDT": Instrument(symbol="BTC/USDT")}
SWAPS = {
    # ccxt's name for it.
    "STEPN_USDT": Instrument(symbol="GMT/USDT:USDT", size=Decimal(10)),
    "ETH_USDT": Instrument(symbol="ETH/USDT:USDT", size=Decimal("0.01")),
}
_DATA = ("data",)
_NO_SPOT_ORDER = {"code": -2013, "msg": "Order does not exist."}
_NO_ORDER = {"success": False, "code": 2040, "message": "order does not exist"}
NOWHERE = ("no such place",)


def _wrap(data: Any) -> Any:
    return {"success": True, "code": 0, "data": data}


def _one(rows: list[Any]) -> Any:
    return _wrap(rows[0]) if rows else _NO_ORDER


def _spot_one(rows: list[Any]) -> Any:
    return rows[0] if rows else _NO_SPOT_ORDER


def _rows(rows: list[Any]) -> Any:
    return rows


def _side(row: Row) -> str:
    """Return the side: 1 opens a long leg, 2 closes a short one, 3 and 4 the other way."""
    return "buy" if str(row["side"]) in {"1", "2"} else "sell"


def _orders(**changes: Any) -> OrderFields:
    fields: dict[str, Any] = {
        "order_id": "orderId",
        "client_order_id": "externalOid",
        "side": _side,
        "qty": "vol",
        "filled": "dealVol",
        "status": "state",
        "states": {"2": LIVE},
        "instruments": SWAPS,
        **changes,
    }
    return OrderFields(**fields)


SPOT_ORDERS = OrderFields(
    order_id="orderId",
    client_order_id="clientOrderId",
    qty="origQty",
    filled="executedQty",
    status="status",
    states={"NEW": LIVE, "CANCELED": CANCELED},
    instruments=SPOT,
)


def _seat(asked: Asked, path: str, *samples: str, **more: Any) -> Seat:
    return Seat(
        asked=asked, path=path, samples=samples, **{"wrap": _wrap, "rows_at": _DATA, **more}
    )


MEXC = VenueReplay(
    venue="mexc",
    source="mexc",
    least=15,
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
            body=_wrap([contract(name, str(one.size)) for name, one in SWAPS.items()]),
        ),
    ),
    empty=(
        Canned(
            path="/(order/list/open_orders|(plan|stop)order/list/(open_)?orders)", body=_wrap([])
        ),
        Canned(path="/trackorder/list/orders", body=_wrap([])),
        Canned(path="/position/open_positions", body=_wrap([])),
        Canned(path="/order/get/[^/]+", body=_NO_ORDER),
        Canned(path="/order/external/[^/]+/[^/]+", body=_NO_ORDER),
        Canned(path="/api/v3/order", body=_NO_SPOT_ORDER, status=lambda _: 400),
        Canned(path="/order/list/order_deals", body=_wrap([])),
        Canned(path="/myTrades", body=[]),
    ),
    seats=(
        _seat(
            Asked.OPEN_ORDERS,
            "/order/list/open_orders",
            "fetch_orders#3",
            "parse_order#8",
            fields=_orders(),
        ),
        _seat(
            Asked.TRIGGER_ORDERS,
            "/planorder/list/orders",
            "fetch_orders#4",
            "parse_order#9",
            fields=_orders(
                order_id="id",
                client_order_id=lambda _: None,
                filled=lambda _: 0,
                states={"1": LIVE},
            ),
        ),
        _seat(
            Asked.POSITIONS,
            "/position/open_positions",
            "fetch_positions#1",
            "parse_position#1",
            fields=PositionFields(
                qty="holdVol",
                side="positionType",
                sides={"1": "long", "2": "short"},
                instruments=SWAPS,
            ),
        ),
        _seat(
            Asked.ORDER,
            "/order/get/[^/]+",
            "fetch_order#3",
            fields=_orders(),
            wrap=_one,
        ),
        _seat(
            Asked.ORDER,
            "/order/get/[^/]+",
            "fetch_orders#3",
            fields=_orders(),
            wrap=_one,
            rows_at=NOWHERE,
            also_at=(_DATA,),
        ),
        _seat(
            Asked.ORDER,
            "/api/v3/order",
            "fetch_order#1",
            "fetch_open_orders#1",
            "fetch_orders#1",
            "parse_order#6",
            fields=SPOT_ORDERS,
            wrap=_spot_one,
            rows_at=NOWHERE,
            also_at=((),),
        ),
        _seat(
            Asked.FILLS,
            "/order/list/order_deals",
            "fetch_my_trades#2",
            "fetch_order_trades#2",
            "parse_trade#4",
            fields=FillFields(
                fill_id="id",
                order_id="orderId",
                side=_side,
                qty="vol",
                at_ms="timestamp",
                instruments=SWAPS,
            ),
        ),
        _seat(
            Asked.FILLS,
            "/myTrades",
            "fetch_my_trades#1",
            "fetch_order_trades#1",
            "parse_trade#3",
            fields=FillFields(
                fill_id="id",
                order_id="orderId",
                side=lambda row: "buy" if row["isBuyer"] else "sell",
                qty="qty",
                instruments=SPOT,
            ),
            wrap=_rows,
            rows_at=(),
        ),
    ),
    not_used={
        "an order's creation or cancellation": (
            "parse_order#1",
            "parse_order#2",
            "parse_order#3",
            "parse_order#4",
            "parse_order#5",
            "parse_order#10",
        ),
        "of margin accounts, which are not covered": (
            "fetch_open_orders#2",
            "fetch_order#2",
            "fetch_orders#2",
            "parse_order#7",
        ),
        "positions that ended": ("parse_position#2",),
        "public trades": ("parse_trade#1", "parse_trade#2"),
    },
)
