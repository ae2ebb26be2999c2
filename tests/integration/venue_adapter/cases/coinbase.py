"""Coinbase Advanced: queued orders apart, its own words for "not found", futures in contracts."""

from decimal import Decimal
from typing import Any

from reconciler.domain.snapshot import AnswerKind
from tests.integration.venue_adapter.canned import Canned, Params
from tests.integration.venue_adapter.cases.case import Ask, Expected, Paged, Rows, VenueCase

_TEXT = "order with this orderID was not found"
NOT_FOUND = {"error": "NOT_FOUND", "error_details": _TEXT, "message": _TEXT}


def uuid(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012d}"


def _page(rows: list[Any]) -> dict[str, Any]:
    return {"orders": rows, "sequence": "0", "has_next": False, "cursor": ""}


def _spot(product: str) -> dict[str, Any]:
    base, quote = product.split("-")
    return {
        "product_id": product,
        "base_currency_id": base,
        "quote_currency_id": quote,
        "product_type": "SPOT",
        "base_increment": "0.00000001",
        "quote_increment": "0.01",
        "base_min_size": "0.0001",
        "base_max_size": "1000",
        "trading_disabled": False,
        "alias_to": [],
    }


FUTURE = {
    "product_id": "BIT-27MAR26-CDE",
    "quote_currency_id": "USD",
    "product_type": "FUTURE",
    "display_name": "BTC 27 MAR 26",
    "base_increment": "1",
    "price_increment": "5",
    "base_min_size": "1",
    "base_max_size": "1000",
    "future_product_details": {
        "contract_expiry_type": "EXPIRING",
        "contract_expiry": "2026-03-27T16:00:00Z",
        "contract_size": "0.01",
        "contract_root_unit": "BTC",
    },
    "alias_to": [],
}


def order(number: int, product: str = "BTC-USD", **changes: Any) -> dict[str, Any]:
    return {
        "order_id": uuid(number),
        "client_order_id": f"bot-{number}",
        "product_id": product,
        "side": "BUY",
        "status": "OPEN",
        "order_type": "LIMIT",
        "time_in_force": "GOOD_UNTIL_CANCELLED",
        "order_configuration": {
            "limit_limit_gtc": {"base_size": "0.5", "limit_price": "50000", "post_only": False}
        },
        "filled_size": "0",
        "average_filled_price": "0",
        "total_fees": "0",
        "created_time": "2023-11-14T22:13:20.5Z",
        **changes,
    }


OPEN = (order(1), order(2, "ETH-USD", filled_size="0.2", average_filled_price="3000"))
QUEUED = (order(3, status="QUEUED"), order(4, status="CANCEL_QUEUED"))
ENDED = (
    order(8, status="CANCELLED", filled_size="0.1", average_filled_price="50000"),
    order(9, status="EXPIRED"),
    order(10, status="FILLED", filled_size="0.5", average_filled_price="50000"),
    order(11, status="UNKNOWN_ORDER_STATUS"),
)
KNOWN = {row["order_id"]: row for row in (*OPEN, *QUEUED, *ENDED)}
FILLS = [
    {
        "entry_id": f"e{number}",
        "trade_id": f"t{number}",
        "order_id": uuid(77),
        "product_id": "BTC-USD",
        "trade_time": "2023-11-14T22:13:21Z",
        "price": "50000",
        "size": size,
        "size_in_quote": in_quote,
        "commission": "0",
        "side": "BUY",
        "liquidity_indicator": "TAKER",
    }
    for number, (size, in_quote) in enumerate((("0.1", False), ("10000", True)))
]


def _known(params: Params) -> Any:
    known = KNOWN.get(params["path"].rsplit("/", 1)[1])
    return {"order": known} if known else NOT_FOUND


def _paged(rows: Rows) -> Canned:
    def answer(params: Params) -> Any:
        start = int(params.get("cursor") or 0)
        end = start + 20
        more = end < len(rows)
        page = _page(list(rows[start:end]))
        return {**page, "has_next": more, "cursor": str(end) if more else ""}

    return Canned(
        path="/historical/batch", where={"order_status": "OPEN"}, scope="open_orders", body=answer
    )


