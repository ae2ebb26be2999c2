"""Alpaca: equities that ccxt does not load, crypto in two spellings, replaced orders."""

from decimal import Decimal
from typing import Any

from reconciler.domain.snapshot import AnswerKind
from tests.integration.venue_adapter.canned import Canned, Params
from tests.integration.venue_adapter.cases.case import Ask, Expected, Paged, Rows, VenueCase

NOT_FOUND = {"code": 40410000, "message": "order is not found."}


def uuid(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012d}"


def order(number: int, symbol: str = "AAPL", **changes: Any) -> dict[str, Any]:
    return {
        "id": uuid(number),
        "client_order_id": f"bot-{number}",
        "created_at": "2023-11-14T22:13:20.123456Z",
        "submitted_at": "2023-11-14T22:13:20.123456Z",
        "filled_at": None,
        "symbol": symbol,
        "asset_class": "crypto" if "/" in symbol else "us_equity",
        "qty": "10",
        "filled_qty": "0",
        "filled_avg_price": None,
        "order_type": "limit",
        "type": "limit",
        "side": "buy",
        "time_in_force": "gtc",
        "limit_price": "150",
        "stop_price": None,
        "status": "new",
        "replaced_by": None,
        **changes,
    }


def _position(symbol: str, qty: str, kind: str) -> dict[str, Any]:
    return {
        "asset_id": f"a-{symbol}",
        "symbol": symbol,
        "asset_class": kind,
        "qty": qty,
        "side": "short" if qty.startswith("-") else "long",
        "avg_entry_price": "100",
        "current_price": "101",
    }


OPEN = (
    order(1),
    order(2, "BTC/USD", status="partially_filled", filled_qty="0.5", qty="2"),
    order(3, "TSLA", status="held", order_type="stop", limit_price=None, stop_price="90"),
    order(4, status="pending_cancel"),
    order(5, status="pending_new"),
    # ccxt knows no such word.
    order(6, status="pending_review"),
)
OTHERS = (
    order(10, status="replaced", replaced_by=uuid(11)),
    order(11, status="replaced", replaced_by=uuid(12), filled_qty="1"),
    order(12, filled_qty="3", status="partially_filled"),
    order(13, status="canceled", filled_qty="4", filled_avg_price="150"),
    # Closed to ccxt, and not filled.
    order(14, status="calculated", filled_qty="0"),
    order(15, "BTC/USD", status="filled", filled_qty="10", filled_avg_price="60000"),
)
KNOWN = {row["id"]: row for row in (*OPEN, *OTHERS)}
BY_CLIENT = {row["client_order_id"]: row for row in KNOWN.values()}
FILLS = [
    {
        "id": f"20231114000000000::{number}",
        "activity_type": "FILL",
        "transaction_time": "2023-11-14T22:13:21.5Z",
        "type": "partial_fill",
        "price": "150",
        "qty": qty,
        "side": "buy",
        "symbol": "AAPL",
        "order_id": uuid(order_number),
    }
    for number, (order_number, qty) in enumerate(((77, "1"), (77, "2.5"), (78, "9")))
]


def _paged(rows: Rows) -> Canned:
    """Newest first; `until` is exclusive, and five orders share each moment."""

    def answer(params: Params) -> Any:
        until = params.get("until", "9").replace("Z", "")
        older = [row for row in rows if str(row["submitted_at"]).replace("Z", "") < until]
        newest_first = sorted(older, key=lambda row: str(row["submitted_at"]), reverse=True)
        return newest_first[: int(params["limit"])]

    return Canned(path="/v2/orders", scope="open_orders", body=answer)


def _at(number: int) -> str:
    second, millisecond = divmod(number // 5, 1000)
    return f"2023-11-14T22:13:{second:02d}.{millisecond:03d}456Z"


def _status(body: Any) -> int:
    return 404 if body == NOT_FOUND else 200


ALPACA = VenueCase(
    venue="alpaca",
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
                for symbol in ("BTC/USD", "ETH/USD")
            ],
        ),
    ),
    table=(
        Canned(path="/v2/orders", where={"status": "open"}, scope="open_orders", body=list(OPEN)),
        Canned(
            path="/v2/positions",
            scope="positions",
            body=[
                _position("AAPL", "-12", "us_equity"),
                _position("BTCUSD", "0.25", "crypto"),
                _position("ETHUSD", "0", "crypto"),
            ],
        ),
        Canned(
            path="/v2/orders/[^/]+",
            body=lambda params: KNOWN.get(params["path"].rsplit("/", 1)[1], NOT_FOUND),
            status=_status,
        ),
        Canned(
            path="/v2/orders:by_client_order_id",
            body=lambda params: BY_CLIENT.get(params["client_order_id"], NOT_FOUND),
            status=_status,
        ),
        Canned(path="/account/activities/FILL", body=FILLS),
    ),
    orders=frozenset(
        {
            ("AAPL", uuid(1), "10", "open"),
            ("BTC/USD", uuid(2), "2", "partially_filled"),
            ("TSLA", uuid(3), "10", "open"),
            ("AAPL", uuid(4), "10", "canceling"),
            ("AAPL", uuid(5), "10", "in_flight"),
            ("AAPL", uuid(6), "10", "in_flight"),
        }
    ),
    positions=frozenset({("AAPL", "short", "12", False), ("BTC/USD", "long", "0.25", False)}),
    missing=(
        Ask(symbol="AAPL", order_id=uuid(77), client_order_id="bot-77"),
        Ask(symbol="BTCUSD", order_id=uuid(99)),
    ),
    fills={uuid(77): Decimal("3.5")},
    found=(
        Expected(
            ask=Ask(symbol="AAPL/USD", order_id=uuid(1)), state="open", order_id=uuid(1), qty="10"
        ),
        Expected(
            ask=Ask(symbol="BTCUSD", order_id=uuid(15)),
            state="filled",
            order_id=uuid(15),
            filled="10",
        ),
        Expected(
            ask=Ask(symbol="AAPL", client_order_id="bot-10"),
            state="partially_filled",
            order_id=uuid(12),
            filled="3",
        ),
        Expected(
            ask=Ask(symbol="AAPL", order_id=uuid(10), client_order_id="bot-10"),
            state="partially_filled",
            order_id=uuid(12),
            filled="3",
        ),
        Expected(
            ask=Ask(symbol="AAPL", order_id=uuid(13)),
            state="canceled",
            order_id=uuid(13),
            filled="4",
        ),
        Expected(ask=Ask(symbol="AAPL", order_id=uuid(14)), state="unmapped", order_id=uuid(14)),
    ),
    paged=Paged(
        entry=_paged, row=lambda number: order(1000 + number, submitted_at=_at(number)), pages=2
    ),
    errors=(
        (401, {"code": 40110000, "message": "request is not authorized"}, AnswerKind.AUTH),
        (403, {"message": "forbidden."}, AnswerKind.AUTH),
        (403, {"code": 40310000, "message": "account is restricted"}, AnswerKind.REFUSED),
        (429, {"code": 42910000, "message": "rate limit exceeded"}, AnswerKind.THROTTLED),
        (504, {"message": "timeout"}, AnswerKind.NO_ANSWER),
        (200, {"message": "ok"}, AnswerKind.NO_ANSWER),
    ),
    scopes=frozenset({"open_orders", "positions"}),
)
