"""Kraken Futures, whose samples have their symbols in lower case."""

from tests.integration.venue_adapter.canned import Canned
from tests.integration.venue_adapter.cases.krakenfutures import _market as market
from tests.integration.venue_replay.facts import (
    LIVE,
    FillFields,
    Instrument,
    OrderFields,
    PositionFields,
)
from tests.integration.venue_replay.seats import Asked, Seat, VenueReplay, Wrap

INSTRUMENTS = {
    "pi_xbtusd": Instrument(symbol="BTC/USD:BTC", inverse=True),
    "pi_xrpusd": Instrument(symbol="XRP/USD:XRP", inverse=True),
    "pf_ftmusd": Instrument(symbol="FTM/USD:USD"),
    "fi_xbtusd_180615": Instrument(symbol="BTC/USD:BTC-180615", inverse=True),
}


def _in(name: str) -> Wrap:
    return lambda rows: {"result": "success", name: rows}


KRAKENFUTURES = VenueReplay(
    venue="krakenfutures",
    source="krakenfutures",
    least=6,
    markets=(
        Canned(
            path="/instruments",
            body=_in("instruments")(
                [
                    market("PI_XBTUSD", "futures_inverse"),
                    market("PI_XRPUSD", "futures_inverse"),
                    market("PF_FTMUSD", "flexible_futures"),
                    {
                        **market("FI_XBTUSD_180615", "futures_inverse"),
                        "lastTradingTime": "2018-06-15T16:00:00.000Z",
                    },
                ]
            ),
        ),
    ),
    empty=(
        Canned(path="/openorders", body=_in("openOrders")([])),
        Canned(path="/openpositions", body=_in("openPositions")([])),
        Canned(path="/orders/status", body=_in("orders")([])),
        Canned(path="/fills", body=_in("fills")([])),
    ),
    seats=(
        Seat(
            asked=Asked.OPEN_ORDERS,
            path="/openorders",
            samples=("parse_order#8",),
            fields=OrderFields(
                order_id="order_id",
                client_order_id="cliOrdId",
                qty=lambda row: row["unfilledSize"] + row["filledSize"],
                filled="filledSize",
                price="limitPrice",
                status="status",
                states={"untouched": LIVE},
                instruments=INSTRUMENTS,
            ),
            wrap=_in("openOrders"),
        ),
        Seat(
            asked=Asked.POSITIONS,
            path="/openpositions",
            samples=("fetch_positions#1", "parse_position#1", "parse_position#2"),
            fields=PositionFields(
                qty="size",
                side="side",
                sides={"long": "long", "short": "short"},
                entry_price="price",
                instruments=INSTRUMENTS,
            ),
            wrap=_in("openPositions"),
            rows_at=("openPositions",),
        ),
        Seat(
            asked=Asked.FILLS,
            path="/fills",
            cursor="lastFillTime",
            samples=("fetch_my_trades#1", "parse_trade#3"),
            fields=FillFields(
                fill_id="fill_id",
                order_id="order_id",
                qty="size",
                at_ms="fillTime",
                instruments=INSTRUMENTS,
            ),
            wrap=_in("fills"),
            rows_at=("fills",),
        ),
    ),
    not_used={
        "an order's creation, change or cancellation": (
            "parse_order#1",
            "parse_order#2",
            "parse_order#3",
            "parse_order#4",
            "parse_order#5",
            "parse_order#6",
            "parse_order#7",
            "parse_order#9",
            "parse_trade#4",
        ),
        "of the history, which we do not ask": (
            "parse_order#10",
            "parse_order#11",
            "parse_position#3",
        ),
        "public trades": ("parse_trade#1", "parse_trade#2"),
    },
)
