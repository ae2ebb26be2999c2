"""Bitget's classic accounts; the samples of unified ones are not covered."""

from typing import Any

from tests.integration.venue_adapter.canned import Canned
from tests.integration.venue_adapter.cases.bitget import _contract as contract
from tests.integration.venue_adapter.cases.bitget import _spot_market as spot_market
from tests.integration.venue_replay.facts import (
    CANCELED,
    LIVE,
    FillFields,
    Instrument,
    OrderFields,
    PositionFields,
)
from tests.integration.venue_replay.seats import Asked, Seat, VenueReplay, Wrap

SPOT = {"BTCUSDT": Instrument(symbol="BTC/USDT")}
LINEAR = {"BTCUSDT": Instrument(symbol="BTC/USDT:USDT")}
STATES = {"live": LIVE, "cancelled": CANCELED, "canceled": CANCELED}
_DATA = ("data",)
_ENTRUSTED = ("data", "entrustedList")
_PRODUCT = {"productType": "USDT-FUTURES"}
_PLAN = {**_PRODUCT, "planType": "normal_plan"}


def _wrap(data: Any) -> Any:
    return {"code": "00000", "msg": "success", "requestTime": 1700000000000, "data": data}


def _in(name: str) -> Wrap:
    return lambda rows: _wrap({name: rows or None})


def _detail(rows: list[Any]) -> Any:
    return _wrap(rows[0]) if rows else _UNKNOWN


_UNKNOWN = {"code": "40109", "msg": "The data of the order cannot be found", "data": None}


def _orders(instruments: dict[str, Instrument], status: str, **changes: Any) -> OrderFields:
    fields: dict[str, Any] = {
        "order_id": "orderId",
        "client_order_id": "clientOid",
        "qty": "size",
        "filled": "baseVolume",
        "status": status,
        "states": STATES,
        "instruments": instruments,
        **changes,
    }
    return OrderFields(**fields)


def _seat(asked: Asked, path: str, *samples: str, **more: Any) -> Seat:
    return Seat(asked=asked, path=path, samples=samples, **more)


SPOT_PLANS = _orders(SPOT, "status", filled=lambda _: 0, price="executePrice")
PLANS = _orders(LINEAR, "planStatus", filled=lambda _: 0)

