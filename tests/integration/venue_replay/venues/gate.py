"""Gate."""

from decimal import Decimal
from typing import Any

from tests.integration.venue_adapter.canned import Canned
from tests.integration.venue_adapter.cases.gate import NOT_FOUND
from tests.integration.venue_adapter.cases.gate import _contract as contract
from tests.integration.venue_replay.facts import (
    FILLED,
    LIVE,
    FillFields,
    Instrument,
    OrderFields,
    PositionFields,
    Row,
)
from tests.integration.venue_replay.seats import Asked, Seat, VenueReplay

SIZES = {"BTC": "0.0001", "ADA": "10", "DOGE": "10"}
SWAPS = {
    f"{base}_USDT": Instrument(symbol=f"{base}/USDT:USDT", size=Decimal(size))
    for base, size in SIZES.items()
}
SPOT = {
    f"{base}_USDT": Instrument(symbol=f"{base}/USDT") for base in ("BTC", "ADA", "DOGE", "SHIB")
}
NOWHERE = ("no such place",)


def _rows(rows: list[Any]) -> Any:
    return rows


def _one(rows: list[Any]) -> Any:
    return rows[0] if rows else NOT_FOUND


def _groups(rows: list[Any]) -> Any:
    return [{"currency_pair": row["currency_pair"], "total": 1, "orders": [row]} for row in rows]


def _side(size: Any) -> str:
    return "buy" if Decimal(str(size)) > 0 else "sell"


def _size_filled(row: Row) -> Decimal:
    return abs(Decimal(str(row["size"]))) - abs(Decimal(str(row["left"])))


SPOT_ORDERS = OrderFields(
    order_id="id",
    client_order_id="text",
    symbol="currency_pair",
    qty="amount",
    filled=lambda row: Decimal(row["amount"]) - Decimal(row["left"]),
    status="status",
    states={"open": LIVE, "closed": FILLED},
    instruments=SPOT,
)
SPOT_TRIGGERS = OrderFields(
    order_id="id",
    symbol="market",
    side="put.side",
    qty="put.amount",
    filled=lambda _: 0,
    price="put.price",
    status="status",
    states={"open": LIVE},
    instruments=SPOT,
)
ORDERS = OrderFields(
    order_id="id",
    client_order_id="text",
    symbol="contract",
    side=lambda row: _side(row["size"]),
    qty="size",
    filled=_size_filled,
    # All of the samples ended because they were filled.
    status=lambda row: row.get("finish_as") or row["status"],
    states={"filled": FILLED},
    instruments=SWAPS,
)
TRIGGERS = OrderFields(
    order_id="id",
    client_order_id="initial.text",
    symbol="initial.contract",
    side=lambda row: _side(row["initial"]["size"]),
    qty="initial.size",
    filled=lambda _: 0,
    price="initial.price",
    status="status",
    states={"open": LIVE},
    instruments=SWAPS,
)


def _seat(asked: Asked, path: str, *samples: str, **more: Any) -> Seat:
    one_by_one: dict[str, Any] = {"wrap": _one, "rows_at": NOWHERE, "also_at": ((),)}
    if asked in {Asked.ORDER, Asked.TRIGGER_ORDER}:
        more = {**one_by_one, **more}
    return Seat(asked=asked, path=path, samples=samples, **{"wrap": _rows, **more})


