"""Bybit."""

from typing import Any

from tests.integration.venue_adapter.canned import Canned
from tests.integration.venue_adapter.cases.bybit import _market as market
from tests.integration.venue_replay.facts import (
    CANCELED,
    FILLED,
    FillFields,
    Instrument,
    OrderFields,
    PositionFields,
)
from tests.integration.venue_replay.seats import Asked, Seat, VenueReplay

LINEAR = {
    "BTCUSDT": Instrument(symbol="BTC/USDT:USDT"),
    "ETHUSDT": Instrument(symbol="ETH/USDT:USDT"),
    "XRPUSDT": Instrument(symbol="XRP/USDT:USDT"),
    "BTCPERP": Instrument(symbol="BTC/USDC:USDC"),
    "ETHPERP": Instrument(symbol="ETH/USDC:USDC"),
}
SPOT = {
    "ETHUSDT": Instrument(symbol="ETH/USDT"),
    "QNTUSDT": Instrument(symbol="QNT/USDT"),
}
_LIST = ("result", "list")
_USDT = {"category": "linear", "settleCoin": "USDT"}
_USDC = {"category": "linear", "settleCoin": "USDC"}


def _wrap(rows: list[Any]) -> Any:
    return {"retCode": 0, "retMsg": "OK", "result": {"list": rows, "nextPageCursor": ""}}


def _orders(instruments: dict[str, Instrument]) -> OrderFields:
    return OrderFields(
        order_id="orderId",
        client_order_id="orderLinkId",
        qty="qty",
        filled="cumExecQty",
        status="orderStatus",
        states={"Filled": FILLED, "Cancelled": CANCELED},
        instruments=instruments,
    )


def _fills(instruments: dict[str, Instrument], category: str, *samples: str) -> Seat:
    return Seat(
        asked=Asked.FILLS,
        path="/execution/list",
        where={"category": category},
        cursor="cursor",
        samples=samples,
        fields=FillFields(
            fill_id="execId",
            order_id="orderId",
            qty="execQty",
            price="execPrice",
            at_ms="execTime",
            instruments=instruments,
        ),
        wrap=_wrap,
        rows_at=_LIST,
    )


def _order(category: str, instruments: dict[str, Instrument], *samples: str) -> Seat:
    return Seat(
        asked=Asked.ORDER,
        path="/order/realtime",
        where={"category": category},
        by_client_order_id=True,
        samples=samples,
        fields=_orders(instruments),
        wrap=_wrap,
        rows_at=_LIST,
    )


def _positions(book: dict[str, str], *samples: str) -> Seat:
    return Seat(
        asked=Asked.POSITIONS,
        path="/position/list",
        where=book,
        cursor="cursor",
        samples=samples,
        fields=PositionFields(
            qty="size",
            side="side",
            sides={"Buy": "long", "Sell": "short"},
            entry_price=lambda row: row.get("avgPrice") or row.get("entryPrice"),
            instruments=LINEAR,
        ),
        wrap=_wrap,
        rows_at=_LIST,
    )


def _markets(category: str, *rows: dict[str, Any]) -> Canned:
    return Canned(path="/instruments-info", where={"category": category}, body=_wrap(list(rows)))


BYBIT = VenueReplay(
    venue="bybit",
    source="bybit",
    least=12,
    markets=(
        Canned(path="/instruments-info", where={"status": "PreLaunch"}, body=_wrap([])),
        _markets("spot", *(market(name, name[:3], "USDT", "", "") for name in SPOT)),
        _markets(
            "linear",
            *(
                market(name, name[:3], quote, quote, "LinearPerpetual")
                for name, quote in (
                    (name, "USDT" if name.endswith("USDT") else "USDC") for name in LINEAR
                )
            ),
        ),
        _markets("inverse", market("BTCUSD", "BTC", "USD", "BTC", "InversePerpetual")),
    ),
    empty=(
        Canned(path="/order/(realtime|history)", body=_wrap([])),
        Canned(path="/position/list", body=_wrap([])),
        Canned(path="/execution/list", body=_wrap([])),
    ),
    seats=(
        Seat(
            asked=Asked.OPEN_ORDERS,
            path="/order/realtime",
            where=_USDT,
            cursor="cursor",
            # Those that ended just now are listed too.
            samples=("fetch_open_orders#1", "parse_order#2"),
            fields=_orders(LINEAR),
            wrap=_wrap,
            rows_at=_LIST,
        ),
        _order("spot", SPOT, "fetch_order#1"),
        _order("linear", LINEAR, "fetch_canceled_and_closed_orders#1", "fetch_orders_classic#1"),
        _positions(
            _USDT,
            "fetch_position#1",
            "fetch_positions#1",
            "parse_position#1",
            "parse_position#3",
            "parse_position#4",
        ),
        _positions(_USDC, "parse_position#2"),
        _fills(LINEAR, "linear", "fetch_my_trades#1"),
        _fills(SPOT, "spot", "parse_trade#2", "parse_trade#3"),
    ),
    not_used={
        "version 1 of the API, whose rows have other names": ("parse_order#1", "parse_trade#4"),
        "an order's creation that failed": ("parse_order#3",),
        "positions that ended": ("parse_position#5",),
        "public trades": ("parse_trade#1",),
        "of the websocket": ("parse_trade#5", "parse_trade#6"),
    },
)