BITGET = VenueReplay(
    venue="bitget",
    source="bitget",
    least=19,
    credentials={"password": "word"},
    markets=(
        Canned(path="/public/symbols", body=_wrap([spot_market("BTCUSDT", "BTC")])),
        Canned(path="/margin/currencies", body=_wrap([])),
        Canned(
            path="/market/contracts",
            where=_PRODUCT,
            body=_wrap([contract("BTCUSDT", "BTC", "USDT", "USDT")]),
        ),
        Canned(path="/market/contracts", body=_wrap([])),
    ),
    empty=(
        Canned(path="/trade/(unfilled-orders|orderInfo|fills)", body=_wrap([])),
        Canned(path="/current-plan-order", body=_in("orderList")([])),
        Canned(
            path="/order/orders-(pending|plan-pending|plan-history)", body=_in("entrustedList")([])
        ),
        Canned(path="/order/fills", body=_in("fillList")([])),
        Canned(path="/order/detail", body=_UNKNOWN, status=lambda _: 400),
        Canned(path="/position/all-position", body=_wrap([])),
    ),
    seats=(
        _seat(
            Asked.OPEN_ORDERS,
            "/trade/unfilled-orders",
            "fetch_open_orders#1",
            "fetch_canceled_and_closed_orders#1",
            "parse_order#5",
            fields=_orders(SPOT, "status"),
            wrap=_wrap,
            rows_at=_DATA,
            cursor="idLessThan",
        ),
        _seat(
            Asked.OPEN_ORDERS,
            "/order/orders-pending",
            "fetch_open_orders#4",
            "fetch_canceled_and_closed_orders#4",
            fields=_orders(LINEAR, "status"),
            where=_PRODUCT,
            wrap=_in("entrustedList"),
            rows_at=_ENTRUSTED,
            cursor="idLessThan",
        ),
        _seat(
            Asked.TRIGGER_ORDERS,
            "/current-plan-order",
            "fetch_open_orders#2",
            "fetch_canceled_and_closed_orders#2",
            "parse_order#6",
            fields=SPOT_PLANS,
            wrap=_in("orderList"),
            rows_at=("data", "orderList"),
            cursor="idLessThan",
        ),
        _seat(
            Asked.TRIGGER_ORDERS,
            "/order/orders-plan-pending",
            "fetch_open_orders#5",
            fields=PLANS,
            where=_PLAN,
            wrap=_in("entrustedList"),
            rows_at=_ENTRUSTED,
            cursor="idLessThan",
        ),
        _seat(
            Asked.POSITIONS,
            "/position/all-position",
            "fetch_position#2",
            "fetch_positions#1",
            "parse_position#1",
            "parse_position#3",
            fields=PositionFields(
                qty="total",
                side="holdSide",
                sides={"long": "long", "short": "short"},
                instruments=LINEAR,
            ),
            where=_PRODUCT,
            wrap=_wrap,
            rows_at=_DATA,
        ),
        _seat(
            Asked.ORDER,
            "/trade/orderInfo",
            "fetch_order#1",
            "fetch_canceled_and_closed_orders#1",
            fields=_orders(SPOT, "status"),
            by_client_order_id=True,
            wrap=_wrap,
            rows_at=_DATA,
        ),
        _seat(
            Asked.ORDER,
            "/order/detail",
            "fetch_order#2",
            fields=_orders(LINEAR, "state"),
            by_client_order_id=True,
            where=_PRODUCT,
            wrap=_detail,
            rows_at=_DATA,
        ),
        _seat(
            Asked.TRIGGER_ORDER,
            "/order/orders-plan-history",
            "fetch_canceled_and_closed_orders#5",
            fields=PLANS,
            where=_PLAN,
            wrap=_in("entrustedList"),
            rows_at=_ENTRUSTED,
        ),
        _seat(
            Asked.FILLS,
            "/trade/fills",
            "fetch_my_trades#1",
            "parse_trade#2",
            fields=FillFields(
                fill_id="tradeId",
                order_id="orderId",
                qty="size",
                price="priceAvg",
                at_ms="cTime",
                instruments=SPOT,
            ),
            wrap=_wrap,
            rows_at=_DATA,
            cursor="idLessThan",
        ),
        _seat(
            Asked.FILLS,
            "/order/fills",
            "fetch_my_trades#3",
            "parse_trade#4",
            fields=FillFields(
                fill_id="tradeId",
                order_id="orderId",
                qty="baseVolume",
                at_ms="cTime",
                instruments=LINEAR,
            ),
            wrap=_in("fillList"),
            rows_at=("data", "fillList"),
            cursor="idLessThan",
        ),
    ),
    not_used={
        "an order's creation or cancellation": (
            "parse_order#1",
            "parse_order#2",
            "parse_order#3",
            "parse_order#4",
            "parse_position#5",
        ),
        "of unified accounts, which are not covered": (
            "fetch_my_trades#4",
            "fetch_open_orders#6",
            "fetch_open_orders#7",
            "fetch_order#3",
            "fetch_position#1",
            "fetch_positions#3",
            "fetch_uta_canceled_and_closed_orders#1",
            "fetch_uta_canceled_and_closed_orders#2",
            "parse_order#9",
            "parse_order#10",
            "parse_position#2",
            "parse_position#6",
            "parse_trade#5",
            "parse_trade#6",
        ),
        "of margin accounts, which are not covered": (
            "fetch_canceled_and_closed_orders#3",
            "fetch_my_trades#2",
            "fetch_open_orders#3",
            "parse_order#7",
            "parse_trade#3",
        ),
        "prose among its fields; fetch_order#2 and fetch_open_orders#5 are the same rows": (
            "parse_order#8",
        ),
        "positions that ended": ("fetch_positions#2", "parse_position#4"),
        "public trades": ("parse_trade#1",),
    },
)
