"""Hyperliquid: one path for all questions, an address instead of keys, rows without a status."""

from decimal import Decimal
from typing import Any

from reconciler.domain.snapshot import AnswerKind
from tests.integration.venue_adapter.canned import Canned, Params
from tests.integration.venue_adapter.cases.case import Ask, Expected, VenueCase


def cloid(number: int) -> str:
    return f"0x{number:032x}"


def order(number: int, coin: str = "BTC", **changes: Any) -> dict[str, Any]:
    return {
        "coin": coin,
        "side": "B",
        "limitPx": "50000",
        "sz": "0.5",
        "origSz": "0.5",
        "oid": number,
        "cloid": cloid(number),
        "timestamp": 1_700_000_000_000,
        "orderType": "Limit",
        "tif": "Gtc",
        "isTrigger": False,
        "triggerPx": "0.0",
        "triggerCondition": "N/A",
        "reduceOnly": False,
        "isPositionTpsl": False,
        "children": [],
        **changes,
    }


def _known(status: str, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": "order",
        "order": {"order": row, "status": status, "statusTimestamp": 1_700_000_001_000},
    }


OPEN = (
    order(1),
    order(2, "ETH", sz="0.3"),
    order(3, isTrigger=True, triggerPx="40000", orderType="Stop Market", side="A"),
)
STATUSES = {
    "1": _known("open", OPEN[0]),
    "8": _known("canceled", order(8, sz="0.4")),
    "9": _known("marginCanceled", order(9)),
    "10": _known("filled", order(10, sz="0.0")),
    "11": _known("scheduledCancel", order(11)),
    "12": _known("minTradeNtlRejected", order(12)),
}
FILLS = [
    {
        "coin": "BTC",
        "px": "50000",
        "sz": size,
        "side": "B",
        "time": 1_700_000_000_000 + number,
        "oid": oid,
        "tid": number,
        "crossed": True,
        "fee": "0",
        "feeToken": "USDC",
    }
    for number, (oid, size) in enumerate(((77, "0.1"), (77, "0.2"), (78, "9")))
]


def _status(params: Params) -> Any:
    asked = params["oid"]
    key = str(int(asked, 16)) if asked.startswith("0x") else asked
    return STATUSES.get(key, {"status": "unknownOid"})


def _position(coin: str, size: str) -> dict[str, Any]:
    return {
        "type": "oneWay",
        "position": {
            "coin": coin,
            "szi": size,
            "entryPx": "60000",
            "positionValue": "30500",
            "unrealizedPnl": "1",
            "marginUsed": "100",
            "leverage": {"type": "cross", "value": 20},
        },
    }


PERPETUAL = "BTC/USDC:USDC"
HYPERLIQUID = VenueCase(
    venue="hyperliquid",
    credentials={"wallet_address": "0xKEYabcdef"},
    markets=(
        Canned(
            path="/info",
            where={"type": "metaAndAssetCtxs"},
            body=[
                {
                    "universe": [
                        {"name": name, "szDecimals": 5, "maxLeverage": 40}
                        for name in ("BTC", "ETH")
                    ]
                },
                [{"markPx": "60000", "midPx": "60000"}, {"markPx": "3000", "midPx": "3000"}],
            ],
        ),
        Canned(
            path="/info",
            where={"type": "spotMetaAndAssetCtxs"},
            body=[{"universe": [], "tokens": []}, []],
        ),
    ),
    table=(
        Canned(
            path="/info",
            where={"type": "frontendOpenOrders"},
            scope="open_orders",
            body=list(OPEN),
        ),
        Canned(
            path="/info",
            where={"type": "clearinghouseState"},
            scope="positions",
            body={"assetPositions": [_position("BTC", "-0.5"), _position("ETH", "0.0")]},
        ),
        Canned(path="/info", where={"type": "orderStatus"}, body=_status),
        Canned(path="/info", where={"type": "userFillsByTime"}, body=FILLS),
    ),
    orders=frozenset(
        {
            (PERPETUAL, "1", "0.5", "open"),
            ("ETH/USDC:USDC", "2", "0.5", "partially_filled"),
            (PERPETUAL, "3", "0.5", "open"),
        }
    ),
    sells=frozenset({"3"}),
    positions=frozenset({(PERPETUAL, "short", "0.5", None)}),
    missing=(
        Ask(symbol=PERPETUAL, order_id="77", client_order_id=cloid(77), type="stop_market"),
        Ask(symbol="BTC/USDC:USDC", client_order_id=cloid(79)),
    ),
    fills={"77": Decimal("0.3")},
    found=(
        Expected(ask=Ask(symbol=PERPETUAL, order_id="1"), state="open", order_id="1", qty="0.5"),
        Expected(
            ask=Ask(symbol=PERPETUAL, client_order_id=cloid(8)),
            state="canceled",
            order_id="8",
            filled="0.1",
        ),
        Expected(ask=Ask(symbol=PERPETUAL, order_id="9"), state="canceled", order_id="9"),
        Expected(
            ask=Ask(symbol=PERPETUAL, order_id="10"), state="filled", order_id="10", filled="0.5"
        ),
        Expected(ask=Ask(symbol=PERPETUAL, order_id="11"), state="canceled", order_id="11"),
        Expected(ask=Ask(symbol=PERPETUAL, order_id="12"), state="rejected", order_id="12"),
    ),
    errors=(
        (500, {"error": "internal"}, AnswerKind.NO_ANSWER),
        (422, "Failed to deserialize the JSON body", AnswerKind.NO_ANSWER),
        (200, {"status": "ok"}, AnswerKind.NO_ANSWER),
    ),
    scopes=frozenset({"open_orders", "positions"}),
)
