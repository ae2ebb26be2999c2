"""Kraken."""

from typing import Any

from tests.integration.venue_adapter.canned import Canned
from tests.integration.venue_adapter.cases.kraken import _pair as pair
from tests.integration.venue_replay.facts import (
    CANCELED,
    FILLED,
    LIVE,
    FillFields,
    Instrument,
    OrderFields,
    PositionFields,
)
from tests.integration.venue_replay.seats import Asked, Seat, VenueReplay, Wrap

PAIRS = {
    "XXBTZUSD": ("XBTUSD", "XXBT", "ZUSD", "BTC/USD"),
    "XBTUSDT": ("XBTUSDT", "XXBT", "USDT", "BTC/USDT"),
    "ETHUSDT": ("ETHUSDT", "XETH", "USDT", "ETH/USDT"),
    "USDCUSDT": ("USDCUSDT", "USDC", "USDT", "USDC/USDT"),
    "XICNXETH": ("ICNETH", "ICN", "XETH", "ICN/ETH"),
}
INSTRUMENTS = {
    name: Instrument(symbol=symbol)
    for market_id, (altname, _, _, symbol) in PAIRS.items()
    for name in (market_id, altname)
}
ORDERS = OrderFields(
    order_id="id",
    client_order_id="cl_ord_id",
    symbol="descr.pair",
    side="descr.type",
    qty="vol",
    filled="vol_exec",
    status="status",
    states={"open": LIVE, "closed": FILLED, "canceled": CANCELED},
    instruments=INSTRUMENTS,
)
FILLS = FillFields(
    fill_id="id",
    order_id="ordertxid",
    symbol="pair",
    side="type",
    qty="vol",
    instruments=INSTRUMENTS,
)


def _wrap(result: Any) -> Any:
    return {"error": [], "result": result}


def _keyed(*names: str) -> Wrap:
    """Wrap rows in an object by their ids, as the venue does."""

    def wrap(rows: list[Any]) -> Any:
        found: Any = {row["id"]: {k: v for k, v in row.items() if k != "id"} for row in rows}
        for name in names:
            found = {name: found}
        return _wrap(found)

    return wrap


KRAKEN = VenueReplay(
    venue="kraken",
    source="kraken",
    least=9,
    markets=(
        Canned(
            path="/AssetPairs",
            body=_wrap({name: pair(*row[:3]) for name, row in PAIRS.items()}),
        ),
    ),
    empty=(
        Canned(path="/OpenOrders", body=_wrap({"open": {}})),
        Canned(path="/ClosedOrders", body=_wrap({"closed": {}, "count": 0})),
        Canned(path="/QueryOrders", body=_wrap({})),
        Canned(path="/OpenPositions", body=_wrap([])),
        Canned(path="/TradesHistory", body=_wrap({"trades": {}, "count": 0})),
    ),
    seats=(
        Seat(
            asked=Asked.OPEN_ORDERS,
            path="/OpenOrders",
            samples=("fetch_open_orders#1",),
            fields=ORDERS,
            keyed=True,
            wrap=_keyed("open"),
            rows_at=("result", "open"),
        ),
        Seat(
            asked=Asked.POSITIONS,
            path="/OpenPositions",
            samples=("fetch_positions#1", "fetch_positions#2", "parse_position#1"),
            fields=PositionFields(
                symbol="pair",
                qty=lambda row: float(row["vol"]) - float(row["vol_closed"]),
                side="type",
                sides={"buy": "long", "sell": "short"},
                instruments=INSTRUMENTS,
            ),
            keyed=True,
            wrap=_wrap,
            rows_at=("result",),
        ),
        Seat(
            asked=Asked.ORDER,
            path="/QueryOrders",
            samples=("fetch_order#1", "fetch_closed_orders#1", "fetch_open_orders#1"),
            fields=ORDERS,
            keyed=True,
            wrap=_keyed(),
            rows_at=("result",),
            also_at=(("result", "closed"), ("result", "open")),
        ),
        Seat(
            asked=Asked.FILLS,
            path="/TradesHistory",
            samples=("fetch_my_trades#1", "fetch_order_trades#1", "parse_trade#2"),
            fields=FILLS,
            keyed=True,
            wrap=_keyed("trades"),
            rows_at=("result", "trades"),
            also_at=(("result",),),
        ),
    ),
    not_used={
        "an order's creation or change": (
            "parse_order#1",
            "parse_order#2",
            "parse_order#3",
            "parse_order#4",
        ),
        "a closing bracket is missing": ("parse_order#5",),
        "the row of fetch_open_orders#1 without its id": ("parse_order#6",),
        "its ids were cut by hand, and are of no form that the venue gives": ("parse_trade#3",),
        "public trades": ("parse_trade#1", "parse_trade#4"),
    },
)
