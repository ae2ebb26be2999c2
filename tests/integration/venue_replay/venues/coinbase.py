"""Coinbase Advanced."""

from decimal import Decimal
from typing import Any

from tests.integration.venue_adapter.canned import Canned
from tests.integration.venue_adapter.cases.coinbase import FUTURE
from tests.integration.venue_adapter.cases.coinbase import _spot as spot
from tests.integration.venue_replay.facts import (
    FILLED,
    LIVE,
    FillFields,
    Instrument,
    OrderFields,
    PositionFields,
    Row,
)
from tests.integration.venue_replay.seats import Asked, Seat, VenueReplay, Wrap

INSTRUMENTS = {
    "BTC-USDT": Instrument(symbol="BTC/USDT"),
    "LTC-BTC": Instrument(symbol="LTC/BTC"),
    "BIT-26APR24-CDE": Instrument(symbol="BTC/USD:USD-240426", size=Decimal("0.01")),
}


def _qty(row: Row) -> Any:
    """Return the size in base units; an order for so much quote currency is for what it filled."""
    sizes = [kind.get("base_size") for kind in row["order_configuration"].values()]
    return sizes[0] or (row["filled_size"] if row["status"] == "FILLED" else None)


def _base(row: Row) -> Decimal:
    size = Decimal(row["size"])
    return size / Decimal(row["price"]) if row["size_in_quote"] else size


ORDERS = OrderFields(
    order_id="order_id",
    client_order_id="client_order_id",
    symbol="product_id",
    qty=_qty,
    filled="filled_size",
    status="status",
    states={"OPEN": LIVE, "FILLED": FILLED},
    instruments=INSTRUMENTS,
)
NOT_FOUND = {"error": "NOT_FOUND", "message": "order with this orderID was not found"}


def _page(name: str) -> Wrap:
    return lambda rows: {name: rows, "cursor": "", "has_next": False}


def _one(rows: list[Any]) -> Any:
    return {"order": rows[0]} if rows else NOT_FOUND


def _future(product_id: str, name: str, ends_at: str) -> dict[str, Any]:
    like: dict[str, Any] = FUTURE
    details = {**like["future_product_details"], "contract_expiry": ends_at}
    return {
        **like,
        "product_id": product_id,
        "display_name": name,
        "future_product_details": details,
    }


COINBASE = VenueReplay(
    venue="coinbase",
    source="coinbase",
    least=7,
    markets=(
        Canned(
            path="/market/products",
            where={"product_type": "FUTURE"},
            body={
                "products": [_future("BIT-26APR24-CDE", "BTC 26 APR 24", "2024-04-26T15:00:00Z")]
            },
        ),
        Canned(path="/market/products", body={"products": [spot("BTC-USDT"), spot("LTC-BTC")]}),
        Canned(path="/transaction_summary", body={"fee_tier": {"taker_fee_rate": "0.006"}}),
    ),
    empty=(
        Canned(path="/historical/batch", body=_page("orders")([])),
        Canned(path="/historical/fills", body=_page("fills")([])),
        Canned(path="/historical/[0-9a-f-]+", body=NOT_FOUND, status=lambda _: 404),
        Canned(path="/cfm/positions", body={"positions": []}),
    ),
    seats=(
        Seat(
            asked=Asked.OPEN_ORDERS,
            path="/historical/batch",
            where={"order_status": "OPEN"},
            samples=("fetch_orders#1", "fetch_orders_by_status#1", "fetch_order#1"),
            fields=ORDERS,
            wrap=_page("orders"),
            rows_at=("orders",),
            also_at=(("order",),),
        ),
        Seat(
            asked=Asked.POSITIONS,
            path="/cfm/positions",
            samples=("fetch_positions#1", "parse_position#1"),
            fields=PositionFields(
                symbol="product_id",
                qty="number_of_contracts",
                side="side",
                sides={"LONG": "long", "SHORT": "short"},
                instruments=INSTRUMENTS,
            ),
            wrap=lambda rows: {"positions": rows},
            rows_at=("positions",),
        ),
        Seat(
            asked=Asked.ORDER,
            path="/historical/[0-9a-f-]+",
            samples=("fetch_order#1", "fetch_orders#1", "fetch_orders_by_status#1"),
            fields=ORDERS,
            wrap=_one,
            rows_at=("order",),
            also_at=(("orders",),),
        ),
        Seat(
            asked=Asked.FILLS,
            path="/historical/fills",
            cursor="cursor",
            samples=("fetch_my_trades#1", "parse_trade#3"),
            fields=FillFields(
                fill_id="trade_id",
                order_id="order_id",
                symbol="product_id",
                qty=_base,
                at_ms="trade_time",
                instruments=INSTRUMENTS,
            ),
            wrap=_page("fills"),
            rows_at=("fills",),
        ),
    ),
    not_used={
        "an order's creation or cancellation": ("parse_order#1", "parse_order#2"),
        "two configurations in one order, which no order has": ("parse_order#3",),
        "purchases of another API": ("parse_trade#1",),
        "public trades": ("parse_trade#2",),
    },
)
