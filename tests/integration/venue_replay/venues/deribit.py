"""Deribit, whose sizes are no contracts: base units, or USD where the contract is inverse."""

from typing import Any

from tests.integration.venue_adapter.canned import Canned
from tests.integration.venue_adapter.cases.deribit import _market as market
from tests.integration.venue_replay.facts import (
    FILLED,
    FillFields,
    Instrument,
    OrderFields,
    PositionFields,
)
from tests.integration.venue_replay.seats import Asked, Seat, VenueReplay

INSTRUMENTS = {
    "BTC-PERPETUAL": Instrument(symbol="BTC/USD:BTC", inverse=True),
    "ETH-PERPETUAL": Instrument(symbol="ETH/USD:ETH", inverse=True),
    "ETH-22FEB19-120-C": Instrument(symbol="ETH/USD:ETH-190222-120-C"),
}
ORDERS = OrderFields(
    order_id="order_id",
    client_order_id="label",
    symbol="instrument_name",
    side="direction",
    qty="amount",
    filled="filled_amount",
    price="average_price",
    status="order_state",
    states={"filled": FILLED},
    instruments=INSTRUMENTS,
)
UNKNOWN = {"jsonrpc": "2.0", "error": {"code": 10004, "message": "order_not_found"}}


def _wrap(result: Any) -> Any:
    return {"jsonrpc": "2.0", "id": 1, "result": result}


def _one(rows: list[Any]) -> Any:
    return _wrap(rows[0]) if rows else UNKNOWN


def _trades(rows: list[Any]) -> Any:
    return _wrap({"trades": rows, "has_more": False})


OPTION = {
    **market("ETH-22FEB19-120-C", "ETH", "USD", "ETH", 1),
    "kind": "option",
    "option_type": "call",
    "strike": 120,
    "settlement_period": "week",
    "expiration_timestamp": 1550822400000,
}

DERIBIT = VenueReplay(
    venue="deribit",
    source="deribit",
    least=7,
    markets=(
        Canned(
            path="/public/get_instruments",
            body=_wrap(
                [
                    market("BTC-PERPETUAL", "BTC", "USD", "BTC", 10),
                    market("ETH-PERPETUAL", "ETH", "USD", "ETH", 1),
                    OPTION,
                ]
            ),
        ),
    ),
    empty=(
        Canned(path="/get_open_orders", body=_wrap([])),
        Canned(path="/get_positions", body=_wrap([])),
        Canned(path="/get_order_state", body=UNKNOWN, status=lambda _: 400),
        Canned(path="/get_order_state_by_label", body=_wrap([])),
        Canned(path="/get_user_trades_by_instrument_and_time", body=_trades([])),
    ),
    # One fill, and "has_more", which the next page does not show.
    partial={
        "fetch_my_trades#1": "nothing new",
        "fetch_order_trades#1": "nothing new",
    },
    seats=(
        Seat(
            asked=Asked.OPEN_ORDERS,
            path="/get_open_orders",
            samples=("fetch_order#1", "parse_order#1"),
            fields=ORDERS,
            wrap=_wrap,
            rows_at=("no such place",),
            also_at=(("result",),),
        ),
        Seat(
            asked=Asked.POSITIONS,
            path="/get_positions",
            samples=("fetch_positions#1",),
            fields=PositionFields(
                symbol="instrument_name",
                qty="size",
                entry_price="average_price",
                instruments=INSTRUMENTS,
            ),
            wrap=_wrap,
            rows_at=("result",),
        ),
        Seat(
            asked=Asked.POSITIONS,
            path="/get_positions",
            # One position, and flat.
            samples=("fetch_position#1", "parse_position#1"),
            fields=PositionFields(symbol="instrument_name", qty="size", instruments=INSTRUMENTS),
            wrap=_wrap,
            rows_at=("no such place",),
            also_at=(("result",),),
        ),
        Seat(
            asked=Asked.ORDER,
            path="/get_order_state",
            samples=("fetch_order#1", "parse_order#1"),
            fields=ORDERS,
            wrap=_one,
            rows_at=("result",),
        ),
        Seat(
            asked=Asked.FILLS,
            path="/get_user_trades_by_instrument_and_time",
            where={"historical": "false"},
            samples=("fetch_my_trades#1", "fetch_order_trades#1", "parse_trade#2"),
            fields=FillFields(
                fill_id="trade_id",
                order_id="order_id",
                symbol="instrument_name",
                side="direction",
                qty="amount",
                at_ms="timestamp",
                instruments=INSTRUMENTS,
            ),
            wrap=_trades,
            rows_at=("result", "trades"),
        ),
    ),
    not_used={"public trades": ("parse_trade#1",)},
)
