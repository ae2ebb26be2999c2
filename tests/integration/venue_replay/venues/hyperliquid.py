"""Hyperliquid."""

from decimal import Decimal
from typing import Any

from tests.integration.venue_adapter.canned import Canned
from tests.integration.venue_replay.facts import (
    LIVE,
    FillFields,
    Instrument,
    OrderFields,
    PositionFields,
    Row,
)
from tests.integration.venue_replay.seats import Asked, Seat, VenueReplay

INSTRUMENTS = {
    "ETH": Instrument(symbol="ETH/USDC:USDC"),
    "BLUR": Instrument(symbol="BLUR/USDC:USDC"),
}


def _info(question: str, body: Any) -> Canned:
    return Canned(path="/info", where={"type": question}, body=body)


def _rows(rows: list[Any]) -> Any:
    return rows


def _status(rows: list[Any]) -> Any:
    return {"status": "order", "order": rows[0]} if rows else {"status": "unknownOid"}


def _positions(rows: list[Any]) -> Any:
    return {"assetPositions": rows}


def _filled(row: Row) -> Decimal:
    return Decimal(row["origSz"]) - Decimal(row["sz"])


def _order(*samples: str, **places: Any) -> Seat:
    return Seat(
        asked=Asked.ORDER,
        path="/info",
        where={"type": "orderStatus"},
        samples=samples,
        fields=OrderFields(
            order_id="order.oid",
            client_order_id="order.cloid",
            symbol="order.coin",
            side="order.side",
            qty="order.origSz",
            filled=lambda row: _filled(row["order"]),
            price="order.limitPx",
            status="status",
            states={"open": LIVE},
            instruments=INSTRUMENTS,
        ),
        wrap=_status,
        **{"rows_at": ("no such place",), **places},
    )


HYPERLIQUID = VenueReplay(
    venue="hyperliquid",
    source="hyperliquid",
    least=9,
    credentials={"wallet_address": "0xabcdef"},
    markets=(
        _info(
            "metaAndAssetCtxs",
            [
                {
                    "universe": [
                        {"name": name, "szDecimals": 4, "maxLeverage": 40} for name in INSTRUMENTS
                    ]
                },
                [{"markPx": "3000", "midPx": "3000"} for _ in INSTRUMENTS],
            ],
        ),
        _info("spotMetaAndAssetCtxs", [{"universe": [], "tokens": []}, []]),
    ),
    empty=(
        _info("frontendOpenOrders", []),
        _info("clearinghouseState", {"assetPositions": []}),
        _info("orderStatus", {"status": "unknownOid"}),
        _info("userFillsByTime", []),
    ),
    seats=(
        Seat(
            asked=Asked.OPEN_ORDERS,
            path="/info",
            where={"type": "frontendOpenOrders"},
            samples=("fetch_open_orders#1", "parse_order#2", "parse_order#7"),
            fields=OrderFields(
                order_id="oid",
                client_order_id="cloid",
                symbol="coin",
                qty="origSz",
                filled=_filled,
                price="limitPx",
                # A row that is listed is open.
                status=lambda _: "open",
                states={"open": LIVE},
                instruments=INSTRUMENTS,
            ),
            wrap=_rows,
        ),
        Seat(
            asked=Asked.POSITIONS,
            path="/info",
            where={"type": "clearinghouseState"},
            samples=("fetch_positions#1", "parse_position#1"),
            fields=PositionFields(
                symbol="position.coin", qty="position.szi", instruments=INSTRUMENTS
            ),
            wrap=_positions,
            rows_at=("assetPositions",),
        ),
        _order("fetch_order#1", rows_at=("order",)),
        _order("fetch_orders#1", "parse_order#4", also_at=((),)),
        Seat(
            asked=Asked.FILLS,
            path="/info",
            where={"type": "userFillsByTime"},
            samples=("fetch_my_trades#1", "parse_trade#1"),
            fields=FillFields(
                fill_id="tid",
                order_id="oid",
                symbol="coin",
                qty="sz",
                price="px",
                instruments=INSTRUMENTS,
            ),
            wrap=_rows,
        ),
    ),
    not_used={
        "an order's creation": ("parse_order#1", "parse_order#5", "parse_order#6"),
        "a fill, which ccxt makes an ended order of where it lists those": ("parse_order#3",),
    },
)