GATE = VenueReplay(
    venue="gate",
    source="gate",
    least=14,
    markets=(
        Canned(
            path="/spot/currency_pairs",
            body=[
                {
                    "id": name,
                    "base": name.partition("_")[0],
                    "quote": "USDT",
                    "fee": "0.2",
                    "amount_precision": 4,
                    "precision": 2,
                    "trade_status": "tradable",
                }
                for name in SPOT
            ],
        ),
        Canned(path="/margin/currency_pairs", body=[]),
        Canned(
            path="/futures/usdt/contracts",
            body=[contract(f"{base}_USDT", size) for base, size in SIZES.items()],
        ),
        Canned(path="/futures/btc/contracts", body=[contract("BTC_USD", "0")]),
    ),
    empty=(
        Canned(path="/spot/open_orders", body=[]),
        Canned(path="/(orders|price_orders|positions|my_trades)", body=[]),
        Canned(path="/(orders|price_orders)/[^/]+", body=NOT_FOUND, status=lambda _: 404),
    ),
    seats=(
        _seat(
            Asked.OPEN_ORDERS,
            "/spot/open_orders",
            "fetch_orders_by_status#1",
            fields=SPOT_ORDERS,
            within="orders",
        ),
        _seat(
            Asked.OPEN_ORDERS,
            "/spot/open_orders",
            "parse_order#1",
            fields=SPOT_ORDERS,
            rows_at=NOWHERE,
            wrap=_groups,
        ),
        _seat(
            Asked.OPEN_ORDERS,
            "/futures/usdt/orders",
            "fetch_orders_by_status#4",
            "parse_order#4",
            fields=ORDERS,
        ),
        _seat(
            Asked.TRIGGER_ORDERS,
            "/spot/price_orders",
            "fetch_orders_by_status#3",
            "parse_order#3",
            fields=SPOT_TRIGGERS,
        ),
        _seat(Asked.TRIGGER_ORDERS, "/futures/usdt/price_orders", "parse_order#6", fields=TRIGGERS),
        _seat(
            Asked.POSITIONS,
            "/futures/usdt/positions",
            "fetch_position#1",
            "fetch_positions#1",
            "parse_position#1",
            fields=PositionFields(
                symbol="contract", qty="size", entry_price="entry_price", instruments=SWAPS
            ),
        ),
        _seat(
            Asked.ORDER,
            "/spot/orders/[^/]+",
            "fetch_orders_by_status#2",
            "parse_order#1",
            fields=SPOT_ORDERS,
        ),
        _seat(
            Asked.ORDER,
            "/futures/usdt/orders/[^/]+",
            "fetch_orders_by_status#4",
            "parse_order#4",
            fields=ORDERS,
        ),
        _seat(
            Asked.TRIGGER_ORDER,
            "/spot/price_orders/[^/]+",
            "fetch_orders_by_status#3",
            "parse_order#3",
            fields=SPOT_TRIGGERS,
        ),
        _seat(
            Asked.TRIGGER_ORDER,
            "/futures/usdt/price_orders/[^/]+",
            "parse_order#6",
            fields=TRIGGERS,
        ),
        _seat(
            Asked.FILLS,
            "/spot/my_trades",
            "fetch_my_trades#1",
            "fetch_order_trades#1",
            "parse_trade#4",
            fields=FillFields(
                fill_id="id",
                order_id="order_id",
                symbol="currency_pair",
                qty="amount",
                at_ms="create_time_ms",
                instruments=SPOT,
            ),
        ),
        _seat(
            Asked.FILLS,
            "/futures/usdt/my_trades",
            "fetch_my_trades#2",
            "parse_trade#5",
            fields=FillFields(
                fill_id="id",
                order_id="order_id",
                symbol="contract",
                side=lambda row: _side(row["size"]),
                qty="size",
                at_ms="create_time",
                instruments=SWAPS,
            ),
        ),
    ),
    not_used={
        "an order's creation": (
            "parse_order#2",
            "parse_order#5",
            "parse_order#7",
            "parse_order#8",
        ),
        "options, which are not covered": (
            "fetch_my_trades#4",
            "fetch_orders_by_status#5",
            "fetch_position#2",
            "fetch_positions#2",
            "parse_position#2",
            "parse_trade#8",
        ),
        "delivery contracts, which are not covered": ("fetch_my_trades#3", "parse_trade#6"),
        "of the websocket": ("parse_order#9", "parse_trade#3"),
        "positions that ended": ("parse_position#3",),
        "public trades": ("parse_trade#1", "parse_trade#2", "parse_trade#7"),
    },
)
