"""OKX."""

from decimal import Decimal
from typing import Any

from tests.integration.venue_adapter.canned import Canned
from tests.integration.venue_adapter.cases.okx import _market as market
from tests.integration.venue_replay.facts import (
    CANCELED,
    FILLED,
    LIVE,
    UNKNOWN,
    FillFields,
    Instrument,
    OrderFields,
    PositionFields,
)
from tests.integration.venue_replay.seats import Asked, Seat, VenueReplay

CENT = Decimal("0.01")
INSTRUMENTS = {
    "BTC-USDT": Instrument(symbol="BTC/USDT"),
    "ETH-USDT": Instrument(symbol="ETH/USDT"),
    "BTC-USDT-SWAP": Instrument(symbol="BTC/USDT:USDT", size=CENT),
    "LINK-USDT-SWAP": Instrument(symbol="LINK/USDT:USDT", size=Decimal(1)),
    "ETH-USD-210430": Instrument(symbol="ETH/USD:ETH-210430", size=Decimal(10), inverse=True),
    "BTC-USD-200329": Instrument(symbol="BTC/USD:BTC-200329", size=Decimal(100), inverse=True),
}
STATES = {
    "live": LIVE,
    "partially_filled": LIVE,
    "filled": FILLED,
    "canceled": CANCELED,
    # Triggered: what was sent has another id, and may have been refused.
    "effective": UNKNOWN,
}
ORDERS = OrderFields(
    order_id="ordId",
    client_order_id="clOrdId",
    symbol="instId",
    qty="sz",
    filled="accFillSz",
    status="state",
    price="px",
    states=STATES,
    instruments=INSTRUMENTS,
)
ALGO_ORDERS = OrderFields(
    order_id="algoId",
    client_order_id="algoClOrdId",
    symbol="instId",
    qty="sz",
    filled="actualSz",
    status="state",
    price="ordPx",
    states=STATES,
    instruments=INSTRUMENTS,
)
_DATA = ("data",)


def _wrap(rows: list[Any]) -> Any:
    return {"code": "0", "msg": "", "data": rows}


_NONE = _wrap([])
_UNKNOWN = {"code": "51603", "msg": "Order does not exist", "data": []}


def _future(inst_id: str, size: str, ends_ms: str) -> dict[str, Any]:
    base, quote, _ = inst_id.split("-")
    family = f"{base}-{quote}"
    return {
        **market(inst_id, "FUTURES", base, size),
        "instFamily": family,
        "uly": family,
        "expTime": ends_ms,
    }


OKX = VenueReplay(
    venue="okx",
    source="okx",
    least=14,
    credentials={"password": "word"},
    markets=(
        Canned(
            path="/public/instruments",
            where={"instType": "SPOT"},
            body=_wrap([market("BTC-USDT", "SPOT"), market("ETH-USDT", "SPOT")]),
        ),
        Canned(
            path="/public/instruments",
            where={"instType": "SWAP"},
            body=_wrap(
                [
                    market("BTC-USDT-SWAP", "SWAP", "USDT", "0.01"),
                    market("LINK-USDT-SWAP", "SWAP", "USDT", "1"),
                ]
            ),
        ),
        Canned(
            path="/public/instruments",
            where={"instType": "FUTURES"},
            body=_wrap(
                [
                    _future("ETH-USD-210430", "10", "1619769600000"),
                    _future("BTC-USD-200329", "100", "1585440000000"),
                ]
            ),
        ),
    ),
    empty=(
        Canned(path="/trade/orders-(algo-)?pending", body=_NONE),
        Canned(path="/account/positions", body=_NONE),
        Canned(path="/trade/order(-algo)?", body=_UNKNOWN),
        Canned(path="/trade/fills-history", body=_NONE),
    ),
    seats=(
        Seat(
            asked=Asked.OPEN_ORDERS,
            path="/trade/orders-pending",
            samples=("fetch_open_orders#1", "parse_order#3"),
            fields=ORDERS,
            wrap=_wrap,
            rows_at=_DATA,
        ),
        Seat(
            asked=Asked.TRIGGER_ORDERS,
            path="/trade/orders-algo-pending",
            where={"ordType": "trigger"},
            samples=("fetch_open_orders#2", "parse_order#5"),
            fields=ALGO_ORDERS,
            wrap=_wrap,
            rows_at=_DATA,
        ),
        Seat(
            asked=Asked.POSITIONS,
            path="/account/positions",
            samples=("fetch_position#1", "fetch_positions#1", "parse_position#1"),
            fields=PositionFields(
                symbol="instId",
                qty="pos",
                side="posSide",
                sides={"long": "long", "short": "short"},
                entry_price="avgPx",
                instruments=INSTRUMENTS,
            ),
            wrap=_wrap,
            rows_at=_DATA,
        ),
        Seat(
            asked=Asked.ORDER,
            path="/trade/order",
            samples=(
                "fetch_order#1",
                "fetch_canceled_orders#1",
                "fetch_closed_orders#1",
                "parse_order#4",
            ),
            fields=ORDERS,
            wrap=_wrap,
            rows_at=_DATA,
        ),
        Seat(
            asked=Asked.TRIGGER_ORDER,
            path="/trade/order-algo",
            samples=("fetch_order#2", "fetch_canceled_orders#2", "fetch_closed_orders#2"),
            fields=ALGO_ORDERS,
            wrap=_wrap,
            rows_at=_DATA,
        ),
        Seat(
            asked=Asked.FILLS,
            path="/trade/fills-history",
            where={"instType": "SPOT"},
            samples=("fetch_my_trades#1", "parse_trade#3"),
            fields=FillFields(
                fill_id="tradeId",
                order_id="ordId",
                symbol="instId",
                qty="fillSz",
                price="fillPx",
                at_ms="ts",
                instruments=INSTRUMENTS,
            ),
            wrap=_wrap,
            rows_at=_DATA,
        ),
    ),
    not_used={
        "an order's creation or change, which we never ask for": ("parse_order#1", "parse_order#2"),
        "positions that ended": ("parse_position#2",),
        "public trades": ("parse_trade#1", "parse_trade#2"),
    },
)