COINBASE = VenueCase(
    venue="coinbase",
    markets=(
        Canned(
            path="/market/products",
            where={"product_type": "FUTURE"},
            body={"products": [FUTURE]},
        ),
        Canned(path="/market/products", body={"products": [_spot("BTC-USD"), _spot("ETH-USD")]}),
        Canned(path="/transaction_summary", body={"fee_tier": {"taker_fee_rate": "0.006"}}),
    ),
    table=(
        Canned(
            path="/brokerage/accounts",
            scope="balances",
            body={
                "accounts": [
                    {
                        "currency": currency,
                        "available_balance": {"value": free, "currency": currency},
                        "hold": {"value": held, "currency": currency},
                    }
                    for currency, free, held in (
                        ("BTC", "0.5", "0.1"),
                        ("BTC", "0.25", "0"),
                        ("USD", "10", "0"),
                        ("ETH", "0", "0"),
                    )
                ],
                "has_next": False,
                "cursor": "",
            },
        ),
        Canned(
            path="/historical/batch",
            where={"order_status": "OPEN"},
            scope="open_orders",
            body=_page(list(OPEN)),
        ),
        Canned(path="/historical/batch", scope="open_orders", body=_page(list(QUEUED))),
        Canned(path="/historical/fills", body={"fills": FILLS, "cursor": ""}),
        Canned(
            path="/historical/[0-9a-f-]+",
            body=_known,
            status=lambda body: 404 if body == NOT_FOUND else 200,
        ),
        Canned(
            path="/cfm/positions",
            scope="positions",
            body={
                "positions": [
                    {
                        "product_id": "BIT-27MAR26-CDE",
                        "side": "SHORT",
                        "number_of_contracts": "50",
                        "avg_entry_price": "60000",
                        "current_price": "61000",
                    }
                ]
            },
        ),
    ),
    orders=frozenset(
        {
            ("BTC/USD", uuid(1), "0.5", "open"),
            ("ETH/USD", uuid(2), "0.5", "partially_filled"),
            ("BTC/USD", uuid(3), "0.5", "in_flight"),
            ("BTC/USD", uuid(4), "0.5", "canceling"),
        }
    ),
    positions=frozenset({("BTC/USD:USD-260327", "short", "0.5", False)}),
    spot=("BTC/USD",),
    balances=frozenset({("BTC", "0.85"), ("USD", "10")}),
    missing=(Ask(symbol="BTC-USD", order_id=uuid(77), client_order_id="bot-77", type="stop"),),
    fills={uuid(77): Decimal("0.3")},
    found=(
        Expected(
            ask=Ask(symbol="BTC/USD", order_id=uuid(1)), state="open", order_id=uuid(1), qty="0.5"
        ),
        Expected(
            ask=Ask(symbol="BTC/USD", order_id=uuid(8)),
            state="canceled",
            order_id=uuid(8),
            filled="0.1",
        ),
        Expected(ask=Ask(symbol="BTC/USD", order_id=uuid(9)), state="expired", order_id=uuid(9)),
        Expected(
            ask=Ask(symbol="BTC/USD", order_id=uuid(10)),
            state="filled",
            order_id=uuid(10),
            filled="0.5",
        ),
        Expected(ask=Ask(symbol="BTC/USD", order_id=uuid(11)), state="unmapped", order_id=uuid(11)),
    ),
    paged=Paged(entry=_paged, row=lambda number: order(1000 + number), pages=35),
    errors=(
        (401, "Unauthorized", AnswerKind.AUTH),
        (429, {"error": "RATE_LIMIT", "message": "too many requests"}, AnswerKind.THROTTLED),
        (500, {"error": "INTERNAL", "message": "internal"}, AnswerKind.NO_ANSWER),
        (200, {"has_next": False, "cursor": ""}, AnswerKind.NO_ANSWER),
    ),
    scopes=frozenset({"open_orders", "positions", "balances"}),
)
