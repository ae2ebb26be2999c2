"""Alpaca."""

from typing import Any

from tests.integration.venue_adapter.canned import Canned
from tests.integration.venue_replay.facts import (
    CANCELED,
    LIVE,
    FillFields,
    Instrument,
    OrderFields,
)
from tests.integration.venue_replay.seats import Asked, Seat, VenueReplay

INSTRUMENTS = {
    "BTCUSD": Instrument(symbol="BTC/USD"),
    "LTC/USD": Instrument(symbol="LTC/USD"),
    "LTC/USDT": Instrument(symbol="LTC/USDT"),
}
ORDERS = OrderFields(
    order_id="id",
    client_order_id="client_order_id",
    qty="qty",
    filled="filled_qty",
    status="status",
    price="limit_price",
    states={"accepted": LIVE, "canceled": CANCELED},
    instruments=INSTRUMENTS,
)
NOT_FOUND = {"code": 40410000, "message": "order is not found."}


def _rows(rows: list[Any]) -> Any:
    return rows


def _one(rows: list[Any]) -> Any:
    return rows[0] if rows else NOT_FOUND


ALPACA = VenueReplay(
    venue="alpaca",
    source="alpaca",
    least=4,
    markets=(
        Canned(
            path="/v2/assets",
            body=[
                {
                    "id": f"a-{symbol}",
                    "class": "crypto",
                    "symbol": symbol,
                    "status": "active",
                    "tradable": True,
                    "min_order_size": "0.0001",
                    "min_trade_increment": "0.0001",
                    "price_increment": "1",
                }
                for symbol in ("BTC/USD", "LTC/USD", "LTC/USDT")
            ],
        ),
    ),
    empty=(
        Canned(path="/v2/(orders|positions)", body=[]),
        Canned(path="/v2/orders(/[^/]+|:by_client_order_id)", body=NOT_FOUND, status=lambda _: 404),
        Canned(path="/account/activities/FILL", body=[]),
    ),
    seats=(
        Seat(
            asked=Asked.OPEN_ORDERS,
            path="/v2/orders",
            samples=("fetch_orders#1", "parse_order#1"),
            fields=ORDERS,
            wrap=_rows,
        ),
        Seat(
            asked=Asked.ORDER,
            path="/v2/orders(/[^/]+|:by_client_order_id)",
            samples=("fetch_orders#1", "parse_order#1"),
            fields=ORDERS,
            by_client_order_id=True,
            wrap=_one,
            rows_at=("no such place",),
            also_at=((),),
        ),
        Seat(
            asked=Asked.FILLS,
            path="/account/activities/FILL",
            cursor="page_token",
            samples=("fetch_my_trades#1", "parse_trade#2"),
            fields=FillFields(
                fill_id="id",
                order_id="order_id",
                qty="qty",
                at_ms="transaction_time",
                instruments=INSTRUMENTS,
            ),
            wrap=_rows,
        ),
    ),
    not_used={"public trades": ("parse_trade#1",)},
)
